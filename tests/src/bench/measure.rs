//! Times an operation that is repeated.

use std::time::Duration;

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

/// How often a measurement is repeated.
const SAMPLES: usize = 5;

/// Nanoseconds that one operation took, for each repetition.
#[derive(Default)]
pub(super) struct Times {
    /// Of the processor on behalf of the calling thread: what interrupts it is
    /// counted, what runs instead of it is not.
    pub(super) own: Vec<f64>,
    /// On the clock. On a single processor that includes whoever reads what
    /// the operation left in a trace buffer.
    pub(super) elapsed: Vec<f64>,
}

/// Runs the operation many times, after a while of warming up. It gets a number
/// that is never the same.
pub(super) fn times(count: u32, mut operation: impl FnMut(u32) -> Result<()>) -> Result<Times> {
    let mut number = 0;
    let mut run = |count: u32| {
        for _ in 0..count {
            operation(number)?;
            number += 1;
        }
        anyhow::Ok(())
    };
    run(count / 4)?;
    let mut times = Times::default();
    for _ in 0..SAMPLES {
        let (own, elapsed) = (now(ClockId::ThreadCPUTime), now(ClockId::Monotonic));
        run(count)?;
        let each =
            |from: Duration, clock| (now(clock) - from).as_secs_f64() * 1e9 / f64::from(count);
        times.own.push(each(own, ClockId::ThreadCPUTime));
        times.elapsed.push(each(elapsed, ClockId::Monotonic));
    }
    Ok(times)
}

/// What the clock shows.
pub(super) fn now(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    // Neither clock ever shows a time before its beginning.
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}
