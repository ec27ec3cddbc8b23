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

/// A router that hears others is none that misses anything: it has addresses. Who
/// neither has an address nor a default route by the interface does, unless some
/// program takes advertisements itself. A link between routers has neither, and routes
/// lead by it nevertheless.
fn ignored(place: Place<'_>, interface: &Interface, ipv6: Ipv6) -> Option<Diagnosis> {
    let advertisements = ipv6.advertisements.filter(|&count| count > 0)?;
    if !interface.is_up() || ipv6.disable_ipv6 != 0 {
        return None;
    }
    let standing = standing(place, interface);
    if standing.has_any() != Some(false) || leads_on(place, interface) {
        return None;
    }
    let settings = (ipv6.forwarding, ipv6.accept_ra);
    let raw = place.snapshot.raw_icmpv6;
    let mut found = ignores(
        &interface.name,
        settings,
        &standing,
        place.site(),
        |cause, why| {
            let theirs = if raw == Some(0) {
                ""
            } else {
                " Whoever has a raw ICMPv6 socket here may process them itself."
            };
            let summary = format!(
                "{why} {advertisements} came in since {} has IPv6.{theirs}",
                interface.name
            );
            place.finding(interface, cause, summary)
        },
    )?
    .with("advertisements", advertisements)
    .with("raw_sockets", raw);
    if raw != Some(0) {
        found.severity = Severity::Notice;
    }
    Some(found)
}

/// Whether any route leads on by the interface.
fn leads_on(place: Place<'_>, interface: &Interface) -> bool {
    let mut routes = place.snapshot.routes.iter().flatten();
    routes.any(|route| route.ifindex == Some(interface.ifindex) && route.gateway.is_some())
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
