//! A tracer that cannot keep up loses records, and says exactly how many.

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::Value;

use crate::guest::{MulticastSocket, Netns, OptmemMax, Tracer, join_each};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("lost-records-are-counted", counted)];

/// Many times what fits into the smallest buffer.
const JOINS: u32 = 1200;

/// Every join is an event or a loss.
fn counted() -> Result<()> {
    let netns = Netns::new("loss")?;
    netns.ip("link add d0 type dummy")?;
    let interface = crate::guest::Link::find(&netns, "d0")?;
    let _limit = OptmemMax::set(&netns, 1 << 20)?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracer::start(&["--events", "--buffer-size", "4k"])?;
    tracer.signal(Signal::STOP)?;
    join_each(&socket, interface.ifindex, 0, JOINS)?;
    tracer.signal(Signal::CONT)?;
    let report = tracer.finish()?;
    let of_joins = |object: &&Value| object["hook"] == "multicast-join";
    let received = report.events.iter().filter(of_joins).count();
    let lost: u64 = report
        .lost
        .iter()
        .filter(of_joins)
        .filter_map(|lost| lost["count"].as_u64())
        .sum();
    ensure!(lost > 0, "nothing was lost, {received} events came through");
    ensure!(
        u64::try_from(received)? + lost == u64::from(JOINS),
        "{JOINS} joins, but {received} events and {lost} losses: {:?}",
        report.lost
    );
    ensure!(report.lost_total()? == lost, "{:?}", report.lost);
    ensure!(
        report.stderr.contains(&lost.to_string()),
        "stderr does not say that {lost} were lost: {}",
        report.stderr
    );
    // A processor is named where records were lost on one.
    for loss in &report.lost {
        ensure!(loss["cpu"].is_u64() || loss["cpu"].is_null(), "{loss}");
    }
    Ok(())
}
