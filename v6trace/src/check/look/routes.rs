//! The IPv6 routes of the calling thread's network namespace, and which the kernel takes
//! of those whose interface has no carrier.
//!
//! It is asked as `ip route get` does, and only where the answer matters: a host that does not
//! forward may probe routers meanwhile, as it does for any packet (RFC 4191, section 3.5).

use std::{
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::route::RouteFlags;

use crate::{
    check::{
        Route, Snapshot,
        routes::{ASKED, InVain},
    },
    observe::{
        links::{self, Link},
        routes,
    },
    prefix,
};

/// A prefix, and how many bits it has.
pub(super) type Prefix = (Ipv6Addr, u8);

/// `RTN_UNICAST`
const UNICAST: u8 = 1;
/// `RTN_LOCAL`
const LOCAL: u8 = 2;
/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;
/// Destinations of a default route that are tried until one takes it: no other route is
/// likely to lead to what is for documentation alone (RFC 3849, RFC 9637) or for benchmarks
/// (RFC 5180).
const ANYWHERE: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 1),
];

/// The routes that matter, those that lead out first; and the prefixes whose addresses are
/// all this host's, which nobody has on an interface (`ip route add local`).
pub(super) fn look() -> io::Result<(Vec<Route>, Vec<Prefix>)> {
    let all = routes::list(|route| {
        let matters = route.prefix_len <= Route::WIDE || route.gateway.is_some();
        route.kind == UNICAST && matters || route.kind == LOCAL && route.prefix_len < 128
    })?;
    let (own, led): (Vec<_>, Vec<_>) = all.into_iter().partition(|route| route.kind == LOCAL);
    let own = own.iter().map(|route| (route.prefix, route.prefix_len));
    let led = led.into_iter().map(|route| Route {
        prefix: route.prefix,
        prefix_len: route.prefix_len,
        of_sources: route.source.is_some(),
        table: route.table,
        protocol: route.protocol,
        metric: route.metric,
        gateway: route.gateway.filter(|to| *to != Ipv6Addr::UNSPECIFIED),
        ifindex: route.ifindex,
        is_dead: route.is_dead,
        is_linkdown: route.is_linkdown,
        is_chosen: false,
    });
    let mut led: Vec<Route> = led.collect();
    led.sort_by_key(|route| route.prefix_len.min(Route::WIDE + 1));
    Ok((led, own.collect()))
}

/// Marks the routes that the kernel takes though their interface has no carrier.
pub(super) fn choose(snapshot: &mut Snapshot, links: &[Link]) {
    let routes = snapshot.routes.iter().flatten().enumerate();
    let mut asked = routes.filter(|(_, route)| route.is_used_in_vain());
    let matter = asked.by_ref().take(ASKED);
    let matter = matter.filter(|(_, route)| InVain::of(snapshot, route).is_some());
    let chosen = matter.filter(|(_, route)| is_chosen(route, links));
    let chosen: Vec<usize> = chosen.map(|(at, _)| at).collect();
    let has_unasked = asked.next().is_some();
    snapshot.has_unasked = has_unasked;
    let routes = snapshot.routes.as_deref_mut().unwrap_or_default();
    for at in chosen {
        if let Some(route) = routes.get_mut(at) {
            route.is_chosen = true;
        }
    }
}

/// Whether the kernel takes this very route for one of its destinations. Tables that only
/// rules lead to are not looked up.
fn is_chosen(route: &Route, links: &[Link]) -> bool {
    let vrf = links::vrf_of(links, route.table).map(|vrf| vrf.ifindex);
    if route.table != MAIN && vrf.is_none() {
        return false;
    }
    let first = Ipv6Addr::from_bits(route.prefix.to_bits() | u128::from(route.prefix_len < 127));
    let is_within = |to: &&Ipv6Addr| prefix::has(route.prefix, route.prefix_len, **to);
    let anywhere = ANYWHERE.iter().filter(|_| route.is_way_out());
    let mut destinations: Vec<Ipv6Addr> = anywhere.filter(is_within).copied().collect();
    if destinations.is_empty() {
        destinations.push(first);
    }
    let is_it = |to: &Ipv6Addr| {
        let found = routes::look_up(IpAddr::V6(*to), vrf, RouteFlags::FibMatch);
        found.is_some_and(|found| {
            let found = routes::Route::new(&found);
            let is_same = (found.prefix, found.prefix_len, found.table, found.metric)
                == (route.prefix, route.prefix_len, route.table, route.metric);
            is_same && (found.gateway, found.ifindex) == (route.gateway, route.ifindex)
        })
    };
    destinations.iter().any(is_it)
}
