//! IPv4 sources of routes with IPv6 next hops (RFC 8950).

mod addresses;
mod causes;
mod decode;
mod explain;
#[cfg(feature = "live")]
pub(crate) mod lookup;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, shown, text},
};

pub use addresses::{Address, Addresses, Interface, LinkState};
pub use causes::Cause;
pub use decode::{Extent, L3mdev, Route, SourceSelection};
pub(crate) use explain::explain_state;

impl Occurrence for SourceSelection {
    fn is_failure(&self) -> bool {
        self.source.is_none()
    }

    fn is_remarkable(&self) -> bool {
        self.source.is_none() || self.is_borrowed() || self.by_gateway_bits
    }

    super::of_its_interface!();

    fn fields(&self, take: Take<'_>) {
        let route = &self.route;
        take("destination", shown(&self.destination));
        take("protocol", self.protocol.map(u32::from).into());
        take("next_hop", shown(&route.next_hop));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("source", text(self.source.as_ref()));
        take("on_interface", self.on_interface.into());
        take("by_gateway_bits", self.by_gateway_bits.into());
        take("prefsrc", text(route.prefsrc.as_ref()));
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::explain(self, subject)
    }
}
