//! Routes that the kernel refuses to add, change or delete, and those that it removes, or
//! takes something from, by itself.
//!
//! ```text
//! RouteRefused -> request          the request's own bytes -> what was asked for
//! lookup       -> Paths            which routes and addresses there are beside it
//!              -> explain          by errno, by the kernel's words where it has any,
//!                                  and by what the interface says
//! RoutesGone   -> lookup, explain  by the reason that the kernel side saw, and by which
//!                                  default routes are left
//! ```

mod asked;
mod causes;
mod decode;
mod explain;
mod gone;
#[cfg(feature = "live")]
pub(crate) mod lookup;
mod paths;
mod request;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Field, Take, shown, text},
};

pub use causes::Cause;
pub use decode::{Operation, RouteRefused};
pub use gone::{GoneRoute, Reason, RoutesGone};
pub use paths::{Interface, Known, Paths};
pub use request::{Hop, Request};

impl Operation {
    /// Its name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "route-add",
            Self::Delete => "route-delete",
        }
    }
}

impl Occurrence for RouteRefused {
    fn is_failure(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        self.ifindex
    }

    fn interface(&self) -> Option<&str> {
        self.device.name()
    }

    fn fields(&self, take: Take<'_>) {
        let words = self
            .request
            .as_ref()
            .map(|request| request.words(&|_| None));
        take("operation", Field::Text(self.operation.name()));
        take("request", text(words.as_ref()));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface().into());
        take("extack", self.said.as_deref().into());
        take("errno", shown(&self.errno));
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::explain(self, subject)
    }
}

impl Occurrence for RoutesGone {
    fn is_failure(&self) -> bool {
        false
    }

    fn is_remarkable(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn fields(&self, take: Take<'_>) {
        take("reason", Field::Text(self.reason.name()));
        take("count", self.count.into());
        take("default_routes", self.default_count.into());
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("forwarding", self.forwarding.into());
        take("accept_ra", self.accept_ra.into());
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::gone(self, subject)
    }
}
