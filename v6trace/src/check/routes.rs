//! Routes that the kernel takes though their interface has no carrier.

use std::collections::BTreeMap;

use super::{Cause, Interface, Route, Snapshot, host::Place};
use crate::{
    explain::{Diagnosis, Fix},
    prefix,
};

/// `NUD_NOARP` and `NUD_PERMANENT`: nobody asks such a neighbour whether it is there.
const NEVER_ASKED: u16 = 0x40 | 0x80;
/// Of so many the kernel is asked whether it takes them.
pub(super) const ASKED: usize = 64;
/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;

/// Those of a namespace: of an interface and a table together.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let routes = place.snapshot.routes.iter().flatten();
    let chosen = routes.filter(|route| route.is_chosen && route.is_used_in_vain());
    let mut found: BTreeMap<_, Vec<InVain<'_>>> = BTreeMap::new();
    for one in chosen
        .take(ASKED)
        .filter_map(|route| InVain::of(place.snapshot, route))
    {
        let of = (one.interface.ifindex, one.route.table, one.other.is_none());
        found.entry(of).or_default().push(one);
    }
    found.into_values().filter_map(move |all| told(place, &all))
}

/// A route that is in the way of another one, or the only way out, if the kernel takes it.
/// Who else has no carrier is as it is: what has no other way cannot be reached while a cable
/// is not plugged in.
pub(super) struct InVain<'a> {
    route: &'a Route,
    interface: &'a Interface,
    /// What it is in the way of.
    other: Option<&'a Route>,
}

impl<'a> InVain<'a> {
    /// `None` where it is none, or that is not known.
    pub(super) fn of(snapshot: &'a Snapshot, route: &'a Route) -> Option<Self> {
        let interface = snapshot.interface(route.ifindex?)?;
        // Routes are marked as well where an interface is dormant, and sends; and a carrier may
        // be back by the time that interfaces are listed.
        if interface.has_carrier() || interface.ipv6?.ignore_linkdown != 0 {
            return None;
        }
        let forwarding = snapshot.all.forwarding?;
        let mut others = snapshot.routes.iter().flatten();
        let other = others.find(|other| leads_there(snapshot, other, route));
        let is_lost = match other {
            Some(_) => !is_passing(snapshot, route, interface, forwarding)?,
            None => route.is_way_out() && !snapshot.cut,
        };
        is_lost.then_some(Self {
            route,
            interface,
            other,
        })
    }
}

/// All of them are of one interface and table, and in the way of others, or none is.
fn told(place: Place<'_>, all: &[InVain<'_>]) -> Option<Diagnosis> {
    let InVain {
        route,
        interface,
        other,
    } = all.first()?;
    let name = &interface.name;
    let own = words(place, route);
    let more = match all.len() {
        1 => String::new(),
        count => format!(" and {} more by it", count.saturating_sub(1)),
    };
    let lost = format!(
        "{name} has no carrier, and the kernel takes {own}{more} all the same \
         (ignore_routes_with_linkdown of {name} is 0)"
    );
    let other = other.map(|other| words(place, other));
    let (summary, fix) = if let Some(other) = &other {
        let as_well = if more.is_empty() {
            format!("{other} leads there as well")
        } else {
            format!("other routes lead there as well, to the first of these {other}")
        };
        let summary = format!(
            "{lost}. What goes there is lost until the carrier is back, although {as_well}."
        );
        let fix = place.site().set(name, "ignore_routes_with_linkdown", 1);
        let remark = "what has no carrier is passed over then, for as long";
        (summary, fix.remark(remark))
    } else {
        let summary = format!(
            "{lost}. No other route of its table leads there: what goes there is lost until the \
             carrier is back."
        );
        let fix = Fix::new(format!(
            "find out why {name} has no carrier (cable, switch, the peer of a veth), or set a \
             default route by another interface"
        ));
        (summary, fix)
    };
    let mut found = place
        .finding(interface, Cause::RouteWithoutCarrier, summary)
        .with("route", own)
        .with("route_count", all.len() as u64)
        .with("other_route", other)
        .with("carrier", interface.has_carrier())
        .with("ignore_linkdown", interface.ipv6?.ignore_linkdown)
        .with("all_forwarding", place.snapshot.all.forwarding)
        .fix(fix);
    found.address = Some(route.prefix.into());
    Some(found)
}

/// Whether a route would be taken if the first were passed over, and is likely to lead to the
/// same place: what leads out need not have the same prefix.
fn leads_there(snapshot: &Snapshot, other: &Route, first: &Route) -> bool {
    let is_same = (other.prefix, other.prefix_len) == (first.prefix, first.prefix_len);
    let is_wider = other.prefix_len < first.prefix_len
        && prefix::has(other.prefix, other.prefix_len, first.prefix);
    let works = |ifindex| {
        let interface = snapshot.interface(ifindex);
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
/// does anybody where neighbours are not asked. `None` where that is not known, as of links
/// that are not Ethernet's and may have neighbour discovery.
fn is_passing(
    snapshot: &Snapshot,
    route: &Route,
    interface: &Interface,
    forwarding: i32,
) -> Option<bool> {
    let Some(gateway) = route.gateway.filter(|_| forwarding == 0) else {
        return Some(false);
    };
    let mut known = snapshot.gateways.as_ref()?.iter();
    let known = known.find(|known| (known.ifindex, known.address) == (interface.ifindex, gateway));
    let is_asked = known.is_none_or(|known| known.state & NEVER_ASKED == 0);
    if !is_asked || !interface.asks_neighbours() {
        return Some(false);
    }
    interface.is_ethernet().then_some(true)
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
