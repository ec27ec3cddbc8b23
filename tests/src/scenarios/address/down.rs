//! Interfaces that are set down.

use anyhow::{Result, ensure};

use super::{ADDRESS, Host};
use crate::guest::Tracer;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("addresses-lost-on-down", lost)];

fn lost() -> Result<()> {
    let host = Host::new("flapped", "v0")?;
    host.furnish()?;
    let tracer = Tracer::start(&[])?;
    host.netns.ip("link set v0 down")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("addresses-lost-on-down")?;
    host.expect_all_lost(diagnosis)
        .field("severity", "notice")
        .field("operation", "interface-down")
        .field("comm", "ip")
        .summary_has(["ip", "keep_addr_on_down"])
        .check()?;
    ensure!(host.addresses()?.1 == 0, "something is left");
    diagnosis.follow("keep_addr_on_down=1")?;
    host.netns.ip("link set v0 up")?;
    host.refurnish(diagnosis)?;
    host.netns.ip("link set v0 down")?;
    host.netns.ip("link set v0 up")?;
    host.gets(ADDRESS)?;
    ensure!(!host.routes_behind()?, "routes are kept as well");
    Ok(())
}
