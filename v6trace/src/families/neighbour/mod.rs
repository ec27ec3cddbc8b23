//! Neighbours that get no entry in the table of all namespaces, or do not answer; and
//! proxies that may not.
//!
//! ```text
//! NeighbourTableFull -> TableUse (which namespace has how many) -> explain::full
//! NeighbourSilent    -> Beside (routes by it, others on the link) -> explain::silent
//! NeighbourProxyIdle -> Advertised (where it is, what forwarding takes) -> explain::proxy
//! ```

mod advertised;
mod beside;
mod causes;
mod decode;
mod earlier;
mod explain;
#[cfg(feature = "live")]
pub(crate) mod lookup;
mod table;

use std::net::IpAddr;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, shown, text},
};

pub use advertised::Advertised;
pub use beside::{Beside, Holder, LinkState, Others, Route, Snooping};
pub use causes::Cause;
pub use decode::{Answer, NeighbourProxyIdle, NeighbourSilent, NeighbourTableFull};
pub use earlier::Earlier;
pub(crate) use explain::Idle;
pub use table::{Counts, Share, TableUse};

impl Occurrence for NeighbourTableFull {
    fn is_failure(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn fields(&self, take: Take<'_>) {
        take("address", shown(&self.address));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("gc_entries", self.entries.into());
        take("gc_thresh3", self.thresholds[2].into());
        take("suppressed", self.suppressed.into());
        take("errno", shown(&self.errno));
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::full(self, subject))
    }
}

impl Occurrence for NeighbourSilent {
    fn is_failure(&self) -> bool {
        false
    }

    fn is_remarkable(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn host(&self) -> Option<IpAddr> {
        let waited = self.last_waiting.map(|(_, to)| to);
        Some(waited.unwrap_or(IpAddr::V6(self.address)))
    }

    fn fields(&self, take: Take<'_>) {
        take("address", shown(&self.address));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("nud_state", self.state().into());
        take("lladdr", text(self.mac.as_ref()));
        take("router", self.is_router.into());
        take("solicitations", self.sent.into());
        take("waiting", self.waiting.into());
        let to = self.last_waiting.map(|(_, to)| to);
        take("waiting_for", text(to.as_ref()));
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::silent(self, subject)
    }
}

impl Occurrence for NeighbourProxyIdle {
    fn is_failure(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn fields(&self, take: Take<'_>) {
        take("address", shown(&self.address));
        take("source", shown(&self.source));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("forwarding", self.forwarding.into());
        take("proxy_ndp", self.proxy_ndp.into());
        take("all_proxy_ndp", self.all_proxy_ndp.into());
        take("all_forwarding", self.all_forwarding.into());
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::proxy(self, subject)
    }
}
