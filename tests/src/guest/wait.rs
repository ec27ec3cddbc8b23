//! Waiting for something to become true, but not for ever.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const PAUSE: Duration = Duration::from_millis(10);

/// How many times as long as looking took it is not looked again: looking often would
/// keep an emulated machine from what is waited for.
const REST: u32 = 4;
/// But no longer than this, however busy the machine is.
const LONGEST: Duration = Duration::from_millis(50);

/// Limits are given for a machine that has nothing else to do; one that others
/// use as well takes this much longer at worst.
pub(super) const SLOWEST: u32 = 4;

/// Waits until `condition` holds.
///
/// # Errors
/// `what` did not come true within `limit`.
pub(crate) fn until(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> bool,
) -> Result<()> {
    until_some(what, limit, || Ok(condition().then_some(())))
}

/// Waits until `probe` gives a value.
///
/// # Errors
/// That of `probe`, or `what` did not come true within `limit`.
pub(crate) fn until_some<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    let limit = limit * SLOWEST;
    loop {
        let looked = Instant::now();
        if let Some(value) = probe()? {
            return Ok(value);
        }
        let took = looked.elapsed();
        if start.elapsed() > limit {
            bail!("waited {} s in vain: {what}", limit.as_secs_f32());
        }
        sleep((took * REST).clamp(PAUSE, LONGEST));
    }
}
