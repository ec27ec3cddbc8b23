//! A routing daemon with thousands of routes.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Host;
use crate::guest::{Bird, Tracer, until};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("route-refused-not-by-bird", thousands)];

/// How many routes BIRD has.
const ROUTES: usize = 3000;

/// BIRD gives the kernel all of its routes, takes them back, and gives them again. That
/// goes well, and nothing is lost of what others have set.
fn thousands() -> Result<()> {
    let host = Host::new("bird")?;
    let mut routes = String::new();
    for number in 0..ROUTES {
        writeln!(routes, "route fd00:61:{number:x}::/48 via fe80::9%v0;")?;
    }
    let before = host.routes()?;
    let tracer = Tracer::start(&[])?;
    let bird = Bird::with_routes(&host.netns, &routes)?;
    has(&host, ROUTES)?;
    bird.enable_routes(false)?;
    has(&host, 0)?;
    bird.enable_routes(true)?;
    has(&host, ROUTES)?;
    let report = tracer.finish()?;
    report.complete()?;
    let mut failures = report.diagnoses.iter();
    if let Some(failure) = failures.find(|it| it.field("severity") != "notice") {
        anyhow::bail!("a failure is reported: {failure}");
    }
    // Once for each answer: there already, or not there.
    ensure!(
        report.diagnoses.len() <= 3,
        "it is told of {} times",
        report.diagnoses.len()
    );
    let after = host.routes()?;
    ensure!(
        before.iter().all(|route| after.contains(route)),
        "routes went: there were {before:?}"
    );
    Ok(())
}

/// Waits until the kernel has so many of BIRD's routes.
fn has(host: &Host, count: usize) -> Result<()> {
    let what = format!("the kernel should have {count} routes of BIRD's");
    until(&what, Duration::from_mins(1), || {
        let table = host.netns.enter(|| {
            std::fs::read_to_string("/proc/thread-self/net/ipv6_route")
                .context("cannot read the routes")
        });
        table.is_ok_and(|table| {
            let of_bird = table.lines().filter(|line| line.starts_with("fd000061"));
            of_bird.count() == count
        })
    })
}
