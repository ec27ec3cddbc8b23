//! A packet for another host that was not passed on.

use std::net::Ipv6Addr;

use v6trace_common::families::transit as wire;

use crate::{
    event::{Name, name},
    families::Decode,
    frame::Mac,
};

/// A packet that came in for another host, while this one does not forward.
#[derive(Clone, Debug, PartialEq)]
pub struct NotForwarded {
    /// Where it came from.
    pub source: Ipv6Addr,
    /// Where it was to go.
    pub destination: Ipv6Addr,
    /// The interface by which it came in.
    pub interface: Name,
    /// The index of that.
    pub ifindex: u32,
    /// Who put it on that link.
    pub mac: Option<Mac>,
    /// The interface by which it would have gone on.
    pub out_interface: Option<Name>,
    /// The index of that.
    pub out_ifindex: Option<u32>,
    /// The gateway of the route for it.
    pub gateway: Option<Ipv6Addr>,
    /// `net.ipv6.conf.IF.forwarding` of the interface by which it came in.
    pub forwarding: Option<i32>,
    /// `net.ipv6.conf.IF.force_forwarding` of the same, where the kernel has that.
    pub force_forwarding: Option<i32>,
    /// Its length, with the header.
    pub length: u32,
    /// Its hop limit as it came in.
    pub hop_limit: u32,
    /// What follows its header (`IPPROTO_*`).
    pub next_header: u32,
    /// Such packets that were not reported since the last report.
    pub suppressed: u32,
}

impl Decode for NotForwarded {
    type Wire = wire::NotForwarded;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has_way = wire.out_ifindex != 0;
        let gateway = Ipv6Addr::from(wire.gateway);
        let mac = <[u8; 6]>::try_from(&wire.lladdr[..6]).ok().map(Mac);
        Self {
            source: wire.source.into(),
            destination: wire.destination.into(),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            mac: mac.filter(|_| wire.lladdr_len == 6),
            out_interface: has_way.then(|| name(&wire.out_interface)),
            out_ifindex: has_way.then_some(wire.out_ifindex),
            gateway: (has_way && !gateway.is_unspecified()).then_some(gateway),
            forwarding: (wire.forwarding >= 0).then_some(wire.forwarding),
            force_forwarding: (wire.force_forwarding >= 0).then_some(wire.force_forwarding),
            length: wire.length,
            hop_limit: wire.hop_limit,
            next_header: wire.next_header,
            suppressed: wire.suppressed,
        }
    }
}

impl NotForwarded {
    /// Whether its way leads back to the link that it came from. That of a tunnel is none
    /// on which its nodes reach each other.
    pub(super) fn leads_back(&self) -> bool {
        self.out_ifindex == Some(self.ifindex) && self.mac.is_some()
    }
}
