//! A routing daemon with thousands of routes.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::system::uname;

use super::Host;
use crate::guest::{Bird, Tracer, until};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("route-refused-not-by-bird", thousands)];

/// How many routes BIRD has. So many take a busy emulated processor most of a minute
/// more than a fifth of them, so one kernel has to do: that of Debian's BIRD here.
fn count() -> usize {
    if uname().release().to_bytes().starts_with(b"6.1.") {
        50_000
    } else {
        10_000
    }
}

/// BIRD gives the kernel all of its routes, takes them back, and gives them again. That
/// goes well, and nothing is lost of what others have set.
fn thousands() -> Result<()> {
    let host = Host::new("bird")?;
    let mut routes = String::new();
    let count = count();
    for number in 0..count {
        writeln!(routes, "route fd00:61:{number:x}::/48 via fe80::9%v0;")?;
    }
    let before = host.routes()?;
    let others = entries(&host)?;
    let tracer = Tracer::start(&[])?;
    let bird = Bird::with_routes(&host.netns, &routes)?;
    has(&host, others + count)?;
    bird.enable_routes(false)?;
    has(&host, others)?;
    bird.enable_routes(true)?;
    has(&host, others + count)?;
    bird.enable_routes(false)?;
    has(&host, others)?;
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

/// Waits until the kernel has so many routes, but for a few that come with addresses.
fn has(host: &Host, count: usize) -> Result<()> {
    let what = format!("the kernel should have {count} routes");
    until(&what, Duration::from_mins(3), || {
        entries(host).is_ok_and(|entries| (count..count + 16).contains(&entries))
    })
}

/// How many routes of IPv6 the kernel has, by its own count: to read them all from its file
/// takes minutes, where there are very many.
fn entries(host: &Host) -> Result<usize> {
    let statistics = host.netns.enter(|| {
        std::fs::read_to_string("/proc/thread-self/net/rt6_stats")
            .context("cannot read the statistics of routes")
    })?;
    let entries = statistics.split_whitespace().nth(3);
    let entries = entries.context("the statistics of routes are short")?;
    Ok(usize::from_str_radix(entries, 16)?)
}
