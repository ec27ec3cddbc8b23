//! Times an operation that is repeated.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

/// How often a measurement is repeated.
const SAMPLES: u32 = 5;

/// Operations before the first measurement, if there are as many in one.
const WARM_UP: u32 = 500;

/// How often an operation is done in all that is repeated `count` times for each
/// measurement.
pub(super) const fn operations(count: u32) -> u32 {
    warm_up(count) + SAMPLES * count
}

const fn warm_up(count: u32) -> u32 {
    if count < WARM_UP { count } else { WARM_UP }
}

/// How long to wait, before and after, for whoever still reads what earlier
/// operations left in a trace buffer.
const SETTLE: Duration = Duration::from_secs(2);

/// Nanoseconds of the processor that one operation took on behalf of the
/// calling thread, for each repetition: what interrupts the thread is counted,
/// what runs instead of it is not.
///
/// The operation is repeated `count` times for each, after a while of warming
/// up; it gets a number that is never the same.
pub(super) fn times(count: u32, mut operation: impl FnMut(u32) -> Result<()>) -> Result<Vec<f64>> {
    let mut number = 0;
    let mut run = |count: u32| {
        for _ in 0..count {
            operation(number)?;
            number += 1;
        }
        anyhow::Ok(())
    };
    run(warm_up(count))?;
    sleep(SETTLE);
    let mut times = Vec::new();
    for _ in 0..SAMPLES {
        let before = now();
        run(count)?;
        let spent = now().saturating_sub(before);
        times.push(spent.as_secs_f64() * 1e9 / f64::from(count));
    }
    sleep(SETTLE);
    Ok(times)
}

/// Time that the processor has spent on the calling thread.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // The clock never shows a time before its beginning.
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}
