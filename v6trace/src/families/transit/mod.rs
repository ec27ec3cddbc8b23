//! Packets for other hosts that reach this one, and are not passed on.
//!
//! ```text
//! NotForwarded  -> Onward (whether the destination is an own address, and what
//!                  forwarding would take away) -> explain
//! PacketDropped -> explain: what became of the ICMPv6 error about it
//! ```

mod causes;
mod decode;
mod explain;
#[cfg(feature = "live")]
pub(crate) mod lookup;
mod onward;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, shown, text},
};

pub use causes::Cause;
pub use decode::{NotForwarded, Outcome, Packet, PacketDropped};
pub use onward::Onward;

impl Packet {
    fn fields(&self, take: Take<'_>) {
        take("source", shown(&self.source));
        take("destination", shown(&self.destination));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("mac", text(self.mac.as_ref()));
        take("out_interface", text(self.out_interface.as_ref()));
        take("gateway", text(self.gateway.as_ref()));
        take("hop_limit", self.hop_limit.into());
        take("next_header", self.next_header.into());
        take("length", self.length.into());
    }
}

impl Occurrence for NotForwarded {
    fn is_failure(&self) -> bool {
        true
    }

    super::of_its_interface!(packet);

    fn fields(&self, take: Take<'_>) {
        self.packet.fields(take);
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::not_forwarded(self, subject)
    }
}

impl Occurrence for PacketDropped {
    fn is_failure(&self) -> bool {
        self.outcome != Outcome::Told
    }

    fn is_remarkable(&self) -> bool {
        true
    }

    super::of_its_interface!(packet);

    fn fields(&self, take: Take<'_>) {
        self.packet.fields(take);
        take("icmpv6_type", self.message_type.into());
        take("icmpv6_code", self.code.into());
        take("told", text(self.outcome.seen().as_ref()));
        take("mtu", self.mtu.into());
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::dropped(self, subject)
    }
}
