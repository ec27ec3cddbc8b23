//! Anycast addresses that this host takes and gives up, or is refused.

mod causes;
mod decode;
mod explain;
#[cfg(feature = "live")]
pub(crate) mod lookup;
mod uses;

use v6trace_common::{Hook, families::forwarding};

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, shown, text},
};

pub use causes::Cause;
pub use decode::{AnycastChange, AnycastRequest, Requested, Trigger, Written};
pub(super) use explain::{PURGED, SOMEBODY, given_up, taken};
pub use uses::{Advertised, AnycastUse, Gone, Use, UseKind};

impl Occurrence for AnycastChange {
    fn is_failure(&self) -> bool {
        false
    }

    fn is_remarkable(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn part_of(&self) -> Option<Hook> {
        let is_part = self.trigger == Trigger::ForwardingChange && self.written.is_some();
        is_part.then_some(forwarding::WRITE)
    }

    fn fields(&self, take: Take<'_>) {
        let written = self.written.as_ref();
        take("address", shown(&self.address));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("joined", self.joined.into());
        take("trigger", self.trigger.name().into());
        take("written", written.map(Written::name).into());
        take("prefix_len", self.prefix_len.into());
        take("own_address", self.own_address.into());
        take("forwarding", self.forwarding.into());
        take("all_forwarding", self.all_forwarding.into());
        take("accept_ra", self.accept_ra.into());
        take("force_forwarding", self.force_forwarding.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::explain(self, subject)
    }
}

impl Occurrence for AnycastRequest {
    fn is_failure(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        Some(self.requested_ifindex).filter(|&ifindex| ifindex != 0)
    }

    fn interface(&self) -> Option<&str> {
        self.interface()
    }

    fn fields(&self, take: Take<'_>) {
        take("address", text(self.address.as_ref()));
        take("requested_ifindex", self.requested_ifindex.into());
        take("interface", self.interface().into());
        take("errno", text(self.errno.as_ref()));
        take("forwarding", self.forwarding().into());
        take("all_forwarding", self.all_forwarding.into());
        take("net_admin", self.net_admin.into());
        take("size", self.charge.size.into());
        take("sk_omem_alloc", self.charge.sk_omem_alloc.into());
        take("optmem_max", self.charge.optmem_max.into());
        take("socket", self.socket.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::request::explain(self, subject)
    }
}
