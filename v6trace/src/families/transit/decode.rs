//! Packets for other hosts that were not passed on.

use std::net::Ipv6Addr;

use v6trace_common::families::transit as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::Decode,
    frame::Mac,
};

/// A packet that came in for another host.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
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
    /// Its length, with the header.
    pub length: u32,
    /// Its hop limit as it came in.
    pub hop_limit: u32,
    /// What follows its header (`IPPROTO_*`).
    pub next_header: u32,
}

impl From<&wire::Packet> for Packet {
    fn from(wire: &wire::Packet) -> Self {
        let has_way = wire.out_ifindex != 0;
        let gateway = Ipv6Addr::from(wire.gateway);
        Self {
            source: wire.source.into(),
            destination: wire.destination.into(),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            mac: mac(wire.lladdr, wire.lladdr_len),
            out_interface: has_way.then(|| name(&wire.out_interface)),
            out_ifindex: has_way.then_some(wire.out_ifindex),
            gateway: (has_way && !gateway.is_unspecified()).then_some(gateway),
            length: wire.length,
            hop_limit: wire.hop_limit,
            next_header: wire.next_header,
        }
    }
}

impl Packet {
    /// Whether its way leads back to the link that it came from. That of a tunnel is none
    /// on which its nodes reach each other.
    pub(super) fn leads_back(&self) -> bool {
        self.out_ifindex == Some(self.ifindex) && self.mac.is_some()
    }
}

/// A packet that came in for another host, while this one does not forward.
#[derive(Clone, Debug, PartialEq)]
pub struct NotForwarded {
    /// What came in.
    pub packet: Packet,
    /// `net.ipv6.conf.IF.forwarding` of the interface by which it came in.
    pub forwarding: Option<i32>,
    /// `net.ipv6.conf.IF.force_forwarding` of the same, where the kernel has that.
    pub force_forwarding: Option<i32>,
    /// Such packets that were not reported since the last report.
    pub suppressed: u32,
}

impl Decode for NotForwarded {
    type Wire = wire::NotForwarded;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            packet: Packet::from(&wire.packet),
            forwarding: (wire.forwarding >= 0).then_some(wire.forwarding),
            force_forwarding: (wire.force_forwarding >= 0).then_some(wire.force_forwarding),
            suppressed: wire.suppressed,
        }
    }
}

/// A packet that came in and was dropped, whose sender was to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct PacketDropped {
    /// What came in; to where that came from the error is to go.
    pub packet: Packet,
    /// Its own ICMPv6 type.
    pub inner_type: Option<i32>,
    /// The type of the error.
    pub message_type: u32,
    /// Its code.
    pub code: u32,
    /// The MTU in it.
    pub mtu: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether errors of this type have a rate limit.
    pub is_limited: Option<bool>,
    /// Such packets that were not reported since the last report.
    pub suppressed: u32,
}

/// What became of an ICMPv6 error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was sent.
    Told,
    /// There is no way to the sender.
    NotRouted(Errno),
    /// It did not get as far as looking for a way.
    NotLookedUp,
    /// There is a way, and it was not sent all the same.
    NotSent,
    /// A number that this version does not know.
    Unknown,
}

impl Outcome {
    /// Its name in `--events`, where that does not hang on what was watched.
    pub(super) const fn seen(self) -> Option<&'static str> {
        match self {
            Self::Told | Self::NotRouted(_) => Some(self.name()),
            Self::NotLookedUp | Self::NotSent | Self::Unknown => None,
        }
    }

    /// Its name in the evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Told => "sent",
            Self::NotRouted(_) => "no-way",
            Self::NotLookedUp => "held-back",
            Self::NotSent => "not-sent",
            Self::Unknown => "unknown",
        }
    }
}

impl Decode for PacketDropped {
    type Wire = wire::PacketDropped;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            packet: Packet::from(&wire.packet),
            inner_type: (wire.inner_type >= 0).then_some(wire.inner_type),
            message_type: wire.message_type,
            code: wire.code,
            mtu: wire.mtu,
            outcome: match wire.told {
                wire::TOLD => Outcome::Told,
                wire::NOT_ROUTED => Outcome::NotRouted(Errno(wire.ret.saturating_neg())),
                wire::NOT_LOOKED_UP => Outcome::NotLookedUp,
                wire::NOT_SENT => Outcome::NotSent,
                _ => Outcome::Unknown,
            },
            is_limited: (wire.limited >= 0).then_some(wire.limited == 1),
            suppressed: wire.suppressed,
        }
    }
}

/// An Ethernet address, where it is one.
fn mac(bytes: [u8; wire::LLADDR_LEN], length: u32) -> Option<Mac> {
    let mac = <[u8; 6]>::try_from(&bytes[..6]).ok().map(Mac);
    mac.filter(|_| length == 6)
}
