//! What source packets get that leave by IPv4 routes with IPv6 next hops: the kernel
//! is asked, as `ip route get` does, for a destination of each.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    route::{
        RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHop, RouteNextHopFlags,
        RouteType, RouteVia,
    },
};
use netlink_sys::protocols::NETLINK_ROUTE;

use crate::{
    check::{Choice, Sources},
    clock,
    families::source_selection::{Extent, Route, lookup::addresses_of},
    observe::{
        inside,
        links::{self, Link},
        netlink, routes,
    },
};

/// Next hops that the kernel is asked for.
const ASKED: usize = 64;
/// Destinations of a default route that are tried until one takes it: no other route is
/// likely to lead to what is for documentation alone (RFC 5737).
const ANYWHERE: [Ipv4Addr; 3] = [
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv4Addr::new(198, 51, 100, 1),
    Ipv4Addr::new(203, 0, 113, 1),
];

/// A next hop of a route, and the interface that it is on.
struct Hop {
    route: Route,
    ifindex: u32,
}

/// Those of the calling thread's namespace.
pub(super) fn look(netns: u32, links: &[Link]) -> io::Result<Sources> {
    let boot_ns = clock::boot_ns();
    let hops = hops()?;
    let chosen = hops.into_iter().filter_map(|hop| ask(&hop, links));
    let choices: Vec<Choice> = chosen.collect();
    let held = if choices.is_empty() {
        Vec::new()
    } else {
        inside::addresses()?
    };
    Ok(Sources {
        addresses: addresses_of(boot_ns, netns, links, &held),
        choices,
    })
}

/// One route of each next hop and table; a source depends on no more, where none is
/// named.
fn hops() -> io::Result<Vec<Hop>> {
    let mut request = RouteMessage::default();
    request.header.address_family = AddressFamily::Inet;
    let request = RouteNetlinkMessage::GetRoute(request);
    let mut known = HashSet::new();
    let mut last = None;
    let routes = netlink::dump(NETLINK_ROUTE, &request, |answer| {
        let RouteNetlinkMessage::NewRoute(message) = answer else {
            return None;
        };
        let mut hops = of(&message);
        // Several routes of one prefix follow each other.
        let key = hops.first().map(|hop| {
            let Route {
                prefix,
                table,
                metric,
                ..
            } = hop.route;
            (prefix, table, metric)
        });
        let again = key.is_some() && std::mem::replace(&mut last, key) == key;
        if again {
            for hop in &mut hops {
                hop.route.extent = Extent::More;
            }
        }
        hops.retain(|Hop { route, ifindex }| {
            let hop = (route.next_hop, *ifindex, route.table);
            route.prefsrc.is_none() && known.len() < ASKED && known.insert(hop)
        });
        (!hops.is_empty()).then_some(hops)
    })?;
    Ok(routes.into_iter().flatten().take(ASKED).collect())
}

/// The next hops of a route that are IPv6.
fn of(message: &RouteMessage) -> Vec<Hop> {
    let header = &message.header;
    if header.kind != RouteType::Unicast || header.tos != 0 {
        return Vec::new();
    }
    let mut route = Route {
        prefix: Some((Ipv4Addr::UNSPECIFIED, header.destination_prefix_length)),
        next_hop: Ipv6Addr::UNSPECIFIED,
        onlink: header.flags.contains(RouteFlags::Onlink),
        prefsrc: None,
        table: Some(header.table.into()),
        metric: 0,
        nexthop_id: None,
        extent: Extent::Plain,
        protocol: Some(header.protocol.into()),
    };
    let mut hops = Vec::new();
    let mut is_dead = header
        .flags
        .intersects(RouteFlags::Dead | RouteFlags::Linkdown);
    let mut ifindex = None;
    let mut next_hop = None;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(to)) => {
                route.prefix = Some((*to, header.destination_prefix_length));
            }
            RouteAttribute::Table(table) => route.table = Some(*table),
            RouteAttribute::Priority(metric) => route.metric = *metric,
            RouteAttribute::PrefSource(RouteAddress::Inet(source)) => route.prefsrc = Some(*source),
            RouteAttribute::NhId(id) => route.nexthop_id = Some(*id),
            RouteAttribute::Oif(index) => ifindex = Some(*index),
            RouteAttribute::Via(RouteVia::Inet6(via)) => next_hop = Some(*via),
            RouteAttribute::MultiPath(several) => {
                route.extent = Extent::SeveralNextHops;
                is_dead = false;
                hops.extend(several.iter().filter_map(one));
            }
            _ => route.extent = Extent::More,
        }
    }
    if let (Some(via), Some(ifindex), false) = (next_hop, ifindex, is_dead) {
        hops.push((via, ifindex));
    }
    let of_route = hops.into_iter().map(|(next_hop, ifindex)| Hop {
        route: Route {
            next_hop,
            ..route.clone()
        },
        ifindex,
    });
    of_route.collect()
}

/// One of several, where it works.
fn one(hop: &RouteNextHop) -> Option<(Ipv6Addr, u32)> {
    let dead = RouteNextHopFlags::Dead | RouteNextHopFlags::Linkdown;
    let via = via(&hop.attributes)?;
    (!hop.flags.intersects(dead)).then_some((via, hop.interface_index))
}

fn via(attributes: &[RouteAttribute]) -> Option<Ipv6Addr> {
    attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Via(RouteVia::Inet6(via)) => Some(*via),
        _ => None,
    })
}

/// Has the kernel look a destination up, and keeps what it says where that is by this
/// very next hop of this very route. What another route leads elsewhere is passed over,
/// and so are next hops in a VRF that it does not choose among several.
fn ask(hop: &Hop, links: &[Link]) -> Option<Choice> {
    let vrf = links::vrf_of(links, hop.route.table.unwrap_or_default());
    let vrf = vrf.map(|vrf| vrf.ifindex);
    // Of several next hops, that of the interface.
    let is_one_of_several = hop.route.extent == Extent::SeveralNextHops;
    let oif = vrf.or(is_one_of_several.then_some(hop.ifindex));
    let (to, length) = hop.route.prefix?;
    // Nothing in 0.0.0.0/8 can be looked up.
    let beyond = u32::from(to.is_unspecified()) << 24;
    let first = Ipv4Addr::from_bits(to.to_bits() | beyond | u32::from(length < 31));
    let destinations = if length == 0 { &ANYWHERE[..] } else { &[first] };
    let choices = destinations.iter().filter_map(|&to| chosen(hop, to, oif));
    choices.map(|choice| Choice { vrf, ..choice }).next()
}

/// What the kernel chooses for a destination; `None` where that leaves otherwise, or by
/// another route.
fn chosen(hop: &Hop, destination: Ipv4Addr, oif: Option<u32>) -> Option<Choice> {
    let looked_up = |flags| routes::look_up(IpAddr::V4(destination), oif, flags);
    let by = looked_up(RouteFlags::LookupTable | RouteFlags::FibMatch)?;
    let is_same = |other: &Hop| {
        let (own, other) = (&hop.route, &other.route);
        (own.prefix, own.table, own.metric) == (other.prefix, other.table, other.metric)
            && other.prefsrc.is_none()
    };
    if !of(&by).iter().any(is_same) {
        return None;
    }
    let answer = looked_up(RouteFlags::empty())?;
    let mut source = None;
    let mut leaves_by = None;
    for attribute in &answer.attributes {
        match attribute {
            RouteAttribute::Oif(ifindex) => leaves_by = Some(*ifindex),
            RouteAttribute::PrefSource(RouteAddress::Inet(address)) => source = Some(*address),
            _ => {}
        }
    }
    let is_by_it = answer.header.kind == RouteType::Unicast
        && via(&answer.attributes) == Some(hop.route.next_hop)
        && leaves_by == Some(hop.ifindex);
    is_by_it.then(|| Choice {
        route: hop.route.clone(),
        ifindex: hop.ifindex,
        vrf: None,
        destination,
        source,
    })
}
