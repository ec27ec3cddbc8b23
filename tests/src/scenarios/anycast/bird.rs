//! The story with a real routing daemon, whose session ends.

use anyhow::Result;

use super::{FIRST, Pair};
use crate::guest::{Bird, Tracing};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("subnet-router-anycast-bird", session_in_a_vrf)];

/// Two BIRDs speak BGP, the neighbour at the first address of the subnet, this
/// host in a VRF. Forwarding is enabled, and the session ends with what is next
/// sent to the neighbour: it comes back to port 179 of this host, where BIRD
/// listens as well. That may be before v6trace can look.
fn session_in_a_vrf() -> Result<()> {
    let pair = Pair::in_vrf()?;
    let times = "hold time 12; connect delay time 1; connect retry time 1;";
    let near = Bird::start(
        &pair.near,
        &format!("vrf \"red\"; local fd00:4::5 as 65001; neighbor fd00:4:: as 65002; {times}"),
    )?;
    let _far = Bird::start(
        &pair.far,
        &format!("local fd00:4:: as 65002; neighbor fd00:4::5 as 65001; passive; {times}"),
    )?;
    near.wait_for(true)?;
    let tracer = Tracing::start()?;
    pair.forward("all", "1")?;
    pair.wait_for(FIRST, true)?;
    near.wait_for(false)?;
    let report = tracer.finish()?;
    report.complete()?;
    let bird = format!("bird[{}]", near.id());
    let diagnosis = report.only("subnet-router-anycast")?;
    pair.expect_of_write(diagnosis, "fd00:4::", "all")
        .field("severity", "hazard")
        .evidence("vrf", "red")
        .summary_has(["VRF", "red", bird.as_str()])
        .check()
}
