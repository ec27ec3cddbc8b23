//! What programs connect to, or send to, without a way out.
//!
//! ```text
//! OutgoingLookup -> explain::failed        by what gave the errno, in the kernel's
//!                                          order
//!                   explain::unanswerable  a way out, and a source of no use there
//! ScopeMissing   -> explain::scope
//! lookup         -> Reach                  routes and addresses that there are
//! earlier        -> Earlier                how default routes went
//! ```

mod causes;
mod decode;
mod earlier;
mod explain;
#[cfg(feature = "live")]
pub(crate) mod lookup;
mod reach;

use super::Occurrence;
use crate::{
    errno::Errno,
    explain::{Diagnosis, Subject},
    field::{Field, Take, shown, text},
};

pub use causes::Cause;
pub use decode::{Asked, Operation, Outcome, OutgoingLookup, Rejected, Route, ScopeMissing};
pub use earlier::Earlier;
pub use reach::{Own, Reach, Rule, Way};

impl Operation {
    /// Its name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Send => "send",
        }
    }
}

impl OutgoingLookup {
    fn errno(&self) -> Option<Errno> {
        match self.outcome {
            Outcome::Failed { errno, .. } => Some(errno),
            Outcome::Leaves { .. } => None,
        }
    }
}

impl Occurrence for OutgoingLookup {
    fn is_failure(&self) -> bool {
        self.errno().is_some()
    }

    fn is_remarkable(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        self.device().map(|(ifindex, _)| ifindex)
    }

    fn interface(&self) -> Option<&str> {
        self.device().and_then(|(_, name)| name)
    }

    fn fields(&self, take: Take<'_>) {
        take("operation", Field::Text(self.operation.name()));
        take("destination", shown(&self.destination));
        take("port", self.port.into());
        take("source", text(self.source.as_ref()));
        take("protocol", self.protocol.into());
        take("interface", self.interface().into());
        take("errno", text(self.errno().as_ref()));
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::explain(self, subject))
    }
}

impl Occurrence for ScopeMissing {
    fn is_failure(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        None
    }

    fn interface(&self) -> Option<&str> {
        None
    }

    fn fields(&self, take: Take<'_>) {
        take("operation", Field::Text(Operation::Connect.name()));
        take("destination", shown(&self.destination));
        take("port", self.port.into());
        take("protocol", self.protocol.into());
        take("errno", shown(&self.errno));
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::scope_missing(self, subject))
    }
}
