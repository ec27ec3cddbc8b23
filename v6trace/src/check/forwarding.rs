//! What a write of 1 to `net.ipv6.conf.all.forwarding` would take and give, told
//! before anybody makes it.
//!
//! The kernel then removes the default routes of router advertisements but for
//! interfaces with accept_ra = 2, and each interface that did not forward ignores
//! advertisements with accept_ra = 1 and owns the first address of each of its
//! prefixes.

use std::net::{IpAddr, Ipv6Addr};

use super::{Interface, Route, hazards, host::Place};
use crate::{
    explain::{Diagnosis, Value, named},
    families::{anycast, forwarding},
    ifa, prefix,
};

/// `RTPROT_RA`
const BY_ADVERTISEMENT: u8 = 9;
/// Prefixes of so many bits have no such address.
const POINT_TO_POINT: u8 = 127;
/// Routes and addresses that are named.
const NAMED: usize = 4;

/// What it would do to a namespace.
pub(super) fn would(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let hosts = place.snapshot.interfaces.iter();
    let hosts = hosts.filter(|host| host.ipv6.is_some_and(|ipv6| ipv6.forwarding == 0));
    hosts.flat_map(move |interface| {
        let owned = owned(place, interface).into_iter();
        lost(place, interface).into_iter().chain(owned)
    })
}

/// What an interface would lose that heeds advertisements so far.
fn lost(place: Place<'_>, interface: &Interface) -> Option<Diagnosis> {
    let ipv6 = interface.ipv6.filter(|ipv6| ipv6.accept_ra == 1)?;
    let routes = place.snapshot.routes.iter().flatten();
    let advertised = |route: &&Route| {
        route.is_default()
            && route.protocol == BY_ADVERTISEMENT
            && route.ifindex == Some(interface.ifindex)
    };
    let gateways: Vec<String> = routes
        .filter(advertised)
        .filter_map(|route| Some(route.gateway?.to_string()))
        .collect();
    let own = place.snapshot.own(interface.ifindex);
    let addresses: Vec<String> = own
        .filter(|(held, address)| {
            held.flags & ifa::PERMANENT == 0 && !address.is_unicast_link_local()
        })
        .map(|(held, address)| format!("{address}/{}", held.prefix_len))
        .collect();
    let name = &interface.name;
    let mut parts = Vec::new();
    if !gateways.is_empty() {
        let via = named(&gateways, NAMED);
        parts.push(format!("takes away its default route via {via} at once"));
    }
    if !addresses.is_empty() {
        let all = named(&addresses, NAMED);
        parts.push(format!("lets its addresses run out ({all})"));
    }
    if parts.is_empty() {
        return None;
    }
    let summary = format!(
        "1 written to net.ipv6.conf.all.forwarding has {name} ignore router advertisements from \
         then on (its accept_ra is 1), {}.",
        parts.join(", and ")
    );
    let found = place
        .finding(interface, forwarding::Cause::DefaultRoutePurged, summary)
        .with("forwarding", ipv6.forwarding)
        .with("accept_ra", ipv6.accept_ra)
        .with("gateways", list(&gateways))
        .with("addresses", list(&addresses));
    let before = place.site().set(name, "accept_ra", 2);
    // Programs may make such routes and addresses as well, and keep them.
    Some(
        found
            .likely()
            .fix(before.remark("before forwarding is written: all of that stays")),
    )
}

/// The addresses that the interface would answer for, where a neighbour has one of
/// them by which this host's routes go.
fn owned(place: Place<'_>, interface: &Interface) -> Vec<Diagnosis> {
    let mut firsts: Vec<Ipv6Addr> = Vec::new();
    for (held, address) in place.snapshot.own(interface.ifindex) {
        let first = prefix::masked(address, held.prefix_len);
        let has_one = held.prefix_len < POINT_TO_POINT
            && !address.is_unicast_link_local()
            && !first.is_unspecified();
        if has_one && !firsts.contains(&first) {
            firsts.push(first);
        }
    }
    let is_own = |first: &Ipv6Addr| {
        let mut own = place.snapshot.own(interface.ifindex);
        own.any(|(_, own)| own == *first)
    };
    let owned = firsts.into_iter().filter(|first| !is_own(first));
    let used = owned.filter_map(|first| {
        let routes = hazards::gateway_of(place, interface.ifindex, first);
        (!routes.is_empty()).then(|| {
            let name = &interface.name;
            let summary = format!(
                "1 written to net.ipv6.conf.all.forwarding has this host own {first} on {name} as \
                 an anycast address, and {} goes by way of it: a neighbour has that address as its \
                 own. {}",
                routes[0],
                hazards::kept(first)
            );
            let found = place.finding(interface, anycast::Cause::SubnetRouterAnycast, summary);
            let mut found = hazards::avoid(found, first, &routes);
            found.address = Some(IpAddr::V6(first));
            found
        })
    });
    used.collect()
}

fn list(texts: &[String]) -> Value {
    let texts = texts.iter().take(NAMED);
    Value::List(texts.map(|text| text.as_str().into()).collect())
}
