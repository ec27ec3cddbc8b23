//! The IPv6 routes of the calling thread's network namespace, over netlink, and what the
//! kernel finds for a destination.

use std::{
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHopFlags, RouteVia},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::netlink;
use crate::prefix;

/// A route, as netlink describes it.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) prefix: Ipv6Addr,
    pub(crate) prefix_len: u8,
    pub(crate) table: u32,
    /// `RTN_*`
    pub(crate) kind: u8,
    /// `RTPROT_*`
    pub(crate) protocol: u8,
    pub(crate) metric: u32,
    pub(crate) gateway: Option<Ipv6Addr>,
    /// The interface that it leaves by; `None` of several.
    pub(crate) ifindex: Option<u32>,
    /// How many next hops it has.
    pub(crate) hops: usize,
    /// Whether the kernel passes it over, since its interface is down or has no
    /// carrier that it would need (`RTNH_F_DEAD`).
    pub(crate) is_dead: bool,
    /// Whether none of its interfaces has a carrier (`RTNH_F_LINKDOWN`).
    pub(crate) is_linkdown: bool,
    /// The sources that it is for, and the bits of that; `None` for all (`RTA_SRC`).
    pub(crate) source: Option<(Ipv6Addr, u8)>,
    /// The source of what leaves by it, where it says.
    pub(crate) prefsrc: Option<Ipv6Addr>,
    /// The number of its nexthop object.
    pub(crate) nexthop_id: Option<u32>,
}

/// The routes that are wanted, of any table.
pub(crate) fn list(wanted: impl Fn(&Route) -> bool) -> io::Result<Vec<Route>> {
    let mut request = RouteMessage::default();
    request.header.address_family = AddressFamily::Inet6;
    let request = RouteNetlinkMessage::GetRoute(request);
    netlink::dump(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewRoute(route) => Some(Route::new(&route)).filter(&wanted),
        _ => None,
    })
}

/// What the kernel finds for a destination: the route that it makes of that; the one that
/// it took it from with [`RouteFlags::FibMatch`].
pub(crate) fn look_up(
    destination: IpAddr,
    oif: Option<u32>,
    flags: RouteFlags,
) -> Option<RouteMessage> {
    let mut request = RouteMessage::default();
    let (family, bits, to) = match destination {
        IpAddr::V4(to) => (AddressFamily::Inet, 32, RouteAddress::Inet(to)),
        IpAddr::V6(to) => (AddressFamily::Inet6, 128, RouteAddress::Inet6(to)),
    };
    request.header.address_family = family;
    request.header.destination_prefix_length = bits;
    request.header.flags = flags;
    request.attributes.push(RouteAttribute::Destination(to));
    request.attributes.extend(oif.map(RouteAttribute::Oif));
    match netlink::ask(NETLINK_ROUTE, RouteNetlinkMessage::GetRoute(request)) {
        Ok(RouteNetlinkMessage::NewRoute(answer)) => Some(answer),
        _ => None,
    }
}

impl Route {
    pub(crate) fn new(message: &RouteMessage) -> Self {
        let header = &message.header;
        let mut route = Self {
            prefix: Ipv6Addr::UNSPECIFIED,
            prefix_len: header.destination_prefix_length,
            table: header.table.into(),
            kind: header.kind.into(),
            protocol: header.protocol.into(),
            metric: 0,
            gateway: None,
            ifindex: None,
            hops: 1,
            is_dead: header.flags.contains(RouteFlags::Dead),
            is_linkdown: header.flags.contains(RouteFlags::Linkdown),
            source: (header.source_prefix_length != 0)
                .then_some((Ipv6Addr::UNSPECIFIED, header.source_prefix_length)),
            prefsrc: None,
            nexthop_id: None,
        };
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(RouteAddress::Inet6(address)) => {
                    route.prefix = *address;
                }
                RouteAttribute::Source(RouteAddress::Inet6(address)) => {
                    route.source = route.source.map(|(_, bits)| (*address, bits));
                }
                RouteAttribute::PrefSource(RouteAddress::Inet6(address)) => {
                    route.prefsrc = Some(*address);
                }
                RouteAttribute::NhId(id) => route.nexthop_id = Some(*id),
                RouteAttribute::Table(number) => route.table = *number,
                RouteAttribute::Priority(metric) => route.metric = *metric,
                RouteAttribute::Oif(ifindex) => route.ifindex = Some(*ifindex),
                RouteAttribute::Gateway(RouteAddress::Inet6(address))
                | RouteAttribute::Via(RouteVia::Inet6(address)) => route.gateway = Some(*address),
                RouteAttribute::MultiPath(hops) => {
                    route.hops = hops.len();
                    route.ifindex = match &hops[..] {
                        [hop] => Some(hop.interface_index),
                        _ => None,
                    };
                    let all_are = |flag| hops.iter().all(|hop| hop.flags.contains(flag));
                    route.is_dead = all_are(RouteNextHopFlags::Dead);
                    route.is_linkdown = all_are(RouteNextHopFlags::Linkdown);
                }
                _ => {}
            }
        }
        route
    }

    /// Whether its prefix has the address.
    pub(crate) fn has(&self, address: Ipv6Addr) -> bool {
        prefix::has(self.prefix, self.prefix_len, address)
    }
}
