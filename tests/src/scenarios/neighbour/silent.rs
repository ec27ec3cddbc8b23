//! What is no news, and what is told once.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{BEYOND, GATEWAY, Site, about, other, shown};
use crate::guest::{Tracing, until};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("neighbour-unreachable-not-what-answers", what_answers),
    scenario("neighbour-unreachable-once", once),
    scenario("neighbour-unreachable-scan", scan),
];

/// Who answers, who is taken away while it is looked for, and what nobody sends to.
fn what_answers() -> Result<()> {
    let site = Site::new("answers")?;
    site.give(GATEWAY)?;
    site.host
        .ip(&format!("-6 route add default via {GATEWAY} dev v0"))?;
    // To be looked for until it is taken away.
    site.host
        .set_sysctl("ipv6/neigh/v0/mcast_solicit", "1000")?;
    let tracer = Tracing::start()?;
    site.send(BEYOND)??;
    site.wait(GATEWAY, "REACHABLE")?;
    let taken = other(5);
    site.send(taken)??;
    site.wait(taken, "INCOMPLETE")?;
    site.host.ip(&format!("-6 neigh del {taken} dev v0"))?;
    site.host.set_sysctl("ipv6/neigh/v0/mcast_solicit", "3")?;
    // A program wants to know, and nothing waits.
    let watched = other(6);
    site.host
        .ip(&format!("-6 neigh add {watched} dev v0 use nud none"))?;
    site.wait(watched, "FAILED")?;
    // What is looked for when its interface goes.
    site.send(other(7))??;
    site.host.ip("link set v0 down")?;
    tracer.finish()?.silent()
}

/// Whoever sends again and again is told once.
fn once() -> Result<()> {
    let site = Site::new("again")?;
    site.host
        .ip(&format!("-6 route add default via {GATEWAY} dev v0"))?;
    let tracer = Tracing::start()?;
    for _ in 0..3 {
        // It is looked for at once.
        site.send(BEYOND)??;
        site.wait(GATEWAY, "FAILED")?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    site.expect(report.only("neighbour-unreachable")?, GATEWAY)
        .field("severity", "failure")
        .check()
}

/// A scan of the prefix is told by a few; a gateway is told all the same.
fn scan() -> Result<()> {
    let site = Site::new("scan")?;
    site.host
        .ip(&format!("-6 route add default via {GATEWAY} dev v0"))?;
    let tracer = Tracing::start()?;
    for number in 0x100..0x180 {
        // The table of all may be smaller than a prefix is.
        let _ = site.send(other(number))?;
    }
    site.send(BEYOND)??;
    until("the scan is through", Duration::from_secs(8), || {
        let shown = shown(&site.host, "-6 neigh show nud incomplete");
        shown.is_ok_and(|shown| shown.is_empty())
    })?;
    let report = tracer.finish()?;
    report.complete()?;
    let told = report.diagnoses.len();
    ensure!((2..=5).contains(&told), "it says {told} things");
    site.expect(about(&report, GATEWAY)?, GATEWAY)
        .field("severity", "failure")
        .check()?;
    let others = report
        .diagnoses
        .iter()
        .filter(|it| it.field("address").as_str() != Some(&GATEWAY.to_string()));
    for other in others {
        other
            .expect()
            .field("cause", "neighbour-unreachable")
            .field("severity", "notice")
            .check()?;
    }
    Ok(())
}
