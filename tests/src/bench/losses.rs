//! One burst of joins on two processors, and how many of them each tracer can
//! show afterwards.

use std::time::Instant;

use anyhow::Result;

use super::figure;
use super::place::Place;
use super::tracers::{Purpose, Recorded, Tracer};
use super::workloads::burst;
use crate::guest::OptmemMax;

/// Joins of each processor.
const JOINS: u32 = 11_119;
/// The processors.
const CPUS: [usize; 2] = [0, 1];

pub(super) fn measure(tracers: &[Tracer]) -> Result<()> {
    let place = Place::make()?;
    let _limit = OptmemMax::set_host(1 << 22)?;
    for tracer in tracers {
        tracer.define(Purpose::Record)?;
        let running = tracer.start(Purpose::Record)?;
        let start = Instant::now();
        let sockets = burst::join(&place, &CPUS, JOINS)?;
        figure(
            "burst-ms",
            tracer.name,
            &[start.elapsed().as_secs_f64() * 1e3],
        );
        running.stop()?;
        drop(sockets);
        let recorded = tracer.recorded()?;
        figure("burst", tracer.name, &[f64::from(JOINS) * 2.0]);
        figure("burst-recorded", tracer.name, &[count(recorded.joins)?]);
        figure("burst-bytes", tracer.name, &[per_join(&recorded)?]);
        if let Some(lost) = recorded.lost {
            figure("burst-reported-lost", tracer.name, &[count(lost)?]);
        }
    }
    Ok(())
}

fn count(number: u64) -> Result<f64> {
    Ok(f64::from(u32::try_from(number)?))
}

/// Bytes on disk for each join that is there.
pub(super) fn per_join(recorded: &Recorded) -> Result<f64> {
    Ok(count(recorded.bytes)? / count(recorded.joins)?.max(1.0))
}
