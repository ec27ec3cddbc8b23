//! Programs that try again and again, under many names.

use std::net::Ipv6Addr;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Host, Way};
use crate::guest::Tracing;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("no-route-storm", storm)];

/// So much is told of a namespace within a minute.
const TOLD: usize = 16;

fn storm() -> Result<()> {
    const TRIED: u16 = 300;
    let host = Host::with_address("scan")?;
    let tracer = Tracing::start()?;
    let start = Instant::now();
    for n in 0..TRIED {
        let to = Ipv6Addr::new(0x2001, 0xdb8, 7, n, 0, 0, 0, 9);
        host.tries_as(&format!("name{}", n / 2), Way::Udp, to)?;
    }
    let minutes = usize::try_from(start.elapsed().as_secs() / 60)?;
    let report = tracer.finish()?;
    report.complete()?;
    let told = report.diagnoses.len();
    ensure!(
        (TOLD..=TOLD * (minutes + 1)).contains(&told),
        "{told} are told"
    );
    ensure!(
        report.diagnoses.iter().all(|one| one.cause() == "no-route"),
        "something else is told"
    );
    Ok(())
}
