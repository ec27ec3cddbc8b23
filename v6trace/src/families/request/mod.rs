//! Requests over netlink that the kernel refuses, and that no other family has judged.
//!
//! ```text
//! RequestRefused -> asked          the request's own bytes -> what was asked for
//!                -> explain        by the sort of request and the errno, and by the
//!                                  kernel's words where it has any
//! ```

mod asked;
mod causes;
mod decode;
mod explain;

use super::Occurrence;
use crate::{
    event::Name,
    explain::{Diagnosis, Subject},
    field::{Field, Take, shown},
};

pub use asked::{Asked, Deed, Entry, What};
pub use causes::Cause;
pub use decode::RequestRefused;

impl RequestRefused {
    /// The name of the operation in the output.
    pub const fn operation(&self) -> &'static str {
        match (self.what, self.deed) {
            (What::Settings, _) => "interface-settings",
            (What::Address, Deed::Delete) => "address-delete",
            (What::Address, _) => "address-add",
            (What::Route, Deed::Delete) => "route-delete",
            (What::Route, _) => "route-add",
            (What::Way, _) => "route-get",
            (What::Neighbour, Deed::Delete) => "neighbour-delete",
            (What::Neighbour, _) => "neighbour-add",
            (What::Rule, Deed::Delete) => "rule-delete",
            (What::Rule, _) => "rule-add",
            (What::Label, Deed::Delete) => "address-label-delete",
            (What::Label, _) => "address-label-add",
            (What::NextHop, Deed::Delete) => "nexthop-delete",
            (What::NextHop, _) => "nexthop-add",
            (What::Other, _) => "request",
        }
    }
}

impl Occurrence for RequestRefused {
    fn is_failure(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        self.ifindex
    }

    fn interface(&self) -> Option<&str> {
        let by_index = self.device.found().map(Name::as_str);
        by_index.or_else(|| self.asked.as_ref()?.interface.as_deref())
    }

    fn fields(&self, take: Take<'_>) {
        let words = self.asked.as_ref().map(|asked| asked.words.as_str());
        take("operation", Field::Text(self.operation()));
        take("request", words.into());
        take("ifindex", self.ifindex.into());
        take("interface", self.interface().into());
        take("extack", self.said.as_deref().into());
        take("attribute", self.attribute.as_deref().into());
        take("errno", shown(&self.errno));
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::explain(self, subject)
    }
}
