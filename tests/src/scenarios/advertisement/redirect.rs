//! Redirects that are not followed.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::Site;
use crate::guest::{Tracing, redirect};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("redirect-ignored", ignored),
    scenario("redirect-ignored-not-accepted-ones", accepted),
];

const DESTINATION: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x77, 0, 0, 0, 0, 7);
const TARGET: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x54);

fn ignored() -> Result<()> {
    let site = Site::new()?;
    site.heeds()?;
    for (sysctl, wrong, reason, right) in [
        ("accept_redirects", "0", "accept-redirects", "1"),
        ("forwarding", "1", "forwarding", "0"),
    ] {
        site.set(sysctl, wrong)?;
        let tracer = Tracing::start()?;
        for _ in 0..5 {
            site.send(&redirect(TARGET, DESTINATION))?;
        }
        let report = tracer.finish()?;
        report.complete()?;
        let diagnosis = report.only("redirect-ignored")?;
        site.expect(diagnosis)
            .field("operation", "redirect")
            .field("severity", "notice")
            .field("confidence", "certain")
            .field("address", DESTINATION.to_string())
            .evidence("reason", reason)
            .evidence("destination", DESTINATION.to_string())
            .evidence("target", TARGET.to_string())
            .evidence("forwarding", site.get("forwarding")?)
            .evidence("accept_redirects", site.get("accept_redirects")?)
            .summary_has([DESTINATION.to_string(), TARGET.to_string()])
            .check()?;
        if reason == "accept-redirects" {
            diagnosis.follow("accept_redirects=1")?;
        }
        site.set(sysctl, right)?;
        site.heeds()?;
    }
    Ok(())
}

/// One that the kernel looks into.
fn accepted() -> Result<()> {
    let site = Site::new()?;
    site.heeds()?;
    let tracer = Tracing::start()?;
    site.send(&redirect(TARGET, DESTINATION))?;
    tracer.finish()?.silent()
}
