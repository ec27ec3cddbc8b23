//! Programs that ask again and again.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{ADDRESS, Host};
use crate::guest::{AddressRequest, AddressState, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("address-ipv6-disabled-storm", refused),
    scenario("address-no-such-device-storm", indices),
    scenario("ipv6-disabled-on-interface-storm", switched),
];

/// How often that is told within how long.
const TOLD: usize = 8;
const AGAIN: Duration = Duration::from_secs(10);

/// A request for an address of an interface.
fn request(ifindex: u32) -> AddressRequest {
    AddressRequest {
        ifindex,
        address: ADDRESS,
        prefix_len: 64,
        flags: 0,
        lifetimes: None,
    }
}

/// Checks that so much was told of a storm that went on for so long, and what was
/// not told counted by what was; the last is told in any case.
fn limited(tracer: Tracing, happened: usize, lasted: Duration) -> Result<()> {
    let report = tracer.finish()?;
    report.complete()?;
    let told = report.diagnoses.len();
    let suppressed: u64 = report
        .diagnoses
        .iter()
        .filter_map(|diagnosis| diagnosis.evidence_u64("suppressed").ok())
        .sum();
    // An emulated guest may be at it for longer than once.
    let times = usize::try_from(lasted.as_secs() / AGAIN.as_secs())? + 1;
    ensure!(
        told <= TOLD * times + 1,
        "{told} are told within {lasted:?}"
    );
    ensure!(
        told > TOLD && told as u64 + suppressed == happened as u64,
        "{told} are told, and {suppressed} counted, of {happened}"
    );
    Ok(())
}

/// What is not told is counted by the next that is.
fn refused() -> Result<()> {
    const ASKED: usize = 100;
    let host = Host::new("storm", "v0")?;
    host.set("v0", "disable_ipv6", "1")?;
    let request = request(host.interface.ifindex);
    let tracer = Tracing::start()?;
    let start = Instant::now();
    for _ in 0..ASKED {
        let errno = request.send(&host.netns)?;
        ensure!(errno == libc::EACCES, "the kernel says {errno}");
    }
    let lasted = start.elapsed();
    sleep(AGAIN);
    request.send(&host.netns)?;
    limited(tracer, ASKED + 1, lasted)
}

/// Indices that no interface has are all the same.
fn indices() -> Result<()> {
    const FIRST: u32 = 1000;
    const LAST: u32 = 1100;
    let host = Host::new("indices", "v0")?;
    let tracer = Tracing::start()?;
    let start = Instant::now();
    for ifindex in FIRST..LAST {
        let errno = request(ifindex).send(&host.netns)?;
        ensure!(errno == libc::ENODEV, "the kernel says {errno}");
    }
    let lasted = start.elapsed();
    sleep(AGAIN);
    request(LAST).send(&host.netns)?;
    limited(tracer, usize::try_from(LAST - FIRST)? + 1, lasted)
}

/// Switched off and on, an interface loses its fe80:: each time.
fn switched() -> Result<()> {
    const TIMES: usize = 40;
    let host = Host::new("switching", "v0")?;
    AddressState::wait_for_link_local(&host.netns, "v0")?;
    let tracer = Tracing::start()?;
    let start = Instant::now();
    let switch = || -> Result<()> {
        host.set("v0", "disable_ipv6", "1")?;
        host.set("v0", "disable_ipv6", "0")
    };
    for _ in 0..TIMES {
        switch()?;
    }
    let lasted = start.elapsed();
    sleep(AGAIN);
    switch()?;
    limited(tracer, TIMES + 1, lasted)
}
