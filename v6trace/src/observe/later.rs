//! Records beside which something is looked up some time after they happened.
//!
//! Until then they wait here, and so come into the stream later than what happened
//! after them: an explanation never has to be taken back. What is looked up too early
//! says nothing, so nothing is looked up for those that cannot wait for so long.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use v6trace_common::Kind;

use crate::{event, record::Record};

/// How many may wait. Whoever has a namespace of its own could make any number: where
/// there are more, the namespace with the most of them makes room.
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
    about: About,
    record: Record,
}

/// The interface that a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct About {
    netns: u32,
    ifindex: Option<u32>,
}

/// Records, as far as they do not wait.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Those beside which nothing is to be looked up any more: the same has happened
    /// to the interface again, or too many wait.
    pub(super) given_up: Vec<Record>,
    pub(super) others: Vec<Record>,
}

impl Later {
    pub(super) fn new(delays: Vec<(Kind, Duration)>) -> Self {
        Self {
            delays,
            waiting: VecDeque::new(),
        }
    }

    /// Keeps those that have to wait, and gives back the others.
    pub(super) fn put_off(&mut self, records: Vec<Record>) -> Sorted {
        let mut sorted = Sorted::default();
        // Most of the time there are none, and no record is moved.
        if !records.iter().any(|record| self.until(record).is_some()) {
            sorted.others = records;
            return sorted;
        }
        for record in records {
            match self.until(&record) {
                Some((until_ns, about)) => {
                    let waiting = Waiting {
                        until_ns,
                        about,
                        record,
                    };
                    sorted.given_up.extend(self.wait(waiting));
                }
                None => sorted.others.push(record),
            }
        }
        sorted
    }

    /// Has one more wait, and gives back what does not any longer.
    fn wait(&mut self, new: Waiting) -> Option<Record> {
        let before = |waiting: &Waiting| waiting.about == new.about;
        let given_up = match self.waiting.iter().position(before) {
            Some(before) => self.waiting.remove(before),
            None if self.waiting.len() < MOST => None,
            None => {
                let crowded = self.crowded(new.about.netns);
                let of_it = |waiting: &Waiting| waiting.about.netns == crowded;
                let oldest = self.waiting.iter().position(of_it);
                oldest.and_then(|oldest| self.waiting.remove(oldest))
            }
        };
        self.waiting.push_back(new);
        given_up.map(|waiting| waiting.record)
    }

    /// The namespace of which the most would wait, with one more of `netns`.
    fn crowded(&self, netns: u32) -> u32 {
        let mut counts = HashMap::from([(netns, 1_usize)]);
        for waiting in &self.waiting {
            *counts.entry(waiting.about.netns).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|&(of, count)| (count, of));
        most.map_or(netns, |(of, _)| of)
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

    /// Until when a record waits, if it does, and what it is about.
    fn until(&self, record: &Record) -> Option<(u64, About)> {
        let Record::Kernel(kernel) = record else {
            return None;
        };
        let kind = event::kind(&kernel.bytes)?;
        let (_, delay) = self.delays.iter().find(|(of, _)| *of == kind)?;
        let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        let event = record.event()?;
        let about = About {
            netns: event.netns,
            ifindex: event.occurrence().ifindex(),
        };
        Some((event.boot_ns.saturating_add(delay), about))
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

    fn record<P: v6trace_common::Payload + IntoBytes + Immutable>(
        payload: &P,
        netns: u32,
        at: u64,
    ) -> Record {
        let Hook(hook) = NOTIFIED;
        let header = RecordHeader {
            size: u16::try_from(size_of::<RecordHeader>() + size_of::<P>()).unwrap(),
            kind: P::KIND.0,
            version: WIRE_VERSION,
            hook,
            netns,
            boot_ns: at,
            ..RecordHeader::new_zeroed()
        };
        Record::kernel([header.as_bytes(), payload.as_bytes()].concat())
    }

    /// An interface of a namespace that came up.
    fn up(netns: u32, ifindex: u32, at: u64) -> Record {
        let missing = LinkLocalMissing {
            ifindex,
            ..LinkLocalMissing::new_zeroed()
        };
        record(&missing, netns, at)
    }

    fn times(records: &[Record]) -> Vec<u64> {
        let events = records.iter().filter_map(Record::event);
        events.map(|event| event.boot_ns).collect()
    }

    #[test]
    fn records_of_a_kind_wait_and_others_do_not() {
        let delay = Duration::from_nanos(50);
        let mut later = Later::new(vec![(LinkLocalMissing::KIND, delay)]);
        let other = record(&SettingsRefused::new_zeroed(), 1, 2);
        let now = later.put_off(vec![up(1, 1, 1), other, up(1, 2, 3)]);
        assert_eq!(times(&now.others), [2]);
        assert_eq!(times(&now.given_up), [0; 0]);
        assert_eq!(times(&later.due(50)), [0; 0]);
        assert_eq!(times(&later.due(51)), [1]);
        // At the end, all of them.
        assert_eq!(times(&later.due(u64::MAX)), [3]);
        assert_eq!(times(&later.due(u64::MAX)), [0; 0]);
    }

    #[test]
    fn what_happens_again_is_waited_for_anew() {
        let delay = Duration::from_nanos(50);
        let mut later = Later::new(vec![(LinkLocalMissing::KIND, delay)]);
        // The index of another namespace is another interface.
        let now = later.put_off(vec![up(1, 1, 1), up(2, 1, 2), up(1, 1, 40)]);
        assert_eq!(times(&now.given_up), [1]);
        assert_eq!(times(&later.due(60)), [2]);
        assert_eq!(times(&later.due(90)), [40]);
    }

    #[test]
    fn whoever_has_the_most_makes_room() {
        let mut later = Later::new(vec![(LinkLocalMissing::KIND, Duration::MAX)]);
        let most = u32::try_from(MOST).unwrap();
        let now = later.put_off((0..=most).map(|at| up(1, at, at.into())).collect());
        assert_eq!(times(&now.given_up), [0]);
        let now = later.put_off(vec![up(2, 1, 5000)]);
        assert_eq!(times(&now.given_up), [1]);
        let now = later.put_off(vec![up(1, 9999, 6000)]);
        assert_eq!(times(&now.given_up), [2]);
        let rest = times(&later.due(u64::MAX));
        assert_eq!(rest.len(), MOST);
        assert!(rest.contains(&5000));
    }
}
