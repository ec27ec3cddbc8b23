//! Addresses that are used while they are tested (RFC 4429).

use std::thread::sleep;

use anyhow::{Context as _, Result};

use super::{ADDRESS, APART, Host, MAC};
use crate::guest::{AddressState, Segment, Tracing};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("dad-loopback-optimistic", advertised)];

/// The kernel advertises an optimistic address under test when the interface
/// asks it to, and takes its own advertisement for somebody else's when the
/// segment reflects it: it has no nonce.
fn advertised() -> Result<()> {
    let segment = Segment::new()?;
    let host = Host::new(&segment, "guest", MAC)?;
    segment.hairpin("to-guest")?;
    host.set("optimistic_dad", "1")?;
    host.set("ndisc_notify", "1")?;
    host.ask_patiently()?;
    let tracer = Tracing::start()?;
    host.add(ADDRESS, "optimistic")?;
    sleep(APART);
    // That tells the neighbours.
    host.netns.ip(&format!("link set eth0 address {MAC}"))?;
    AddressState::Failed.wait(&host.netns, "eth0", ADDRESS)?;
    let report = tracer.finish()?;
    report.complete()?;
    // The solicitation came back as well, and did no harm.
    let mut found = report.diagnoses.iter();
    let failure = found
        .find(|diagnosis| diagnosis.field("severity") == "failure")
        .context("the failure is not explained")?;
    host.expect_failure(failure, "NA", MAC)
        .field("cause", "dad-loopback")
        .field("confidence", "likely")
        .evidence("nonce", "none")
        .evidence("enhanced_dad", 1)
        .evidence("bridge_port", "to-guest")
        .summary_has(["optimistic", "reflected"])
        .some_fix_has("ip netns exec switch bridge link set dev to-guest hairpin off")
        .check()?;
    report.count(2)
}
