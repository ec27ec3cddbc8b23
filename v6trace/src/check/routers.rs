//! Interfaces that ask for a router, or hear one, and have no default route of it.

use std::net::Ipv6Addr;

use super::{Cause, Interface, Ipv6, advertisements::has_way_out, host::Place};
use crate::{
    explain::{Diagnosis, Fix, Value},
    ifa, prefix,
};

/// Addresses that are named.
const NAMED: usize = 3;

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let interfaces = place.snapshot.interfaces.iter();
    interfaces.filter_map(move |interface| without_router(place, interface, interface.ipv6?))
}

/// Whom a server or an advertisement gave an address that is known to the world is meant to
/// reach it, unlike one that has unique local addresses only; who sets an address by hand
/// sets the routes as well, or wants none. A router that forwards has no default route made
/// of advertisements, nor one that heeds none: these are told of elsewhere.
fn without_router(place: Place<'_>, interface: &Interface, ipv6: Ipv6) -> Option<Diagnosis> {
    let is_link = interface.is_ethernet() && interface.is_up() && interface.has_carrier();
    let is_heeded = ipv6.disable_ipv6 == 0 && ipv6.heeds_advertisements();
    if !is_link || !is_heeded || place.is_port(interface) || has_way_out(place) {
        return None;
    }
    let own = place.snapshot.own(interface.ifindex);
    let unlike = ifa::TENTATIVE | ifa::DADFAILED | ifa::PERMANENT;
    let given = own.filter(|(held, _)| held.flags & unlike == 0);
    let global: Vec<Ipv6Addr> = given
        .map(|(_, address)| address)
        .filter(|address| prefix::is_global_unicast(*address))
        .take(NAMED)
        .collect();
    let first = global.first()?;
    let (advertisements, solicitations) = (ipv6.advertisements?, ipv6.solicitations?);
    let name = &interface.name;
    let way_out = format!(
        "{name} was given {first}, and its network namespace has no default route: beyond its own links \
         nobody can be reached."
    );
    let (why, fix) = if advertisements == 0 {
        // Who would take none misses nothing by that.
        if solicitations == 0 || ipv6.accept_ra_defrtr == 0 {
            return None;
        }
        let why = format!(
            "{name} takes one from router advertisements (accept_ra = {}, forwarding = {}); it has \
             sent solicitations for them, {solicitations} in all, and no advertisement came in.",
            ipv6.accept_ra, ipv6.forwarding
        );
        let fix = "find out whether there is a router on the link and what keeps its \
                   advertisements away, or set a default route by hand";
        (why, Fix::new(fix))
    } else if ipv6.accept_ra_defrtr == 0 {
        let why = format!(
            "Of router advertisements, of which {advertisements} came in, it makes none, since \
             accept_ra_defrtr of {name} is 0."
        );
        let fix = place.site().set(name, "accept_ra_defrtr", 1);
        (why, fix.remark("the next advertisement makes one then"))
    } else {
        let why = format!(
            "{advertisements} router advertisements came in, and none of them has made one that is \
             left: the router says that it is no default router (lifetime 0), or has been silent \
             for so long that it ran out, or somebody deleted it. Which is not in the state."
        );
        let fix = "have the router advertise itself as a default router (AdvDefaultLifetime of \
                   radvd), or set a default route by hand";
        let remark = "`v6trace live --family advertisement` tells what the next advertisement says";
        (why, Fix::new(fix).remark(remark))
    };
    let list = global.iter().map(|address| address.to_string().into());
    let mut found = place
        .finding(interface, Cause::NoDefaultRoute, format!("{way_out} {why}"))
        .with("addresses", Value::List(list.collect()))
        .with("accept_ra", ipv6.accept_ra)
        .with("forwarding", ipv6.forwarding)
        .with("accept_ra_defrtr", ipv6.accept_ra_defrtr)
        .with("advertisements", advertisements)
        .with("solicitations", solicitations)
        .fix(fix);
    if ipv6.accept_ra_defrtr != 0 {
        found = found.likely();
    }
    Some(found)
}
