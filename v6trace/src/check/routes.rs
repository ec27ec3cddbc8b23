//! Routes that the kernel takes though their interface has no carrier.

use super::{Cause, Interface, Route, host::Place};
use crate::{
    explain::{Diagnosis, Fix},
    prefix,
};

/// `NUD_NOARP` and `NUD_PERMANENT`: nobody asks such a neighbour whether it is there.
const NEVER_ASKED: u16 = 0x40 | 0x80;
/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let routes = place.snapshot.routes.iter().flatten();
    let chosen = routes.filter(|route| route.is_chosen && route.is_used_in_vain());
    chosen.filter_map(move |route| in_vain(place, route, place.snapshot.interface(route.ifindex?)?))
}

/// It is in the way of another one, or the only way out. Who else has no carrier is as it
/// is: what has no other way cannot be reached while a cable is not plugged in.
fn in_vain(place: Place<'_>, route: &Route, interface: &Interface) -> Option<Diagnosis> {
    let forwarding = place.snapshot.all.forwarding?;
    let name = &interface.name;
    let own = words(place, route);
    let lost = format!(
        "{name} has no carrier, and the kernel takes {own} all the same (ignore_routes_with_linkdown \
         of {name} is 0)"
    );
    let mut others = place.snapshot.routes.iter().flatten();
    let other = others.find(|other| leads_there(place, other, route));
    let (summary, fix) = if let Some(other) = other {
        if is_passing(place, route, interface, forwarding)? {
            return None;
        }
        let other = words(place, other);
        let summary = format!(
            "{lost}. What goes there is lost until the carrier is back, although {other} leads there \
             as well."
        );
        let fix = place.site().set(name, "ignore_routes_with_linkdown", 1);
        let remark = "it is passed over then, as long as there is no carrier";
        (summary, fix.remark(remark))
    } else if route.is_way_out() && !place.snapshot.cut {
        let summary = format!(
            "{lost}. No other route of its table leads there: what goes there is lost until the \
             carrier is back."
        );
        let fix = Fix::new(format!(
            "find out why {name} has no carrier (cable, switch, the peer of a veth), or set a \
             default route by another interface"
        ));
        (summary, fix)
    } else {
        return None;
    };
    let mut found = place
        .finding(interface, Cause::RouteWithoutCarrier, summary)
        .with("route", own)
        .with("other_route", other.map(|other| words(place, other)))
        .with("carrier", interface.has_carrier())
        .with("ignore_linkdown", interface.ipv6?.ignore_linkdown)
        .with("all_forwarding", forwarding)
        .fix(fix);
    found.address = Some(route.prefix.into());
    Some(found)
}

/// Whether a route would be taken if the first were passed over, and is likely to lead to the
/// same place: what leads out need not have the same prefix.
fn leads_there(place: Place<'_>, other: &Route, first: &Route) -> bool {
    let is_same = (other.prefix, other.prefix_len) == (first.prefix, first.prefix_len);
    let is_wider = other.prefix_len < first.prefix_len
        && prefix::has(other.prefix, other.prefix_len, first.prefix);
    let works = |ifindex| {
        let interface = place.snapshot.interface(ifindex);
        interface.is_some_and(Interface::has_carrier)
    };
    other.table == first.table
        && (is_same || is_wider && first.is_way_out())
        && !other.of_sources
        && !other.is_dead
        && !other.is_linkdown
        && other.ifindex.is_none_or(works)
}

/// Whether the kernel finds by itself that the gateway does not answer, some seconds after
/// the first packet, and takes another route then: a host that forwards does not look, nor
/// does anybody where neighbours are not asked. `None` where that is not known.
fn is_passing(
    place: Place<'_>,
    route: &Route,
    interface: &Interface,
    forwarding: i32,
) -> Option<bool> {
    let Some(gateway) = route.gateway.filter(|_| forwarding == 0) else {
        return Some(false);
    };
    let mut known = place.snapshot.gateways.as_ref()?.iter();
    let known = known.find(|known| (known.ifindex, known.address) == (interface.ifindex, gateway));
    let is_asked = known.is_none_or(|known| known.state & NEVER_ASKED == 0);
    Some(is_asked && interface.is_ethernet())
}

/// "default via fe80::1 dev eth0 metric 1024"
fn words(place: Place<'_>, route: &Route) -> String {
    let mut words = if route.is_default() {
        "default".to_owned()
    } else {
        format!("{}/{}", route.prefix, route.prefix_len)
    };
    if let Some(gateway) = route.gateway {
        words += &format!(" via {gateway}");
    }
    if let Some(interface) = route.ifindex.and_then(|it| place.snapshot.interface(it)) {
        words += &format!(" dev {}", interface.name);
    }
    if route.table != MAIN {
        words += &format!(" table {}", route.table);
    }
    words + &format!(" metric {}", route.metric)
}
