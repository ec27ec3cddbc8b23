//! Interfaces that ignore router advertisements which come in, and lack what these
//! would bring.

use super::{Interface, Ipv6, Route, host::Place};
use crate::{
    catalogue::Severity,
    explain::Diagnosis,
    families::advertisement::{DefaultRoute, Standing, ignores},
};

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let interfaces = place.snapshot.interfaces.iter();
    interfaces.filter_map(move |interface| ignored(place, interface, interface.ipv6?))
}

/// Whoever neither has an address nor a default route by the interface misses what it
/// ignores. Not so a port of a bridge, and an interface of a namespace that has a default
/// route by another: a router hears others, on links that have no address but
/// link-local ones as well. Nor is anything said where some program may take
/// advertisements itself.
fn ignored(place: Place<'_>, interface: &Interface, ipv6: Ipv6) -> Option<Diagnosis> {
    let advertisements = ipv6.advertisements.filter(|&count| count > 0)?;
    let takers = place.snapshot.raw_icmpv6;
    let is_other = !interface.is_up() || ipv6.disable_ipv6 != 0 || place.is_port(interface);
    if is_other || takers != Some(0) || has_way_out(place) {
        return None;
    }
    let standing = standing(place, interface);
    if standing.has_any() != Some(false) {
        return None;
    }
    let settings = (ipv6.forwarding, ipv6.accept_ra);
    let mut found = ignores(
        &interface.name,
        settings,
        &standing,
        place.site(),
        |cause, why| {
            let name = &interface.name;
            let summary = format!("{why} {advertisements} came in since {name} has IPv6.");
            place.finding(interface, cause, summary)
        },
    )?
    .with("advertisements", advertisements)
    .with("raw_sockets", takers);
    if ipv6.accept_ra == 0 {
        // Somebody set it so.
        found.severity = Severity::Notice;
    }
    Some(found)
}

/// Whether there is a default route, or what stands for one; one that is not listed may be.
pub(super) fn has_way_out(place: Place<'_>) -> bool {
    let routes = place.snapshot.routes.as_ref();
    let routes = routes.filter(|_| !place.snapshot.cut);
    routes.is_none_or(|routes| routes.iter().any(Route::is_way_out))
}

/// What the interface has, from whomever.
fn standing(place: Place<'_>, interface: &Interface) -> Standing {
    let snapshot = place.snapshot;
    let own = snapshot.own(interface.ifindex);
    let own = own.filter(|(_, address)| !address.is_unicast_link_local());
    let routes = snapshot.routes.as_ref().filter(|_| !snapshot.cut);
    let by_it = |route: &&Route| route.is_default() && route.ifindex == Some(interface.ifindex);
    let default_routes = routes.map(|routes| {
        let routes = routes.iter().filter(by_it);
        let routes = routes.map(|route| DefaultRoute {
            gateway: route.gateway,
            protocol: route.protocol,
        });
        routes.collect()
    });
    let master = interface
        .master
        .and_then(|master| snapshot.interface(master));
    Standing {
        boot_ns: snapshot.boot_ns,
        netns: snapshot.netns,
        ifindex: interface.ifindex,
        addresses: own
            .map(|(held, address)| (address, held.prefix_len))
            .collect(),
        default_routes,
        master: master.map(|master| master.name.clone()),
        taker: None,
    }
}
