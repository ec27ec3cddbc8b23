//! Routes that the kernel refuses to add, change or delete.
//!
//! ```text
//! RouteRefused -> request          the request's own bytes -> what was asked for
//! lookup       -> Paths            which routes and addresses there are beside it
//!              -> explain          by errno, by the kernel's words where it has any,
//!                                  and by what the interface says
//! ```

mod asked;
mod causes;
mod decode;
mod explain;
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
