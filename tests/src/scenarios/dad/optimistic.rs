//! Addresses that are used while they are tested (RFC 4429).

use std::thread::sleep;

use anyhow::{Context as _, Result};

use super::own::{address, mac};
use super::{APART, Host};
use crate::guest::{AddressState, Segment, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("dad-loopback-optimistic", advertised)];

/// The kernel advertises an optimistic address under test when the interface
/// asks it to, and takes its own advertisement for somebody else's when the
/// segment reflects it: it has no nonce.
fn advertised() -> Result<()> {
    let segment = Segment::new()?;
    let host = Host::new(&segment, "guest", mac())?;
    segment.hairpin("to-guest")?;
    host.set("optimistic_dad", "1")?;
    host.set("ndisc_notify", "1")?;
    host.ask_patiently()?;
    let tracer = Tracing::start()?;
    host.add(address(), "optimistic")?;
    sleep(APART);
    // That tells the neighbours.
    host.netns.ip(&format!("link set eth0 address {}", mac()))?;
    AddressState::Failed.wait(&host.netns, "eth0", address())?;
    let report = tracer.finish()?;
    report.complete()?;
    // The solicitation came back as well, and did no harm.
    let mut found = report.diagnoses.iter();
    let failure = found
        .find(|diagnosis| diagnosis.field("severity") == "failure")
        .context("the failure is not explained")?;
    host.expect_failure(failure, "NA", mac())
        .field("cause", "dad-loopback")
        .field("confidence", "likely")
        .evidence("nonce", "none")
        .evidence("enhanced_dad", 1)
        .evidence("bridge_port", "to-guest")
        .summary_has(["optimistic", "reflected"])
        .some_fix_has(&format!(
            "ip netns exec {} bridge link set dev to-guest hairpin off",
            segment.switch.name()
        ))
        .check()?;
    report.count(2)
}
