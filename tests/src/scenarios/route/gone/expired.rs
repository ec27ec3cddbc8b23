//! Routes whose lifetime runs out.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{BEHIND, Site, lasting, lost};
use crate::guest::{Advertisement, Tracing, ip_batch};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("routes-expired", expired),
    scenario("routes-expired-another-is-left", another),
    scenario("routes-expired-ignored", ignored),
    scenario("routes-expired-of-a-program", of_a_program),
];

/// The router falls silent: the way out goes, and what it had a route to.
fn expired() -> Result<()> {
    let site = Site::new("silent")?;
    site.host
        .ip("-6 route add fd00:72::/64 via fe80::1 dev v0")?;
    let tracer = Tracing::start()?;
    site.learn_of(&lasting(1).route(BEHIND, 48, 2, 1))?;
    site.expire()?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("routes-expired")?;
    site.expect(diagnosis)
        .field("severity", "hazard")
        .field("address", "::")
        .field("pid", Value::Null)
        .evidence("count", 2)
        .evidence("default_routes", 1)
        .evidence("default_routes_left", json!([]))
        .evidence("forwarding", 0)
        .evidence("accept_ra", 1)
        .evidence("accept_ra_defrtr", 1)
        .evidence(
            "lost_routes",
            json!([lost("default", 1024), lost("fd00:71::/48", 1024)]),
        )
        .summary_has(["default via fe80::1", "fd00:71::/48", "No default route"])
        .no_fix_has("accept_ra")
        .check()?;
    site.follow(
        diagnosis,
        "add default",
        &["default via fe80::1", "metric 2048"],
    )?;
    site.follow(
        diagnosis,
        "add fd00:71::/48",
        &["fd00:71::/48 via fe80::1", "metric 2048"],
    )?;
    // It does not keep an advertised one out.
    site.learn(1800)
}

/// One that somebody has set takes over; one of another table does not count.
fn another() -> Result<()> {
    let site = Site::new("two-ways")?;
    for words in ["metric 3000 proto static", "table 100"] {
        site.host
            .ip(&format!("-6 route add default via fe80::1 dev v0 {words}"))?;
    }
    let tracer = Tracing::start()?;
    site.learn(1)?;
    site.expire()?;
    let report = tracer.finish()?;
    report.complete()?;
    let left = "default via fe80::1 dev v0 proto static metric 3000";
    site.expect(report.only("routes-expired")?)
        .field("severity", "notice")
        .evidence("count", 1)
        .evidence("default_routes_left", json!([left]))
        .summary_has([left])
        .check()
}

/// Advertisements still come, but nobody heeds them.
fn ignored() -> Result<()> {
    let site = Site::new("deaf")?;
    let tracer = Tracing::start()?;
    site.learn(1)?;
    site.host.set_sysctl("ipv6/conf/v0/accept_ra", "0")?;
    site.advertiser.send(&Advertisement::new().bytes())?;
    site.expire()?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("routes-expired")?;
    site.expect(diagnosis)
        .field("severity", "hazard")
        .evidence("accept_ra", 0)
        .evidence("forwarding", 0)
        .summary_has(["v0 ignores them (accept_ra = 0)"])
        .check()?;
    diagnosis.follow("accept_ra=1")?;
    site.learn(1800)
}

/// Whoever adds a route with a lifetime is to renew it. Very many are told as one.
fn of_a_program() -> Result<()> {
    let site = Site::new("lease")?;
    let commands: Vec<_> = (0..200)
        .map(|number| format!("route add fd00:73:{number:x}::/48 via fe80::1 dev v0 expires 1"))
        .collect();
    let tracer = Tracing::start()?;
    ip_batch(site.host.name(), &commands)?;
    site.expire()?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("routes-expired")?;
    site.expect(diagnosis)
        .field("severity", "notice")
        .evidence("count", 200)
        .evidence("default_routes", 0)
        .summary_has(["200 routes", "197 more", "did not renew"])
        .check()?;
    let listed = diagnosis.evidence("lost_routes").and_then(Value::as_array);
    ensure!(
        listed.is_some_and(|it| it.len() == 8),
        "{listed:?} are listed"
    );
    // Kernels look for them in another order.
    let first = diagnosis.field("address").as_str().unwrap_or_default();
    ensure!(first.starts_with("fd00:73:"), "it is about {first}");
    let first = format!("{first}/48 via fe80::1");
    site.follow(diagnosis, &first, &[&first, "metric 1024"])
}
