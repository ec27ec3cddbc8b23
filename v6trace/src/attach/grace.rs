//! Grace periods that the kernel hurries through while programs are detached.
//!
//! Each probe that goes waits two or three times until every CPU has been seen
//! outside of the kernel's read-side sections, one probe after the other under
//! one lock: some 30 ms each on an idle host, whose CPUs the kernel is in no
//! hurry to look at. Told to hurry, it asks them by interrupt. Taking a probe
//! away interrupts all of them in any case, to change the code that they run.

use std::fs;

/// Whether the kernel hurries, for all who wait. Real-time kernels, and those
/// booted with `rcupdate.rcu_normal`, do not whatever this says.
const EXPEDITED: &str = "/sys/kernel/rcu_expedited";

/// Hurried grace periods, for as long as this lives.
pub(super) struct Hurry(());

impl Hurry {
    /// None where the kernel hurries in any case, or may not be told.
    pub(super) fn begin() -> Option<Self> {
        let before = fs::read_to_string(EXPEDITED).ok()?;
        (before.trim() == "0" && fs::write(EXPEDITED, "1").is_ok()).then_some(Self(()))
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        if let Err(error) = fs::write(EXPEDITED, "0") {
            log::warn!("{EXPEDITED} stays 1: {error}");
        }
    }
}
