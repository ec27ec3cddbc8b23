//! Gateways and proxies that do not answer, and the room in the table of neighbours.

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::guest::{AddressState, Checked, Netns, host_and_router, ip_batch};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("neighbour-unreachable-gateway-state", gateway),
    scenario("ndp-proxy-idle-state", proxy),
    alone("neighbour-table-nearly-full-state", nearly_full),
];

/// A gateway that was asked for and did not answer; one that answered, and one that
/// nobody asked for yet, are no matter.
fn gateway() -> Result<()> {
    let (host, router, _) = host_and_router("gwst")?;
    host.ip("-6 route add default via fe80::9 dev v0")?;
    host.ip("-6 route add 2001:db8:1::/48 via fe80::1 dev v0")?;
    host.ip("-6 route add 2001:db8:2::/48 via fe80::8 dev v0")?;
    // Without waiting for the answers: a neighbour so set is as one that was asked for.
    host.ip("-6 neigh add fe80::9 dev v0 nud failed")?;
    // Another route leads to the same place.
    host.ip("-6 route add 2001:db8:3::/48 via fe80::1 dev v0 metric 5")?;
    host.ip("-6 route add 2001:db8:3::/48 via fe80::7 dev v0 metric 9")?;
    host.ip("-6 neigh add fe80::7 dev v0 nud failed")?;
    let checked = Checked::now()?;
    checked.silent(&router)?;
    let found = checked.only(&host, "neighbour-unreachable")?;
    found
        .expect()
        .field("severity", "failure")
        .field("address", "fe80::9")
        .field("interface", "v0")
        .field("confidence", "likely")
        .evidence("state", "FAILED")
        .evidence("gateway_of", json!(["::/0"]))
        .check()?;
    router.ip("address add fe80::9/64 dev v1 nodad")?;
    found.follow("ping")?;
    Checked::now()?.silent(&host)
}

/// An entry of a proxy that may not answer, and one that may.
fn proxy() -> Result<()> {
    let (host, router, _) = host_and_router("pxst")?;
    let (answers, _far, _) = host_and_router("pxsta")?;
    for netns in [&host, &answers] {
        netns.ip("-6 neigh add proxy 2001:db8::a dev v0")?;
    }
    for name in ["all/forwarding", "v0/proxy_ndp"] {
        answers.set_sysctl(&format!("ipv6/conf/{name}"), "1")?;
    }
    let checked = Checked::now()?;
    checked.silent(&answers)?;
    checked.silent(&router)?;
    let found = checked.only(&host, "ndp-proxy-idle")?;
    found
        .expect()
        .field("address", "2001:db8::a")
        .field("interface", "v0")
        .evidence("forwarding", 0)
        .evidence("proxy_ndp", 0)
        .evidence("all_proxy_ndp", 0)
        .field("severity", "notice")
        .no_fix_has("forwarding=1")
        .check()?;
    found.follow("neigh del proxy")?;
    AddressState::Usable.wait(&host, "v0", "fe80::2".parse()?)?;
    Checked::now()?.silent(&host)
}

/// The namespaces share one table, of which the host's namespace has the limit.
fn nearly_full() -> Result<()> {
    const LIMIT: &str = "/proc/sys/net/ipv6/neigh/default/gc_thresh3";
    let host = Netns::host()?;
    let crowd = Netns::new("crowd")?;
    crowd.dummy("d0")?;
    Checked::now()?.silent(&host)?;
    let before = std::fs::read_to_string(LIMIT).context("no limit")?;
    let limit: u32 = before.trim().parse()?;
    let first = u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
    let entries = (0..u128::from(limit) * 95 / 100).map(|n| {
        let address = Ipv6Addr::from(first + n);
        format!("neigh add {address} dev d0 lladdr 02:00:00:00:00:01 nud reachable")
    });
    ip_batch(crowd.name(), &entries.collect::<Vec<_>>())?;
    let checked = Checked::now()?;
    let found = checked.only(&host, "neighbour-table-nearly-full")?;
    found
        .expect()
        .field("severity", "hazard")
        .evidence("gc_thresh3", limit)
        .evidence("unanswered", 0)
        .summary_has([crowd.name()])
        .check()?;
    found.follow("gc_thresh3=")?;
    let after = Checked::now();
    std::fs::write(LIMIT, before).context("cannot write the limit")?;
    after?.silent(&host)
}
