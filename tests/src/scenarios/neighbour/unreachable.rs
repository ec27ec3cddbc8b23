//! Neighbours that do not answer.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{BEYOND, GATEWAY, Site, about, other, shown};
use crate::guest::{Tracing, until};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario(
        "neighbour-unreachable-without-link-local-address",
        cannot_ask,
    ),
    scenario("neighbour-unreachable-host", host),
    scenario("neighbour-unreachable-without-carrier", without_carrier),
    scenario("neighbour-unreachable-tentative-elsewhere", tentative),
];

/// Without a link-local address nothing can be asked for what nothing waits for.
fn cannot_ask() -> Result<()> {
    let site = Site::new("mute")?;
    site.give(GATEWAY)?;
    site.host
        .ip(&format!("-6 route add default via {GATEWAY} dev v0"))?;
    site.send(BEYOND)??;
    site.wait(GATEWAY, "REACHABLE")?;
    site.host.set_sysctl("ipv6/conf/v0/addr_gen_mode", "1")?;
    site.host.ip("-6 address flush dev v0 scope link")?;
    let mac = site.mac()?;
    let tracer = Tracing::start()?;
    site.host.ip(&format!(
        "-6 neigh replace {GATEWAY} lladdr {mac} nud probe dev v0"
    ))?;
    site.wait(GATEWAY, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    // The node's link-local address may have been asked for in vain as well.
    let diagnosis = about(&report, GATEWAY)?;
    site.expect(diagnosis, GATEWAY)
        .field("severity", "failure")
        .evidence("could_ask", false)
        .evidence("routes", json!(["::/0"]))
        .summary_has_one_of(&["no link-local address"])
        .summary_has_none_of(&["unanswered"])
        .check()?;
    let before = shown(&site.host, "-6 address show dev v0 scope global")?;
    diagnosis.follow("addr_gen_mode=0")?;
    let after = shown(&site.host, "-6 address show dev v0 scope global")?;
    ensure!(before == after, "{before:#?} became {after:#?}");
    until(
        "the host has a link-local address",
        Duration::from_secs(8),
        || {
            let shown = shown(&site.host, "-6 address show dev v0 scope link");
            shown.is_ok_and(|shown| shown.iter().any(|line| line.contains("fe80::")))
        },
    )?;
    site.host.ip(&format!(
        "-6 neigh replace {GATEWAY} lladdr {mac} nud probe dev v0"
    ))?;
    site.wait(GATEWAY, "REACHABLE")
}

/// A host that is away is no failure.
fn host() -> Result<()> {
    let site = Site::new("away")?;
    let [away, there] = [other(2), other(3)];
    site.give(there)?;
    site.send(there)??;
    site.wait(there, "REACHABLE")?;
    // By another gateway.
    site.host
        .ip(&format!("-6 route add default via {there} dev v0"))?;
    let mac = site.mac()?;
    let tracer = Tracing::start()?;
    // It may be a while since it was heard.
    site.host.ip(&format!(
        "-6 neigh replace {there} lladdr {mac} nud reachable dev v0"
    ))?;
    site.send_in_vain(away)?;
    site.wait(away, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("neighbour-unreachable")?;
    site.expect(diagnosis, away)
        .field("severity", "notice")
        .evidence("routes", json!([]))
        .evidence("route_count", 0)
        .evidence("waiting", 1)
        .summary_has_none_of(&["gateway"])
        .summary_has_one_of(&["on v0 has answered lately", "on v0 have answered lately"])
        .check()?;
    ensure!(
        diagnosis.evidence_u64("reachable")? >= 1,
        "{there} answers: {diagnosis}"
    );
    diagnosis.follow("ff02::1%v0")
}

/// The other end is down.
fn without_carrier() -> Result<()> {
    let site = Site::new("no-carrier")?;
    site.host
        .ip(&format!("-6 route add default via {GATEWAY} dev v0"))?;
    site.node.ip("link set p0 down")?;
    let report = site.unanswered(BEYOND, GATEWAY)?;
    let diagnosis = report.only("neighbour-unreachable")?;
    site.expect(diagnosis, GATEWAY)
        .field("severity", "failure")
        .evidence("carrier", false)
        .summary_has_one_of(&["no carrier"])
        .no_fix_has("ff02::1")
        .check()?;
    diagnosis.follow("link show dev v0")
}

/// The address is another namespace's, which tests it still.
fn tentative() -> Result<()> {
    let site = Site::new("tested")?;
    site.host
        .ip(&format!("-6 route add default via {GATEWAY} dev v0"))?;
    site.node.set_sysctl("ipv6/conf/p0/accept_dad", "1")?;
    // For longer than anything here takes: the kernel counts them in eight bits.
    site.node.set_sysctl("ipv6/conf/p0/dad_transmits", "255")?;
    site.node
        .set_sysctl("ipv6/neigh/p0/retrans_time_ms", "10000")?;
    site.node.ip(&format!("address add {GATEWAY}/64 dev p0"))?;
    let report = site.unanswered(BEYOND, GATEWAY)?;
    let diagnosis = report.only("neighbour-unreachable")?;
    site.expect(diagnosis, GATEWAY)
        .field("severity", "failure")
        .summary_has([site.node.name(), "tentative"])
        .check()?;
    let holders = diagnosis.evidence("holders").cloned().unwrap_or_default();
    ensure!(
        holders[0]["netns"] == site.node.inode() && holders[0]["interface"] == "p0",
        "it says {holders}"
    );
    diagnosis.follow("address show dev p0")
}
