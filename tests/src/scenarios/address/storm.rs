//! Programs that ask again and again.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{ADDRESS, Host};
use crate::guest::{AddressRequest, Tracer};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("address-ipv6-disabled-storm", storm)];

/// How often the program asks, how often that is told, and for how long.
const ASKED: usize = 100;
const TOLD: usize = 8;
const AGAIN: Duration = Duration::from_secs(10);

/// What is not told is counted by the next that is.
fn storm() -> Result<()> {
    let host = Host::new("storm", "v0")?;
    host.set("v0", "disable_ipv6", "1")?;
    let request = AddressRequest {
        ifindex: host.interface.ifindex,
        address: ADDRESS,
        prefix_len: 64,
        flags: 0,
        lifetimes: None,
    };
    let tracer = Tracer::start(&[])?;
    for _ in 0..ASKED {
        let errno = request.send(&host.netns)?;
        ensure!(errno == libc::EACCES, "the kernel says {errno}");
    }
    sleep(AGAIN);
    request.send(&host.netns)?;
    let report = tracer.finish()?;
    report.complete()?;
    let told = report.diagnoses.len();
    let suppressed: u64 = report
        .diagnoses
        .iter()
        .filter_map(|diagnosis| diagnosis.evidence_u64("suppressed").ok())
        .sum();
    // An emulated guest may be at it for longer than that.
    ensure!(
        told > TOLD && told as u64 + suppressed == ASKED as u64 + 1,
        "{told} are told, and {suppressed} counted, of {}",
        ASKED + 1
    );
    Ok(())
}
