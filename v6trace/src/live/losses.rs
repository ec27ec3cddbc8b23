//! What was lost, counted once however it shows.
//!
//! The kernel side counts every record that it could not deliver, by CPU and
//! hook. The perf buffers report the same losses a second time, by CPU only;
//! what they report beyond the counters is a loss of its own.

use std::collections::BTreeMap;

use aya::Ebpf;
use v6trace_common::{HOOK_COUNT, HOOKS, HookLoss};

use super::words::Words;
use crate::{clock, record::Lost};

/// The kernel side's counters: one [`HookLoss`] for each hook, so for each CPU.
pub(super) struct LossCounters(Words);

impl LossCounters {
    /// Takes the counters of loaded programs.
    pub(super) fn open(ebpf: &mut Ebpf) -> anyhow::Result<Self> {
        Ok(Self(Words::open(ebpf, "LOSSES")?))
    }

    /// Each with its CPU and the hook's place.
    fn iter(&self) -> impl Iterator<Item = (usize, usize, HookLoss)> {
        let mut words = self.0.iter();
        let losses = std::iter::from_fn(move || {
            Some(HookLoss {
                output_failed: words.next()?,
                call_unknown: words.next()?,
            })
        });
        let placed = losses.enumerate();
        placed.map(|(index, loss)| (index / HOOK_COUNT, index % HOOK_COUNT, loss))
    }
}

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
    pub(super) fn count(&mut self, counters: &LossCounters) -> Vec<Lost> {
        self.output_failed.clear();
        let mut lost = Vec::new();
        for (cpu, index, loss) in counters.iter() {
            *self.output_failed.entry(cpu).or_default() += loss.output_failed;
            let now = loss.output_failed + loss.call_unknown;
            let before = self.counted.insert((index, cpu), now).unwrap_or_default();
            if now > before {
                lost.push(Lost {
                    boot_ns: clock::boot_ns(),
                    hook: HOOKS.get(index).map(|info| info.hook),
                    cpu: u32::try_from(cpu).ok(),
                    count: now - before,
                });
            }
        }
        lost
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
