//! What each tracer adds to each workload, and what it needs itself.

use anyhow::Result;

use super::figure;
use super::place::Place;
use super::tracers::{Purpose, Tracer};
use super::workloads;

/// How often a tracer is started only to see how long that takes.
const STARTS: usize = 2;

pub(super) fn measure(tracers: &[Tracer]) -> Result<()> {
    let place = Place::make()?;
    workloads::measure(&place, "none")?;
    for tracer in tracers {
        let mut starts = Vec::new();
        let mut stops = Vec::new();
        let mut memory = Vec::new();
        tracer.define(Purpose::Explain)?;
        for run in 0..=STARTS {
            let running = tracer.start(Purpose::Explain)?;
            starts.push(running.start_ms);
            if run == STARTS {
                workloads::measure(&place, tracer.name)?;
                memory.push(running.peak_memory()?);
            }
            stops.push(running.stop()?);
        }
        figure("start", tracer.name, &starts);
        figure("memory", tracer.name, &memory);
        figure("stop", tracer.name, &stops);
    }
    // Once more: what a tracer left behind would show here.
    workloads::measure(&place, "none-afterwards")
}
