//! What is there already, and what is not: notices.

use anyhow::{Result, ensure};

use super::{Host, about};
use crate::guest::{Link, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("request-refused-exists", exists),
    scenario("request-refused-absent", absent),
    scenario("request-refused-several-hops-of-ipv4", several_hops),
];

/// Each is asked for twice; the fixes put the second in place of the first.
fn exists() -> Result<()> {
    let host = Host::new("twice")?;
    let rule = "pref 77 from fd00:5c::/64 lookup 100";
    let neighbour = "fd00:5a::9 lladdr 02:00:00:00:00:01 dev v0";
    let next_hop = "id 5 via fe80::9 dev v0";
    let group = "id 9 group 5";
    let label = "prefix fd00:5c::/64 label 99";
    let told = [
        ("-6 rule add", rule, "rule-add", "priority 77"),
        ("-6 neigh add", neighbour, "neighbour-add", "entry"),
        ("-6 nexthop add", next_hop, "nexthop-add", "id"),
        ("nexthop add", group, "nexthop-add", "no family"),
        ("addrlabel add", label, "address-label-add", "label"),
    ];
    for (command, words, ..) in told {
        host.netns.ip(&format!("{command} {words}"))?;
    }
    let tracer = Tracing::start()?;
    for (command, words, ..) in told {
        host.fails(&format!("{command} {words}"))?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(told.len())?;
    for (_, request, operation, says) in told {
        host.expect(
            about(&report, request)?,
            "notice",
            operation,
            "EEXIST",
            request,
        )
        .field("confidence", "likely")
        .summary_has([says])
        .check()?;
    }
    about(&report, rule)?.follow("ip -6 rule")?;
    about(&report, label)?.follow("ip addrlabel")?;
    host.follow(about(&report, next_hop)?, "ip -6 nexthop replace")?;
    host.follow(about(&report, group)?, "ip nexthop replace")?;
    host.netns
        .ip("-6 neigh replace fd00:5a::9 lladdr 02:00:00:00:00:02 dev v0")?;
    host.follow(about(&report, neighbour)?, "neigh replace")?;
    let entries = host.shown("-6 neigh show fd00:5a::9")?;
    ensure!(
        entries
            .iter()
            .any(|line| line.contains("02:00:00:00:00:01")),
        "the fix brings {entries:?}"
    );
    Ok(())
}

/// What is deleted or changed is not there.
fn absent() -> Result<()> {
    let host = Host::new("absent")?;
    let told = [
        (
            "-6 rule del",
            "from fd00:5d::/64 lookup 100",
            "rule-delete",
            "ENOENT",
        ),
        (
            "-6 neigh del",
            "fd00:5a::8 dev v0",
            "neighbour-delete",
            "ENOENT",
        ),
        (
            "-6 neigh del",
            "proxy fd00:5a::8 dev v0",
            "neighbour-delete",
            "ENOENT",
        ),
        (
            "-6 neigh change",
            "fd00:5a::8 lladdr 02:00:00:00:00:01 dev v0",
            "neighbour-add",
            "ENOENT",
        ),
        ("nexthop del", "id 6", "nexthop-delete", "ENOENT"),
        (
            "addrlabel del",
            "prefix fd00:5d::/64 label 99",
            "address-label-delete",
            "ESRCH",
        ),
        (
            "-6 address del",
            "fd00:5a::7/64 dev v0",
            "address-delete",
            "EADDRNOTAVAIL",
        ),
    ];
    let tracer = Tracing::start()?;
    for (command, words, ..) in told {
        host.fails(&format!("{command} {words}"))?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(told.len())?;
    for (command, request, operation, errno) in told {
        let diagnosis = about(&report, request)?;
        host.expect(diagnosis, "notice", operation, errno, request)
            .summary_has(["none such"])
            .check()?;
        // What there is.
        let (sort, _) = command.rsplit_once(' ').unwrap_or_default();
        diagnosis.follow(&format!("ip {sort}"))?;
    }
    let changed = "fd00:5a::8 lladdr 02:00:00:00:00:01 dev v0";
    host.follow(about(&report, changed)?, "neigh replace")?;
    let entries = host.shown("-6 neigh show fd00:5a::8")?;
    ensure!(!entries.is_empty(), "the fix brings no entry");
    Ok(())
}

/// A route of IPv4 by two gateways of IPv6; by those of IPv4 nothing is told.
fn several_hops() -> Result<()> {
    let host = Host::new("hops")?;
    host.netns.ip("address add 10.90.0.1/24 dev v0")?;
    let second = Link::find(&host.netns, "v1")?;
    let by_ipv6 = "nexthop via inet6 fe80::8 dev v0 nexthop via inet6 fe80::9 dev v1";
    let by_ipv4 = "nexthop via 10.90.0.8 dev v0 nexthop via 10.90.0.9 dev v0";
    for hops in [by_ipv6, by_ipv4] {
        host.netns.ip(&format!("route add 10.91.0.0/16 {hops}"))?;
        host.netns.ip("route del 10.91.0.0/16")?;
    }
    host.netns
        .ip(&format!("route add 10.91.0.0/16 {by_ipv6}"))?;
    host.netns
        .ip(&format!("route add 10.93.0.0/16 {by_ipv4}"))?;
    let tracer = Tracing::start()?;
    host.fails(&format!("route add 10.91.0.0/16 {by_ipv6}"))?;
    host.fails(&format!("route del 10.92.0.0/16 {by_ipv6}"))?;
    host.fails(&format!("route add 10.93.0.0/16 {by_ipv4}"))?;
    host.fails(&format!("route del 10.94.0.0/16 {by_ipv4}"))?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    // Of several next hops only the numbers of their interfaces are in the request.
    let hops = format!(
        "nexthop via inet6 fe80::8 dev interface-{} nexthop via inet6 fe80::9 dev interface-{}",
        host.first.ifindex, second.ifindex
    );
    for (prefix, operation, errno) in [
        ("10.91.0.0/16", "route-add", "EEXIST"),
        ("10.92.0.0/16", "route-delete", "ESRCH"),
    ] {
        let request = format!("{prefix} {hops}");
        let diagnosis = about(&report, &request)?;
        host.expect(diagnosis, "notice", operation, errno, &request)
            .check()?;
    }
    Ok(())
}
