//! How long each tracer takes to start and to stop, by the number of hooks.

use anyhow::Result;

use super::figure;
use super::hooks::COUNTS;
use super::tracers::{Purpose, Tracer};

/// How often each is started.
const STARTS: usize = 3;

pub(super) fn measure(tracers: &[Tracer]) -> Result<()> {
    for tracer in tracers {
        for count in COUNTS {
            let purpose = Purpose::Hooks(count);
            tracer.define(purpose)?;
            let mut starts = Vec::new();
            let mut stops = Vec::new();
            for _ in 0..STARTS {
                let running = tracer.start(purpose)?;
                starts.push(running.start_ms);
                stops.push(running.stop()?);
            }
            figure(&format!("start-{count}"), tracer.name, &starts);
            figure(&format!("stop-{count}"), tracer.name, &stops);
        }
    }
    Ok(())
}
