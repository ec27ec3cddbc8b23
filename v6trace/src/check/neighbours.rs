//! Gateways that do not answer, proxies that do not, and the room in the table of
//! neighbours, which all namespaces share.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    Cause, Gateway, Interface, Route, Snapshot,
    host::{Host, Place},
};
use crate::{
    explain::{Diagnosis, Value, quoted},
    families::neighbour::{self, Counts, Idle},
    ifa,
};

/// `NUD_FAILED`
const FAILED: u16 = 0x20;
/// Routes, and namespaces, that are named.
const NAMED: usize = 3;
/// Of a hundred entries that the table may have, so many are too many: in a storm the
/// rest is gone in a moment.
const FULL: u64 = 90;

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let gateways = place.snapshot.gateways.iter().flatten();
    let silent = gateways.filter_map(move |gateway| silent(place, gateway));
    let proxied = place.snapshot.proxied.iter().flatten();
    let idle = proxied.filter_map(move |&(ifindex, address)| {
        idle(place, place.snapshot.interface(ifindex)?, address.into())
    });
    silent.chain(idle)
}

/// A gateway that was asked and did not answer. It is asked again as soon as there is a
/// packet for it.
fn silent(place: Place<'_>, gateway: &Gateway) -> Option<Diagnosis> {
    let interface = place.snapshot.interface(gateway.ifindex)?;
    let routes = place.snapshot.routes.iter().flatten();
    let by_it = |route: &&Route| {
        route.gateway == Some(gateway.address)
            && route.ifindex == Some(gateway.ifindex)
            && !route.is_dead
    };
    let routes: Vec<String> = routes.filter(by_it).map(destination).collect();
    if gateway.state != FAILED || routes.is_empty() || !interface.has_carrier() {
        return None;
    }
    let name = &interface.name;
    let address = gateway.address;
    let named = routes.iter().take(NAMED).cloned().collect::<Vec<_>>();
    let more = match routes.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let summary = format!(
        "{address} on {name} did not answer when it was last asked for (FAILED), and is the \
         gateway of {}{more}: what goes there is lost as long as that is so.",
        named.join(", ")
    );
    let ask = format!("ping -6 -c 1 -I {} {address}", quoted(name));
    let mut found = place
        .finding(interface, neighbour::Cause::Unreachable, summary)
        .with("state", "FAILED")
        .with("gateway_of", list(&named))
        .with("route_count", u32::try_from(routes.len()).ok())
        .fix(
            place
                .site()
                .command(&ask)
                .remark("asks once more; `v6trace live` meanwhile tells what is seen of it"),
        );
    found.address = Some(IpAddr::V6(address));
    Some(found)
}

/// "::/0", "2001:db8::/32"
fn destination(route: &Route) -> String {
    format!("{}/{}", route.prefix, route.prefix_len)
}

/// A proxy that may not answer. Whether somebody is behind it is not looked up: it may
/// be left over.
fn idle(place: Place<'_>, interface: &Interface, address: IpAddr) -> Option<Diagnosis> {
    let ipv6 = interface.ipv6?;
    let all = place.snapshot.all;
    let (Some(all_proxy_ndp), Some(all_forwarding)) = (all.proxy_ndp, all.forwarding) else {
        return None;
    };
    let IpAddr::V6(address) = address else {
        return None;
    };
    let mut own = place.snapshot.own(interface.ifindex);
    if own.any(|(_, own)| own == address) {
        return None;
    }
    let idle = Idle {
        interface: &interface.name,
        forwarding: ipv6.forwarding,
        proxy_ndp: ipv6.proxy_ndp,
        all_proxy_ndp,
        all_forwarding,
    };
    let summary = format!(
        "There is an entry of a proxy for {address} on {} (ip neigh show proxy), and nobody who \
         asks for that address gets an answer from it: {}.",
        interface.name,
        idle.why()?
    );
    let site = place.site();
    let mut found = place
        .finding(interface, neighbour::Cause::ProxyIdle, summary)
        .with("forwarding", ipv6.forwarding)
        .with("proxy_ndp", ipv6.proxy_ndp)
        .with("all_proxy_ndp", all_proxy_ndp)
        .with("all_forwarding", all_forwarding);
    found.address = Some(address.into());
    let answer = idle.answer(heeding(place.snapshot), site);
    let found = answer.into_iter().fold(found, Diagnosis::fix);
    Some(found.fix(idle.remove(address, site)))
}

/// The interfaces that heed router advertisements as long as they do not forward, and
/// have something from them.
fn heeding(snapshot: &Snapshot) -> impl Iterator<Item = &str> {
    let interfaces = snapshot.interfaces.iter().filter(|interface| {
        let heeds = |ipv6: super::Ipv6| ipv6.forwarding == 0 && ipv6.accept_ra == 1;
        let mut own = snapshot.own(interface.ifindex);
        let mut routes = snapshot.routes.iter().flatten();
        interface.ipv6.is_some_and(heeds)
            && (own.any(|(held, _)| held.flags & ifa::PERMANENT == 0)
                || routes
                    .any(|route| route.is_default() && route.ifindex == Some(interface.ifindex)))
    });
    interfaces.map(|interface| interface.name.as_str())
}

/// The table that all namespaces share, where it is nearly full.
pub(super) fn table(host: Host<'_>) -> Option<Diagnosis> {
    let first = host.snapshots().first()?;
    // Only the host's own namespace has the sysctl.
    let most = |snapshot: &Snapshot| snapshot.all.gc_thresh3;
    let limit = u32::try_from(host.snapshots().iter().find_map(most)?).ok()?;
    let mut all = Counts::default();
    let mut shares: Vec<(&Snapshot, Counts)> = Vec::new();
    for snapshot in host.snapshots() {
        if let Some(counts) = snapshot.neighbours {
            all += counts;
            shares.push((snapshot, counts));
        }
    }
    let total = all.total();
    if limit == 0 || u64::from(total) * 100 < u64::from(limit) * FULL {
        return None;
    }
    shares.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.total()));
    shares.truncate(NAMED);
    let named: BTreeSet<String> = shares
        .iter()
        .map(|(snapshot, counts)| format!("{} has {}", host.name(snapshot.netns), counts.total()))
        .collect();
    let named: Vec<String> = named.into_iter().collect();
    let summary = format!(
        "The table of neighbours has {total} entries, of which {} are of addresses that did not \
         answer, and net.ipv6.neigh.default.gc_thresh3 = {limit} is the most. All network \
         namespaces share it: {}. Once it is full, no new neighbour can be reached.",
        all.unanswered,
        named.join(", ")
    );
    let place = Place {
        host,
        snapshot: first,
    };
    let raise = format!(
        "sysctl -w net.ipv6.neigh.default.gc_thresh3={}",
        u64::from(limit) * 2
    );
    Some(
        Diagnosis::of_state(first.netns, first.boot_ns, Cause::TableNearlyFull, summary)
            .with("entries", total)
            .with("gc_thresh3", limit)
            .with("unanswered", all.unanswered)
            .with("answered", all.answered)
            .with("namespaces", list(&named))
            .fix(
                place
                    .site()
                    .command(&raise)
                    .remark("on the host: no other namespace has the sysctl"),
            ),
    )
}

fn list(texts: &[String]) -> Value {
    Value::List(texts.iter().map(|text| text.as_str().into()).collect())
}
