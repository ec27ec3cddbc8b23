//! A daemon that fails ten thousand times a second, followed live: nothing is
//! lost, and each failure is explained.

use anyhow::{Context as _, Result, ensure};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::guest::{
    MulticastSocket, Netns, OptmemMax, Tracer, fail_at_a_rate, group, join_until_refused,
};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("optmem-exhausted-storm", storm)];

/// Failures a second, all on one processor.
const RATE: u32 = 10_000;
/// All of them: a second's, or longer where the machine is too slow for the rate.
const FAILURES: u32 = RATE;

/// Joins that fill the socket; the storm's own begin with the first.
const OTHERS: u32 = 1 << 24;

fn storm() -> Result<()> {
    let netns = Netns::new("storm")?;
    let interface = netns.dummy("d0")?;
    let _limit = OptmemMax::set(&netns, 4000)?;
    let socket = MulticastSocket::udp(&netns)?;
    join_until_refused(&socket, interface.ifindex, OTHERS)?.refused_with(libc::ENOMEM)?;
    let tracer = Tracer::text(&["--no-fold"])?;
    let mut first = CpuSet::new();
    first.set(0);
    sched_setaffinity(None, &first).context("cannot stay on the first processor")?;
    fail_at_a_rate(&socket, interface.ifindex, RATE, FAILURES)?;
    // It may have fallen behind, and goes on then.
    tracer.wait_for_lines("  FAILURE  ", FAILURES as usize)?;
    let done = tracer.finish_text()?;
    ensure!(done.status.success(), "v6trace failed: {}", done.stderr);
    // One explanation for each failure, in their order.
    let mut explained = done
        .stdout
        .lines()
        .filter_map(|line| line.split_once(" could not join "))
        .filter_map(|(_, rest)| rest.split_once(" on d0 (ENOMEM)"))
        .map(|(group, _)| group);
    for n in 0..FAILURES {
        let (found, wanted) = (explained.next(), group(n).to_string());
        ensure!(found == Some(&wanted), "{found:?} instead of {wanted}");
    }
    ensure!(explained.next().is_none(), "more than failed");
    for part in [
        format!("v6trace: {FAILURES} diagnoses in "),
        format!(" s, {FAILURES} events seen, no events lost"),
    ] {
        ensure!(done.stderr.contains(&part), "no {part:?}: {}", done.stderr);
    }
    ensure!(!done.stderr.contains("  lost "), "{}", done.stderr);
    Ok(())
}
