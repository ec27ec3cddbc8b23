//! What is there already, and what is not: notices.

use anyhow::{Result, ensure};

use super::{Host, about};
use crate::guest::Tracing;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("request-refused-exists", exists),
    scenario("request-refused-absent", absent),
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
