//! Puts the records of all CPUs into the order of their time.
//!
//! ```text
//! push -> waiting, in any order -> release -> due, in order -> take
//! ```
//!
//! What comes while due records are still being explained waits apart from them,
//! so that nothing is sorted twice.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::event;

/// Records that wait for earlier ones, and those that no longer do.
#[derive(Debug, Default)]
pub(super) struct Merge {
    waiting: Vec<Waiting>,
    due: VecDeque<Bytes>,
}

#[derive(Debug)]
struct Waiting {
    boot_ns: u64,
    bytes: Bytes,
}

impl Merge {
    pub(super) fn push(&mut self, bytes: Bytes) {
        // Without a readable time it goes first; decoding says what is wrong.
        let boot_ns = event::boot_ns(&bytes).unwrap_or_default();
        self.waiting.push(Waiting { boot_ns, bytes });
    }

    /// Makes the records that are not later than `until` due: no earlier one is
    /// going to come.
    pub(super) fn release(&mut self, until: u64) {
        // Those of one CPU are mostly in order already, of which a stable sort
        // makes use.
        self.waiting.sort_by_key(|waiting| waiting.boot_ns);
        let due = self
            .waiting
            .partition_point(|waiting| waiting.boot_ns <= until);
        let due = self.waiting.drain(..due).map(|waiting| waiting.bytes);
        self.due.extend(due);
    }

    /// The earliest of those that are due, at most so many.
    pub(super) fn take(&mut self, most: usize) -> impl Iterator<Item = Bytes> {
        let most = most.min(self.due.len());
        self.due.drain(..most)
    }

    /// How many are due.
    pub(super) fn due(&self) -> usize {
        self.due.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(boot_ns: u64, cpu: u32) -> Bytes {
        let mut bytes = vec![0; size_of::<v6trace_common::RecordHeader>()];
        bytes[8..16].copy_from_slice(&boot_ns.to_le_bytes());
        bytes[24..28].copy_from_slice(&cpu.to_le_bytes());
        bytes.into()
    }

    fn take(merge: &mut Merge, most: usize) -> Vec<(u8, u8)> {
        let taken = merge.take(most).map(|bytes| (bytes[8], bytes[24]));
        taken.collect()
    }

    #[test]
    fn records_leave_in_the_order_of_their_time() {
        let mut merge = Merge::default();
        for (boot_ns, cpu) in [(30, 0), (10, 1), (20, 0), (20, 1), (99, 1)] {
            merge.push(record(boot_ns, cpu));
        }
        assert_eq!(merge.due(), 0);
        merge.release(30);
        assert_eq!(take(&mut merge, 3), [(10, 1), (20, 0), (20, 1)]);
        assert_eq!(merge.due(), 1);
        // Later than all that is due already.
        merge.push(record(40, 0));
        merge.release(50);
        assert_eq!(take(&mut merge, 3), [(30, 0), (40, 0)]);
        assert!(merge.due() == 0 && !merge.is_empty());
    }
}
