//! What each tracer adds to each workload, and what it needs itself.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use super::place::Place;
use super::tracers::{Purpose, Running, Tracer};
use super::workloads::{self, burst};
use super::{figure, losses};
use crate::guest::OptmemMax;

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
        figure("idle", tracer.name, &[idle(&running)?]);
        workloads::measure(&place, tracer.name, || running.processor_time().map(Some))?;
        figure("memory", tracer.name, &[running.peak_memory()?]);
        figure("stop-after-work", tracer.name, &[running.stop()?]);
        record(&place, tracer)?;
    }
    if let Some(tracer) = tracers.iter().find(|tracer| tracer.explains_more()) {
        let running = tracer.start(Purpose::Router)?;
        let name = format!("{}-transit", tracer.name);
        workloads::measure_router(&place, &name, || running.processor_time().map(Some))?;
        running.stop()?;
    }
    // Once more: what a tracer left behind would show here.
    workloads::measure(&place, "none-afterwards", || Ok(None))
}

/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(20);

/// Processor time that a tracer takes for each second in which there is nothing
/// to trace, ns.
fn idle(running: &Running) -> Result<f64> {
    // Until it has settled down.
    sleep(Duration::from_secs(2));
    let before = running.processor_time()?;
    sleep(IDLE);
    let spent = running.processor_time()? - before;
    Ok(spent / IDLE.as_secs_f64())
}

/// Joins that are recorded, on the one processor.
const RECORDED: u32 = 20_000;
/// How long a recorder may take to have stored what it was told.
const STORED: Duration = Duration::from_secs(3);

/// What recording costs the recorder itself, and how many bytes it takes.
fn record(place: &Place, tracer: &Tracer) -> Result<()> {
    let _limit = OptmemMax::set_host(1 << 22)?;
    tracer.define(Purpose::Record)?;
    let running = tracer.start(Purpose::Record)?;
    let before = running.processor_time()?;
    let sockets = burst::join(place, &[0], RECORDED)?;
    sleep(STORED);
    let spent = running.processor_time()? - before;
    running.stop()?;
    drop(sockets);
    let recorded = tracer.recorded()?;
    figure("record-reader", tracer.name, &[spent / f64::from(RECORDED)]);
    figure("record-bytes", tracer.name, &[losses::per_join(&recorded)?]);
    let missing = u64::from(RECORDED).saturating_sub(recorded.joins);
    figure(
        "record-missing",
        tracer.name,
        &[f64::from(u32::try_from(missing)?)],
    );
    Ok(())
}
