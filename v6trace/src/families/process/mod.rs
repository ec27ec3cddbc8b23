//! Processes that `v6trace why` follows: a command, or a process that runs already, and
//! whatever they start.
//!
//! ```text
//! Following (what it begins with) ----\
//! ProcessStarted (one more, or less) --+-> Followed -> which diagnoses are the answer
//! SystemCall -> Touched, Open --------/|               (`why`)
//!    |          CommandEnded (status) -/
//!    `-> explain, what no other family does
//! ```

mod call;
mod causes;
mod decode;
mod explain;
mod followed;
mod innermost;
mod open;
mod touched;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, shown, text},
};

pub use call::{Call, SocketKind, SystemCall};
pub use causes::Cause;
pub use decode::ProcessStarted;
pub use followed::{CommandEnded, Followed, Following};
pub use innermost::Innermost;
#[cfg(feature = "live")]
pub use innermost::functions;
pub use open::{Begun, Open};

impl Occurrence for ProcessStarted {
    fn is_failure(&self) -> bool {
        false
    }

    fn ifindex(&self) -> Option<u32> {
        None
    }

    fn interface(&self) -> Option<&str> {
        None
    }

    fn fields(&self, take: Take<'_>) {
        take("process", self.process.into());
        take("is_followed", self.is_followed.into());
    }

    fn explain(&self, _subject: Subject<'_>) -> Option<Diagnosis> {
        None
    }
}

impl Occurrence for SystemCall {
    fn is_failure(&self) -> bool {
        self.errno.is_some()
    }

    fn ifindex(&self) -> Option<u32> {
        None
    }

    fn interface(&self) -> Option<&str> {
        None
    }

    fn fields(&self, take: Take<'_>) {
        take("call", self.call.name().into());
        take("errno", text(self.errno.as_ref()));
        take("goes_on", self.goes_on.into());
        take("sk_family", self.socket.map(|socket| socket.family).into());
        take("sk_type", self.socket.map(|socket| socket.kind).into());
        take(
            "sk_protocol",
            self.socket.map(|socket| socket.protocol).into(),
        );
        take("address", text(self.address.as_ref()));
        take("option", self.option.map(|(_, option)| option).into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::explain(self, subject)
    }
}

impl Occurrence for Innermost {
    fn is_failure(&self) -> bool {
        false
    }

    fn ifindex(&self) -> Option<u32> {
        None
    }

    fn interface(&self) -> Option<&str> {
        None
    }

    fn fields(&self, take: Take<'_>) {
        take("function", self.function.as_str().into());
        take("errno", shown(&self.errno));
    }

    fn explain(&self, _subject: Subject<'_>) -> Option<Diagnosis> {
        None
    }
}
