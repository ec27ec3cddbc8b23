//! Socket options of IPv6 that are refused.
//!
//! ```text
//! OptionRefused -> explain::interface   of what multicasts, or other packets, leave by
//!                  explain::routing     of multicast routing
//!                  explain::other       all others
//! Multicasts       routed by which process, where another socket does
//! ```

mod causes;
mod decode;
mod explain;
#[cfg(feature = "live")]
pub(crate) mod lookup;
mod multicasts;
mod names;

use std::borrow::Cow;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, shown},
};

pub use causes::Cause;
pub use decode::{Interface, OptionRefused, Router, SocketState, Table};
pub use multicasts::Multicasts;

impl Occurrence for OptionRefused {
    fn is_failure(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        (self.ifindex != 0).then_some(self.ifindex)
    }

    fn interface(&self) -> Option<&str> {
        match &self.interface {
            Interface::Found(name) => Some(name),
            Interface::Absent | Interface::Swapped(_) | Interface::Unknown => None,
        }
    }

    fn fields(&self, take: Take<'_>) {
        take("option", shown(&names::of(self.option)));
        take("value", self.value.into());
        take("length", self.length.into());
        take("ifindex", self.ifindex().into());
        take("interface", self.interface().into());
        take("socket", self.socket_inode.into());
        take("suppressed", self.suppressed.into());
        take("errno", shown(&self.errno));
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::refused(self, subject))
    }
}

/// What an option of level IPv6 is called.
pub(crate) fn name(option: u32) -> Cow<'static, str> {
    names::of(option)
}
