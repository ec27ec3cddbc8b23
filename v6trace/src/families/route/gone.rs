//! Routes that the kernel removed by itself, or whose source went.

use std::net::{IpAddr, Ipv6Addr};

use v6trace_common::families::route as wire;

use crate::{
    event::{Name, name},
    families::Decode,
};

/// Routes of an interface that went for one reason.
#[derive(Clone, Debug, PartialEq)]
pub struct RoutesGone {
    /// Why.
    pub reason: Reason,
    /// The first of them, a default route ahead of all others.
    pub routes: Vec<GoneRoute>,
    /// How many went.
    pub count: u32,
    /// How many of them were default routes.
    pub default_count: u32,
    /// When the first of them went, nanoseconds since boot.
    pub first_boot_ns: u64,
    /// The interface that they led by.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// `net.ipv6.conf.IF.forwarding`
    pub forwarding: Option<i32>,
    /// `net.ipv6.conf.IF.accept_ra`
    pub accept_ra: Option<i32>,
    /// `net.ipv6.conf.IF.accept_ra_defrtr`
    pub accept_ra_defrtr: Option<i32>,
    /// Routes of the interface that went before, and were not reported.
    pub suppressed: u32,
}

/// Why routes went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Their lifetime ran out.
    Expired,
    /// A message of neighbour discovery took them away.
    Message {
        /// Its `ICMPv6` type.
        kind: u32,
        /// The router lifetime in it, of a router advertisement.
        router_lifetime: u32,
        /// The index of the interface that it came in by, where known.
        ifindex: Option<u32>,
        /// The name of that.
        interface: Name,
    },
    /// Their nexthop object went with the interface's carrier.
    Carrier,
    /// Their nexthop object went as the interface was set down.
    Down,
    /// The address that was their source went: of IPv6 they stay, and have none.
    Source(IpAddr),
    /// Their interface lost its carrier, and they are one of several next hops each:
    /// `net.ipv6.conf.IF.ignore_routes_with_linkdown`.
    Hop(Option<i32>),
    /// A number that this version does not know.
    Unknown,
}

/// A route that went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoneRoute {
    /// Its destination.
    pub destination: IpAddr,
    /// Bits of that.
    pub prefix_len: u32,
    /// Its gateway, if it had one.
    pub gateway: Option<Ipv6Addr>,
    /// Who made it (`RTPROT_*`).
    pub protocol: u8,
    /// Its table, where known.
    pub table: Option<u32>,
    /// Its metric.
    pub metric: u32,
    /// `RTF_*`
    pub flags: u32,
    /// The number of its nexthop object, if it had one.
    pub nexthop_id: Option<u32>,
    /// The number of the last nexthop object in that, if it was a group.
    pub member_id: Option<u32>,
    /// How many next hops it has beside this one.
    pub siblings: u32,
}

impl Reason {
    /// Its name in `--events`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Message { .. } => "message",
            Self::Carrier => "carrier",
            Self::Down => "down",
            Self::Source(_) => "source",
            Self::Hop(_) => "hop",
            Self::Unknown => "unknown",
        }
    }
}

impl RoutesGone {
    /// Whether they are not there any more.
    pub fn went(&self) -> bool {
        match &self.reason {
            Reason::Source(source) => source.is_ipv4(),
            Reason::Hop(_) => false,
            _ => true,
        }
    }

    /// A default route among them.
    pub fn default_route(&self) -> Option<&GoneRoute> {
        self.routes.first().filter(|_| self.default_count > 0)
    }
}

impl Decode for RoutesGone {
    type Wire = wire::RoutesGone;

    fn from_wire(wire: &Self::Wire) -> Self {
        let of_others = wire.count.saturating_sub(wire.default_count);
        let of_others = usize::try_from(of_others).unwrap_or(usize::MAX);
        let default_route = (wire.default_count > 0).then_some(&wire.default_route);
        let routes = wire.routes.iter().take(of_others);
        let route = |one: &wire::GoneRoute| route(one, wire.family);
        Self {
            reason: match wire.reason {
                wire::GONE_EXPIRED => Reason::Expired,
                wire::GONE_BY_MESSAGE => Reason::Message {
                    kind: wire.message,
                    router_lifetime: wire.router_lifetime,
                    ifindex: (wire.message_ifindex != 0).then_some(wire.message_ifindex),
                    interface: name(&wire.message_interface),
                },
                wire::GONE_WITH_CARRIER => Reason::Carrier,
                wire::GONE_WITH_DOWN => Reason::Down,
                wire::GONE_HOP => {
                    Reason::Hop((wire.ignore_linkdown >= 0).then_some(wire.ignore_linkdown))
                }
                wire::GONE_SOURCE => Reason::Source(address(wire.source, wire.family)),
                _ => Reason::Unknown,
            },
            routes: default_route.into_iter().chain(routes).map(route).collect(),
            count: wire.count,
            default_count: wire.default_count,
            first_boot_ns: wire.first_boot_ns,
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            forwarding: (wire.forwarding >= 0).then_some(wire.forwarding),
            accept_ra: (wire.accept_ra >= 0).then_some(wire.accept_ra),
            accept_ra_defrtr: (wire.accept_ra_defrtr >= 0).then_some(wire.accept_ra_defrtr),
            suppressed: wire.suppressed,
        }
    }
}

/// An address as records have those of either protocol.
fn address(bytes: [u8; 16], family: u32) -> IpAddr {
    let address = Ipv6Addr::from(bytes);
    match address.to_ipv4_mapped() {
        Some(address) if family == wire::IPV4 => address.into(),
        _ => address.into(),
    }
}

fn route(wire: &wire::GoneRoute, family: u32) -> GoneRoute {
    let gateway = Ipv6Addr::from(wire.gateway);
    GoneRoute {
        destination: address(wire.destination, family),
        prefix_len: wire.prefix_len,
        gateway: (!gateway.is_unspecified()).then_some(gateway),
        // The kernel has it in a byte.
        protocol: u8::try_from(wire.route_protocol).unwrap_or(0),
        table: (wire.table != 0).then_some(wire.table),
        metric: wire.metric,
        flags: wire.route_flags,
        nexthop_id: (wire.nexthop_id != 0).then_some(wire.nexthop_id),
        member_id: (wire.member_id != 0).then_some(wire.member_id),
        siblings: wire.siblings,
    }
}
