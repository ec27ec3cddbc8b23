//! Routes that are there already, and that are not.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{BEHIND, Host};
use crate::guest::Tracing;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("route-exists", exists),
    scenario("route-exists-of-an-advertisement", advertised),
    scenario("route-exists-by-several-next-hops", twice),
    scenario("route-absent", absent),
    scenario("route-absent-changed", changed),
];

/// The same, and one that leads elsewhere.
fn exists() -> Result<()> {
    let host = Host::new("twice")?;
    host.route(&format!(
        "add {BEHIND} via fe80::9 dev v0 proto static metric 5"
    ))?;
    let tracer = Tracing::start()?;
    host.fails(&format!("add {BEHIND} via fe80::9 dev v0 metric 5"))?;
    host.fails(&format!("add {BEHIND} via fe80::8 dev v1 metric 5"))?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    let existing = "fd00:5b::/64 via fe80::9 dev v0 proto static metric 5";
    for diagnosis in &report.diagnoses {
        diagnosis
            .expect()
            .field("cause", "route-exists")
            .field("severity", "notice")
            .field("confidence", "certain")
            .field("errno", "EEXIST")
            .field("address", "fd00:5b::")
            .evidence("existing", existing)
            .evidence("metric", 5)
            .evidence("fib_protocol", 4)
            .evidence("table", 254)
            .check()?;
    }
    let [same, other] = &report.diagnoses[..] else {
        return Ok(());
    };
    same.expect()
        .field("fix", json!([]))
        .summary_has(["static"])
        .check()?;
    other
        .expect()
        .evidence("request", "fd00:5b::/64 via fe80::8 dev v1 metric 5")
        .summary_has(["elsewhere"])
        .check()?;
    host.follow(
        other,
        "metric 6",
        "v1",
        &[BEHIND, "via fe80::8", "dev v1", "metric 6"],
    )?;
    // In its place: nothing else goes.
    let before = host.routes()?;
    other.follow("replace")?;
    let after = host.routes()?;
    let gone: Vec<_> = before.iter().filter(|it| !after.contains(it)).collect();
    ensure!(
        gone.len() == 1 && gone[0].starts_with("fd00:5b::/64 via fe80::9"),
        "{gone:?} went"
    );
    Ok(())
}

/// What has several next hops, or a nexthop object, leads nowhere else.
fn twice() -> Result<()> {
    let host = Host::new("twice-by-several")?;
    host.netns.ip("nexthop add id 10 via fe80::9 dev v0")?;
    let several = format!("add {BEHIND} nexthop via fe80::9 dev v0 nexthop via fe80::8 dev v1");
    let object = "add fd00:5c::/64 nhid 10";
    host.route(&several)?;
    host.route(object)?;
    host.route("add default via fe80::8 dev v1 proto static")?;
    // Where routes may be for some sources, the other default is none of these.
    let sources = "add default from fd00:70::/64 via fe80::9 dev v0";
    let has_sources = host.route(sources).is_ok();
    let tracer = Tracing::start()?;
    host.fails(&several)?;
    host.fails(object)?;
    if has_sources {
        host.fails("del default from fd00:71::/64")?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(if has_sources { 3 } else { 2 })?;
    let [several, object, absent @ ..] = &report.diagnoses[..] else {
        return Ok(());
    };
    for existing in [several, object] {
        existing
            .expect()
            .field("cause", "route-exists")
            .field("severity", "notice")
            .field("fix", json!([]))
            .that(
                !existing.summary().contains("elsewhere"),
                "it is told as another",
            )
            .check()?;
    }
    object.expect().summary_has(["already"]).check()?;
    for absent in absent {
        absent
            .expect()
            .field("cause", "route-absent")
            .no_fix_has("route del")
            .check()?;
    }
    Ok(())
}

/// A router's must not be replaced.
fn advertised() -> Result<()> {
    let host = Host::new("from-router")?;
    host.route("add default via fe80::1 dev v0 proto ra metric 1024")?;
    let report = host.refused("add default via fe80::2 dev v0")?;
    let diagnosis = report.only("route-exists")?;
    diagnosis
        .expect()
        .field("severity", "notice")
        .evidence(
            "existing",
            "default via fe80::1 dev v0 proto ra metric 1024",
        )
        .evidence("request", "default via fe80::2 dev v0")
        .evidence("fib_protocol", 9)
        .no_fix_has("replace")
        .check()?;
    host.follow(
        diagnosis,
        "metric 1025",
        "v0",
        &["default via fe80::2", "metric 1025"],
    )
}

/// With another metric and gateway, in another table, and not at all.
fn absent() -> Result<()> {
    let host = Host::new("missed")?;
    host.route(&format!("add {BEHIND} via fe80::9 dev v0 metric 5"))?;
    host.route("add fd00:5c::/64 dev v1 table 100")?;
    let tracer = Tracing::start()?;
    host.fails(&format!("del {BEHIND} via fe80::8 metric 6"))?;
    host.fails("del fd00:5c::/64")?;
    host.fails("del fd00:5d::/64")?;
    host.fails("del fd00:5c::/64 table 101")?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(4)?;
    let other = "fd00:5b::/64 via fe80::9 dev v0 proto boot metric 5";
    let in_table = "fd00:5c::/64 dev v1 proto boot metric 1024 table 100";
    let cases = [
        (
            "fd00:5b::/64 via fe80::8 metric 6",
            json!([other]),
            "gateway",
        ),
        ("fd00:5c::/64", json!([in_table]), "table"),
        ("fd00:5d::/64", json!([]), "no table"),
        ("fd00:5c::/64 table 101", json!([in_table]), "101"),
    ];
    for (diagnosis, (request, same_prefix, says)) in report.diagnoses.iter().zip(cases) {
        diagnosis
            .expect()
            .field("cause", "route-absent")
            .field("severity", "notice")
            .field("confidence", "certain")
            .field("operation", "route-delete")
            .field("errno", "ESRCH")
            .field("netns", host.netns.inode())
            .evidence("request", request)
            .evidence("same_prefix", same_prefix)
            .summary_has([says])
            .check()?;
    }
    let before = host.routes()?;
    report.diagnoses[0].follow("route del")?;
    report.diagnoses[1].follow("route del")?;
    let after = host.routes()?;
    let gone: Vec<_> = before.iter().filter(|it| !after.contains(it)).collect();
    ensure!(gone.len() == 2, "{gone:?} went");
    Ok(())
}

fn changed() -> Result<()> {
    let host = Host::new("changed")?;
    let report = host.refused(&format!("change {BEHIND} via fe80::9 dev v0"))?;
    let diagnosis = report.only("route-absent")?;
    diagnosis
        .expect()
        .field("severity", "notice")
        .field("operation", "route-add")
        .field("errno", "ENOENT")
        .field("interface", "v0")
        .evidence("same_prefix", Value::Array(Vec::new()))
        .evidence("request", "fd00:5b::/64 via fe80::9 dev v0")
        .check()?;
    host.follow(
        diagnosis,
        "replace",
        "v0",
        &[BEHIND, "via fe80::9", "dev v0"],
    )
}
