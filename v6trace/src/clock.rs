//! The clocks that live tracing reads. Nothing that explains reads one.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since boot, suspended time included.
pub(crate) fn boot_ns() -> u64 {
    u64::try_from(nanoseconds(ClockId::Boottime)).unwrap_or_default()
}

/// What to add to a boot time to get nanoseconds since 1970 UTC.
pub(crate) fn boot_to_wall_ns() -> i64 {
    nanoseconds(ClockId::Realtime) - nanoseconds(ClockId::Boottime)
}

fn nanoseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec)
}
