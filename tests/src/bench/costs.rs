//! What each tracer adds to each workload, and what it needs itself.

use anyhow::Result;

use super::figure;
use super::place::Place;
use super::tracers::{Purpose, Tracer};
use super::workloads;

/// How often a tracer is started only to see how long that takes.
const STARTS: usize = 3;

pub(super) fn measure(tracers: &[Tracer]) -> Result<()> {
    let place = Place::make()?;
    workloads::measure(&place, "none", || Ok(None))?;
    for tracer in tracers {
        tracer.define(Purpose::Explain)?;
        let mut starts = Vec::new();
        let mut stops = Vec::new();
        for _ in 0..STARTS {
            let running = tracer.start(Purpose::Explain)?;
            starts.push(running.start_ms);
            stops.push(running.stop()?);
        }
        figure("start", tracer.name, &starts);
        figure("stop", tracer.name, &stops);

        let running = tracer.start(Purpose::Explain)?;
        workloads::measure(&place, tracer.name, || running.processor_time().map(Some))?;
        figure("memory", tracer.name, &[running.peak_memory()?]);
        figure("stop-after-work", tracer.name, &[running.stop()?]);
    }
    // Once more: what a tracer left behind would show here.
    workloads::measure(&place, "none-afterwards", || Ok(None))
}
