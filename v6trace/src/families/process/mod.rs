//! Processes that `v6trace why` follows: a command, or a process that runs already, and
//! whatever they start.
//!
//! ```text
//! Following (what it begins with) ---\
//! ProcessStarted (one more, or less) -+-> Followed -> which diagnoses are the answer
//! CommandEnded (its status) ---------/
//! ```

mod causes;
mod decode;
mod followed;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::Take,
};

pub use causes::Cause;
pub use decode::ProcessStarted;
pub use followed::{CommandEnded, Followed, Following};

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
