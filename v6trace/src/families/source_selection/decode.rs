//! The choice of an IPv4 source for a route with an IPv6 next hop.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use v6trace_common::families::source_selection as wire;

use crate::{
    event::{Name, name},
    families::Decode,
};

/// `RTNH_F_ONLINK`
const ONLINK: u8 = 4;

/// A lookup of an IPv4 route that chose a source, or found none.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSelection {
    /// Where the packet goes.
    pub destination: Ipv4Addr,
    /// The packet's IP protocol, where known.
    pub protocol: Option<u8>,
    /// The source that was chosen; `None` where none was found.
    pub source: Option<Ipv4Addr>,
    /// Whether the source is one of the interface's own addresses. `None`
    /// where not all of those were compared.
    pub on_interface: Option<bool>,
    /// Whether it was chosen before an earlier address of the interface since
    /// the next hop's first 32 bits, taken for an IPv4 address, lie in its
    /// subnet.
    pub by_gateway_bits: bool,
    /// The route that was taken.
    pub route: Route,
    /// The interface that the next hop is on.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// Index of the interface that the packet is bound to; `None` without.
    pub oif: Option<u32>,
    /// In which VRF was looked.
    pub l3mdev: L3mdev,
    /// Lookups like this one that were not reported since the last that was.
    pub suppressed: u64,
}

/// What an IPv4 route says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its destination and prefix length.
    pub prefix: Option<(Ipv4Addr, u8)>,
    /// The IPv6 next hop that was chosen.
    pub next_hop: Ipv6Addr,
    /// Whether that is declared to be on the link.
    pub onlink: bool,
    /// Its own source address.
    pub prefsrc: Option<Ipv4Addr>,
    /// Its table, where known.
    pub table: Option<u32>,
    /// Its metric.
    pub metric: u32,
    /// Its nexthop object's id.
    pub nexthop_id: Option<u32>,
    /// What there is to it beside that.
    pub extent: Extent,
    /// Who made it (`RTPROT_*`), where known.
    pub protocol: Option<u8>,
}

/// What a route has beside its prefix, metric and next hop, and so what a change
/// of it must heed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Nothing.
    Plain,
    /// Metrics, an encapsulation or the like, or another route of its prefix,
    /// table and metric; or that could not be read.
    More,
    /// It has several next hops of its own.
    SeveralNextHops,
}

/// The VRF of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L3mdev {
    /// Its interface index.
    In(u32),
    /// In none.
    None,
    /// This kernel's lookups do not say.
    Unknown,
}

impl Decode for SourceSelection {
    type Wire = wire::SourceSelection;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.flags & flag != 0;
        let address = |bytes: [u8; 4]| {
            Some(Ipv4Addr::from(bytes)).filter(|address| !address.is_unspecified())
        };
        let number = |number: u32| Some(number).filter(|&number| number != 0);
        Self {
            destination: wire.destination.into(),
            protocol: Some(wire.protocol).filter(|&protocol| protocol != 0),
            source: address(wire.source),
            on_interface: if has(wire::MORE_ADDRESSES) {
                None
            } else {
                Some(has(wire::ON_INTERFACE))
            },
            by_gateway_bits: has(wire::BY_GATEWAY_BITS),
            route: Route {
                prefix: has(wire::PREFIX_READ)
                    .then(|| (Ipv4Addr::from(wire.prefix), wire.prefix_len)),
                next_hop: wire.next_hop.into(),
                onlink: wire.next_hop_flags & ONLINK != 0,
                prefsrc: address(wire.prefsrc),
                table: number(wire.table),
                metric: wire.metric,
                nexthop_id: number(wire.nexthop_id),
                extent: if has(wire::SEVERAL_NEXT_HOPS) {
                    Extent::SeveralNextHops
                } else if has(wire::NO_OPTIONS) && has(wire::ONLY_ROUTE) {
                    Extent::Plain
                } else {
                    Extent::More
                },
                protocol: Some(wire.route_protocol).filter(|&protocol| protocol != 0),
            },
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            oif: number(wire.oif),
            l3mdev: match wire.l3mdev {
                _ if !has(wire::L3MDEV_READ) => L3mdev::Unknown,
                0 => L3mdev::None,
                ifindex => L3mdev::In(ifindex),
            },
            suppressed: wire.suppressed,
        }
    }
}

impl SourceSelection {
    /// Whether the source is the one that the route names.
    pub fn has_prefsrc(&self) -> bool {
        self.source.is_some() && self.source == self.route.prefsrc
    }

    /// Whether the source belongs to another interface and the route does not
    /// ask for it.
    pub fn is_borrowed(&self) -> bool {
        self.source.is_some() && !self.has_prefsrc() && self.on_interface == Some(false)
    }
}
