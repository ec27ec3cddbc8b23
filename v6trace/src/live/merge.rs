//! Puts the records of all CPUs into the order of their time.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::event;

/// Records that wait for earlier ones.
#[derive(Debug, Default)]
pub(super) struct Merge {
    waiting: VecDeque<Waiting>,
    /// Whether they are in order.
    sorted: bool,
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
        self.waiting.push_back(Waiting { boot_ns, bytes });
        self.sorted = false;
    }

    /// The earliest record, if it is not later than `until`; of several, the
    /// one that arrived first.
    pub(super) fn pop(&mut self, until: u64) -> Option<Bytes> {
        if !self.sorted {
            // Those of one CPU are mostly in order already, of which a stable
            // sort makes use.
            self.waiting
                .make_contiguous()
                .sort_by_key(|waiting| waiting.boot_ns);
            self.sorted = true;
        }
        if self.waiting.front()?.boot_ns > until {
            return None;
        }
        self.waiting.pop_front().map(|waiting| waiting.bytes)
    }

    /// How many records wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
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

    #[test]
    fn records_leave_in_the_order_of_their_time() {
        let mut merge = Merge::default();
        for (boot_ns, cpu) in [(30, 0), (10, 1), (20, 0), (20, 1), (99, 1)] {
            merge.push(record(boot_ns, cpu));
        }
        let mut left = Vec::new();
        while let Some(bytes) = merge.pop(30) {
            left.push((bytes[8], bytes[24]));
        }
        assert_eq!(left, [(10, 1), (20, 0), (20, 1), (30, 0)]);
        assert!(!merge.is_empty());
    }
}
