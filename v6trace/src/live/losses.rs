//! What was lost, counted once however it shows.
//!
//! The kernel side counts every record that it could not deliver, by CPU and
//! hook. The perf buffers report the same losses a second time, by CPU only;
//! what they report beyond the counters is a loss of its own.

use std::collections::BTreeMap;

use aya::{
    Pod,
    maps::{MapData, MapError, PerCpuArray},
};
use v6trace_common::{HOOKS, HookLoss};

use crate::{clock, record::Lost};

/// [`HookLoss`] as aya reads it from the map.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Counters(HookLoss);

// SAFETY: HookLoss is two u64 without padding (it derives IntoBytes and
// FromBytes), so any bytes of its size are a value of it.
unsafe impl Pod for Counters {}

/// The kernel side's counters, one for each hook and CPU.
pub(super) type LossCounters = PerCpuArray<MapData, Counters>;

/// What has been reported so far.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// By hook and CPU: the counters' sum when last read.
    counted: BTreeMap<(usize, usize), u64>,
    /// By CPU: records that did not fit, by the counters.
    output_failed: BTreeMap<usize, u64>,
    /// By CPU: records that did not fit, by the buffers.
    ring_lost: BTreeMap<u32, u64>,
}

impl Losses {
    /// A buffer reports that records did not fit.
    pub(super) fn ring_lost(&mut self, cpu: u32, count: u64) {
        *self.ring_lost.entry(cpu).or_default() += count;
    }

    /// What the counters show beyond the last time.
    pub(super) fn count(&mut self, counters: &LossCounters) -> Result<Vec<Lost>, MapError> {
        self.output_failed.clear();
        let mut lost = Vec::new();
        for (index, hook) in HOOKS.iter().enumerate() {
            let per_cpu = counters.get(&u32::try_from(index).unwrap_or(u32::MAX), 0)?;
            for (cpu, Counters(loss)) in per_cpu.iter().enumerate() {
                *self.output_failed.entry(cpu).or_default() += loss.output_failed;
                let now = loss.output_failed + loss.call_unknown;
                let before = self.counted.insert((index, cpu), now).unwrap_or_default();
                if now > before {
                    lost.push(Lost {
                        boot_ns: clock::boot_ns(),
                        hook: Some(hook.hook),
                        cpu: u32::try_from(cpu).ok(),
                        count: now - before,
                    });
                }
            }
        }
        Ok(lost)
    }

    /// What the buffers lost and no counter knows of; to be asked once, at the
    /// end, after the last [`Losses::count`].
    pub(super) fn unaccounted(&self) -> Vec<Lost> {
        let beyond = |(&cpu, &lost): (&u32, &u64)| {
            let known = self
                .output_failed
                .get(&(cpu as usize))
                .copied()
                .unwrap_or_default();
            let count = lost.checked_sub(known).filter(|&count| count > 0)?;
            Some(Lost {
                boot_ns: clock::boot_ns(),
                hook: None,
                cpu: Some(cpu),
                count,
            })
        };
        self.ring_lost.iter().filter_map(beyond).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_both_report_counts_once() {
        let mut losses = Losses::default();
        losses.output_failed.insert(0, 7);
        losses.ring_lost(0, 5);
        losses.ring_lost(0, 4);
        losses.ring_lost(3, 2);
        let beyond: Vec<_> = losses
            .unaccounted()
            .iter()
            .map(|lost| (lost.cpu, lost.count))
            .collect();
        assert_eq!(beyond, [(Some(0), 2), (Some(3), 2)]);
    }
}
