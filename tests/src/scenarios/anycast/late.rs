//! What is gone or renamed before v6trace can look around: nothing is claimed
//! that was not seen.

use anyhow::Result;
use rustix::process::Signal;
use serde_json::Value;

use super::{FIRST, Pair};
use crate::guest::Tracer;
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("subnet-router-anycast-deleted-before-look-up", deleted),
    alone("subnet-router-anycast-renamed-before-look-up", renamed),
];

/// The interface is gone, and with it the neighbours on it.
fn deleted() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.ping()?;
    let tracer = Tracer::start(&[])?;
    tracer.signal(Signal::STOP)?;
    pair.forward("all", "1")?;
    pair.wait_for(FIRST, true)?;
    pair.interface.clone().delete(&pair.near)?;
    tracer.signal(Signal::CONT)?;
    let report = tracer.finish()?;
    report.complete()?;
    pair.expect_of_write(report.only("subnet-router-anycast")?, "fd00:4::", "all")
        .field("severity", "notice")
        .evidence("used_by", Value::Null)
        .evidence("prefix_len", 64)
        .summary_has_one_of(&["could not be looked up"])
        .summary_has_none_of(&["nothing was found"])
        .check()
}

/// The interface has another name by then, and still its neighbour.
fn renamed() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.ping()?;
    let tracer = Tracer::start(&[])?;
    tracer.signal(Signal::STOP)?;
    pair.forward("all", "1")?;
    pair.wait_for(FIRST, true)?;
    // Kernels before 6.2 rename no interface that is up.
    let renamed = pair.near.ip("link set v0 name v9").is_ok();
    println!("renamed: {renamed}");
    tracer.signal(Signal::CONT)?;
    let report = tracer.finish()?;
    report.complete()?;
    pair.expect_of_write(report.only("subnet-router-anycast")?, "fd00:4::", "all")
        .field("severity", "hazard")
        .summary_has_one_of(&["A neighbour was known to have it"])
        .check()
}
