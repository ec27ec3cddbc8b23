//! Records beside which something is looked up some time after they happened.
//!
//! Until then they wait here, and so come into the stream later than what happened
//! after them: an explanation never has to be taken back.

use std::{collections::VecDeque, time::Duration};

use v6trace_common::Kind;

use crate::{event, record::Record};

/// How many may wait; whoever has a namespace of its own could make any number. Of
/// more, things are looked up at once, and the explanation says so.
const MOST: usize = 1024;

/// Records that wait.
#[derive(Debug, Default)]
pub(super) struct Later {
    /// For how long after they happened, by kind.
    delays: Vec<(Kind, Duration)>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    until_ns: u64,
    record: Record,
}

impl Later {
    pub(super) fn new(delays: Vec<(Kind, Duration)>) -> Self {
        Self {
            delays,
            waiting: VecDeque::new(),
        }
    }

    /// Keeps those that have to wait, and gives back the others.
    pub(super) fn put_off(&mut self, records: Vec<Record>) -> Vec<Record> {
        // Most of the time there are none, and no record is moved.
        if !records.iter().any(|record| self.until(record).is_some()) {
            return records;
        }
        let mut others = Vec::with_capacity(records.len());
        for record in records {
            match self.until(&record) {
                Some(until_ns) if self.waiting.len() < MOST => {
                    self.waiting.push_back(Waiting { until_ns, record });
                }
                _ => others.push(record),
            }
        }
        others
    }

    /// Those that need not wait any longer than `now`, nanoseconds since boot.
    pub(super) fn due(&mut self, now: u64) -> Vec<Record> {
        let (due, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| waiting.until_ns <= now);
        self.waiting = waiting;
        let due: VecDeque<Waiting> = due;
        due.into_iter().map(|waiting| waiting.record).collect()
    }

    fn until(&self, record: &Record) -> Option<u64> {
        let Record::Kernel(kernel) = record else {
            return None;
        };
        let kind = event::kind(&kernel.bytes)?;
        let (_, delay) = self.delays.iter().find(|(of, _)| *of == kind)?;
        let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        Some(record.event()?.boot_ns.saturating_add(delay))
    }
}

#[cfg(test)]
mod tests {
    use v6trace_common::{
        Hook, Payload as _, RecordHeader, WIRE_VERSION,
        families::address::{LinkLocalMissing, NOTIFIED, SettingsRefused},
    };
    use zerocopy::{FromZeros as _, Immutable, IntoBytes};

    use super::*;

    fn record<P: v6trace_common::Payload + IntoBytes + Immutable>(payload: &P, at: u64) -> Record {
        let Hook(hook) = NOTIFIED;
        let header = RecordHeader {
            size: u16::try_from(size_of::<RecordHeader>() + size_of::<P>()).unwrap(),
            kind: P::KIND.0,
            version: WIRE_VERSION,
            hook,
            boot_ns: at,
            ..RecordHeader::new_zeroed()
        };
        Record::kernel([header.as_bytes(), payload.as_bytes()].concat())
    }

    fn times(records: &[Record]) -> Vec<u64> {
        let events = records.iter().filter_map(Record::event);
        events.map(|event| event.boot_ns).collect()
    }

    #[test]
    fn records_of_a_kind_wait_and_others_do_not() {
        let delay = Duration::from_nanos(50);
        let mut later = Later::new(vec![(LinkLocalMissing::KIND, delay)]);
        let waits = |at| record(&LinkLocalMissing::new_zeroed(), at);
        let other = record(&SettingsRefused::new_zeroed(), 2);
        let now = later.put_off(vec![waits(1), other, waits(3)]);
        assert_eq!(times(&now), [2]);
        assert_eq!(times(&later.due(50)), [0; 0]);
        assert_eq!(times(&later.due(51)), [1]);
        // At the end, all of them.
        assert_eq!(times(&later.due(u64::MAX)), [3]);
        assert_eq!(times(&later.due(u64::MAX)), [0; 0]);
    }

    #[test]
    fn of_more_than_may_wait_none_is_lost() {
        let mut later = Later::new(vec![(LinkLocalMissing::KIND, Duration::MAX)]);
        let many = (0..MOST as u64 + 2).map(|at| record(&LinkLocalMissing::new_zeroed(), at));
        let now = later.put_off(many.collect());
        assert_eq!(times(&now), [MOST as u64, MOST as u64 + 1]);
        assert_eq!(later.due(u64::MAX).len(), MOST);
    }
}
