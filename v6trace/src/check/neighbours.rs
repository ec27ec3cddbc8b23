//! Gateways that do not answer, proxies that do not, and the room in the table of
//! neighbours, which all namespaces share.

use std::net::{IpAddr, Ipv6Addr};

use super::{
    Cause, Gateway, Interface, Route, Snapshot,
    host::{Host, Place},
};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Value, quoted},
    families::neighbour::{self, Counts, Idle},
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
        idle(place, place.snapshot.interface(ifindex)?, address)
    });
    silent.chain(idle)
}

/// A gateway that was asked and did not answer. It is asked again as soon as there is a
/// packet for it; where another route leads to the same place, the kernel takes that.
fn silent(place: Place<'_>, gateway: &Gateway) -> Option<Diagnosis> {
    if gateway.state != FAILED {
        return None;
    }
    let interface = place.snapshot.interface(gateway.ifindex)?;
    let routes = || place.snapshot.routes.iter().flatten();
    let is_by_it = |route: &Route| {
        route.gateway == Some(gateway.address) && route.ifindex == Some(gateway.ifindex)
    };
    let is_only = |route: &&Route| {
        let place = |route: &Route| (route.prefix, route.prefix_len, route.table);
        let is_other = |other: &Route| place(other) == place(route) && !is_by_it(other);
        is_by_it(route) && !route.is_dead && !routes().any(is_other)
    };
    let mut named: Vec<String> = routes()
        .filter(is_only)
        .take(NAMED)
        .map(destination)
        .collect();
    named.dedup();
    if named.is_empty() || !interface.has_carrier() {
        return None;
    }
    let name = &interface.name;
    let address = gateway.address;
    let summary = format!(
        "{address} on {name} did not answer when it was last asked for (FAILED), and is the \
         gateway of {}, where no other route leads: what went there then was lost.",
        named.join(", ")
    );
    let ask = format!("ping -6 -c 1 -I {} {address}", quoted(name));
    let ask = place.site().command(&ask);
    let mut found = place
        .finding(interface, neighbour::Cause::Unreachable, summary)
        .with("state", "FAILED")
        .with("gateway_of", list(&named))
        .fix(ask.remark("asks once more; `v6trace live` meanwhile tells what is seen of it"))
        .likely();
    if !routes().any(|route| is_only(&route) && route.is_default()) {
        found.severity = Severity::Notice;
    }
    found.address = Some(IpAddr::V6(address));
    Some(found)
}

/// "::/0", "2001:db8::/32"
fn destination(route: &Route) -> String {
    format!("{}/{}", route.prefix, route.prefix_len)
}

/// A proxy that may not answer. Whether somebody is behind it is not in the state: it may
/// be left over, so nothing is said of how to have it answer.
fn idle(place: Place<'_>, interface: &Interface, address: Ipv6Addr) -> Option<Diagnosis> {
    let ipv6 = interface.ipv6?;
    let all = place.snapshot.all;
    let (Some(all_proxy_ndp), Some(all_forwarding)) = (all.proxy_ndp, all.forwarding) else {
        return None;
    };
    let mut own = place.snapshot.own(interface.ifindex);
    let mut anycast = place.snapshot.anycast.iter().flatten();
    if own.any(|(_, own)| own == address)
        || anycast.any(|listed| *listed == (interface.ifindex, address))
    {
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
         asks for that address gets an answer from it: {}. Whether it is still needed is not known.",
        interface.name,
        idle.why()?
    );
    let mut found = place
        .finding(interface, neighbour::Cause::ProxyIdle, summary)
        .with("forwarding", ipv6.forwarding)
        .with("proxy_ndp", ipv6.proxy_ndp)
        .with("all_proxy_ndp", all_proxy_ndp)
        .with("all_forwarding", all_forwarding)
        .fix(idle.remove(address, place.site()));
    found.severity = Severity::Notice;
    found.address = Some(address.into());
    Some(found)
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
    let named: Vec<String> = shares
        .iter()
        .map(|(snapshot, counts)| {
            format!(
                "{} has {}",
                host.session.place(snapshot.netns),
                counts.total()
            )
        })
        .collect();
    let summary = format!(
        "The table of neighbours has {total} entries, of which {} are of addresses that did not \
         answer, and net.ipv6.neigh.default.gc_thresh3 = {limit} is the most. All network \
         namespaces share it: {}. Once it is full of entries that cannot be dropped, no new \
         neighbour can be reached.",
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
