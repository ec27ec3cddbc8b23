//! Duplicate address detection.

mod causes;
mod decode;
mod earlier;
mod explain;
#[cfg(feature = "live")]
mod hazards;
#[cfg(feature = "live")]
pub(crate) mod lookup;
mod surroundings;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, shown, text},
    frame::{Frame, Message},
};

pub use causes::Cause;
pub use decode::{DadFailure, DadReflection, Sender, Sent, Sysctls};
pub use earlier::Earlier;
#[cfg(feature = "live")]
pub(crate) use hazards::hazards;
pub use surroundings::{Bond, Interface, Surroundings};

impl Occurrence for DadFailure {
    fn is_failure(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn frame(&self) -> Option<&Frame> {
        Some(&self.frame)
    }

    fn fields(&self, take: Take<'_>) {
        let frame = &self.frame;
        take("address", shown(&self.address));
        take("prefix_len", self.prefix_len.into());
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("message", frame.message().map(Message::name).into());
        take("source_mac", text(frame.source_mac().as_ref()));
        take("own_mac", text(self.own_mac.as_ref()));
        take("nonce", text(frame.nonce().as_ref()));
        take("dad_nonce", text(self.dad_nonce.as_ref()));
        take("flags", self.flags.into());
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::failure(self, subject))
    }
}

impl Occurrence for DadReflection {
    fn is_failure(&self) -> bool {
        false
    }

    fn is_remarkable(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn frame(&self) -> Option<&Frame> {
        Some(&self.frame)
    }

    fn fields(&self, take: Take<'_>) {
        take("address", shown(&self.address));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("source_mac", text(self.frame.source_mac().as_ref()));
        take("nonce", shown(&self.nonce));
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::reflection(self, subject))
    }
}
