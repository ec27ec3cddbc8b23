//! Looks where an address is that a proxy is to answer for, and which interfaces have
//! something from router advertisements.

use std::net::IpAddr;

use crate::{
    clock,
    event::Event,
    families::neighbour::{Advertised, NeighbourProxyIdle},
    observe::{
        advertised,
        batch::Batch,
        enter,
        inside::{Inside, known},
        links::{self, Link},
        routes,
    },
};

/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;

/// Looks in the namespace of the proxy; `None` where that cannot be looked into.
pub(super) fn look(
    event: &Event,
    proxy: &NeighbourProxyIdle,
    batch: &mut Batch,
) -> Option<Advertised> {
    let paths = batch.paths_for(event);
    let routes = enter::within(event.netns, &paths, || {
        routes::list(|route| route.has(proxy.address) || advertised::is_advertised(route))
    });
    let routes = known("routes", routes)?;
    let inside = batch.inside_of(event)?;
    let links = &inside.links;
    let link = links::by_index(links, proxy.ifindex);
    let vrf = link.and_then(|link| links::master_of(links, link)?.vrf_table);
    let table = vrf.unwrap_or(MAIN);
    let ways = routes
        .iter()
        .filter(|route| route.table == table && route.has(proxy.address));
    let way = ways.max_by_key(|route| (route.prefix_len, u32::MAX - route.metric));
    let way = way.and_then(|route| links::by_index(links, route.ifindex?));
    Some(Advertised {
        boot_ns: clock::boot_ns(),
        netns: event.netns,
        is_own: is_own(inside, proxy, link),
        behind: way.map(|link| link.name.clone()),
        is_elsewhere: way.is_some_and(|link| link.ifindex != proxy.ifindex),
        interfaces: advertised::interfaces(inside, &routes),
    })
}

/// `ndisc_recv_ns` asks for an address of the interface, then of its VRF, then for
/// anycast.
fn is_own(inside: &Inside, proxy: &NeighbourProxyIdle, link: Option<&Link>) -> Option<bool> {
    let master = link.and_then(|link| links::master_of(&inside.links, link));
    let vrf = master.filter(|master| master.is_vrf);
    let mut held = inside.addresses.iter();
    let is_held = held.any(|held| {
        held.address == IpAddr::V6(proxy.address)
            && (held.ifindex == proxy.ifindex || Some(held.ifindex) == vrf.map(|vrf| vrf.ifindex))
    });
    if is_held {
        return Some(true);
    }
    let anycast = inside.anycast.as_ref()?;
    Some(anycast.contains(&(proxy.ifindex, proxy.address)))
}
