//! The story with a real routing daemon, whose session ends.

use anyhow::Result;
use rustix::process::Signal;

use super::{FIRST, Pair};
use crate::guest::{Bird, Tracer};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("subnet-router-anycast-bird", session_in_a_vrf)];

/// Two BIRDs speak BGP, the neighbour at the first address of the subnet, this
/// host in a VRF. Forwarding is enabled, and the session ends with what is next
/// sent to the neighbour: it comes back to port 179 of this host, where BIRD
/// listens as well. That could be before v6trace can look, so neither sends for as
/// long.
fn session_in_a_vrf() -> Result<()> {
    let pair = Pair::in_vrf()?;
    let times = "hold time 12; connect delay time 1; connect retry time 1;";
    let near = Bird::start(
        &pair.near,
        &format!("vrf \"red\"; local fd00:4::5 as 65001; neighbor fd00:4:: as 65002; {times}"),
    )?;
    let far = Bird::start(
        &pair.far,
        &format!("local fd00:4:: as 65002; neighbor fd00:4::5 as 65001; passive; {times}"),
    )?;
    near.wait_for(true)?;
    let tracer = Tracer::start(&[])?;
    near.signal(Signal::STOP)?;
    far.signal(Signal::STOP)?;
    pair.forward("all", "1")?;
    pair.wait_for(FIRST, true)?;
    tracer.wait_for_line("subnet-router-anycast")?;
    near.signal(Signal::CONT)?;
    far.signal(Signal::CONT)?;
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
