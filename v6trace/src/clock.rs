//! The clocks that live tracing reads. Nothing that explains reads one.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since boot, suspended time included.
pub(crate) fn boot_ns() -> u64 {
    u64::try_from(nanoseconds(ClockId::Boottime)).unwrap_or_default()
}

/// How often the clocks are compared.
const COMPARISONS: usize = 8;

/// What to add to a boot time to get nanoseconds since 1970 UTC.
pub(crate) fn boot_to_wall_ns() -> i64 {
    // Between two readings the thread may have to wait for its turn. The wall's
    // time lies between two of the other's, so the closest pair is the best.
    let compared = (0..COMPARISONS).map(|_| {
        let before = nanoseconds(ClockId::Boottime);
        let wall = nanoseconds(ClockId::Realtime);
        let apart = nanoseconds(ClockId::Boottime) - before;
        (apart, wall - before - apart / 2)
    });
    compared.min().map(|(_, offset)| offset).unwrap_or_default()
}

fn nanoseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec)
}
