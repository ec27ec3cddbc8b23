//! What repeats, as one: the first of a group in full, and of those like it a line now
//! and then that counts them.
//!
//! ```text
//! diagnosis -> the open group that it is like, or a new one      its Position, for programs
//!    the first of a group     told at once
//!    a repeat                 waits in its group
//! time passes -> groups whose line is due: what waits, as Repeats
//!             -> groups of which nothing came for a while: closed
//! ```
//!
//! The only clock is that of the records, so a replay folds the same. Where nothing else
//! happens, whoever traces says so in the stream ([`Quiet`](crate::record::Quiet)).

mod alike;
mod repeats;
mod state;

pub use repeats::{Change, Of, Repeats};
pub(crate) use state::OfState;

use crate::explain::Diagnosis;
use repeats::Waiting;

/// Nothing like it for so long: the next is told in full again. Nanoseconds; clearly longer
/// than the 10 s in which the kernel side reports only so many of a process.
const QUIET_NS: u64 = 15_000_000_000;
/// How long after the first of a group its first line may come, and how long a group that
/// goes on and on may be between two lines at last. Each time it is twice as long.
const SOON_NS: u64 = 1_000_000_000;
const AT_LAST_NS: u64 = 60_000_000_000;
/// Groups that are open at most; one more closes the one that has been quiet the longest.
const MOST: usize = 64;

/// Where a diagnosis is among those like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The number of its group in the session, from 1 on.
    pub group: u64,
    /// How many of the group were ahead of it.
    pub repeat: u64,
}

/// The groups that are open.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    groups: Vec<Group>,
    /// How many there have been.
    count: u64,
}

/// Diagnoses that are alike.
#[derive(Debug)]
struct Group {
    number: u64,
    first: Diagnosis,
    repeats: u64,
    newest_ns: u64,
    /// The newest of what has been told.
    told_ns: u64,
    waiting: Option<Waiting>,
    /// When the next line may come, and how long after it another.
    line_ns: u64,
    interval_ns: u64,
}

impl Fold {
    /// Where one more diagnosis is. Where a group makes room for it, what waits of
    /// that one comes with it.
    pub(crate) fn place(&mut self, diagnosis: &Diagnosis) -> (Position, Option<Repeats>) {
        let now = diagnosis.boot_ns;
        let like = self
            .groups
            .iter_mut()
            .find(|group| !group.is_over(now) && alike::alike(&group.first, diagnosis));
        if let Some(group) = like {
            group.repeats += 1;
            group.newest_ns = group.newest_ns.max(now);
            let repeat = group.repeats;
            let group = group.number;
            return (Position { group, repeat }, None);
        }
        let full = self.groups.len() >= MOST;
        let quietest = self.groups.iter().enumerate();
        let quietest = quietest.min_by_key(|(_, group)| group.newest_ns);
        let closed = quietest.filter(|_| full).map(|(index, _)| index);
        let closed = closed.and_then(|index| self.groups.remove(index).told());
        self.count += 1;
        self.groups.push(Group {
            number: self.count,
            first: diagnosis.clone(),
            repeats: 0,
            newest_ns: now,
            told_ns: now,
            waiting: None,
            line_ns: now.saturating_add(SOON_NS),
            interval_ns: SOON_NS,
        });
        let position = Position {
            group: self.count,
            repeat: 0,
        };
        (position, closed)
    }

    /// Has a repeat wait for the next line of its group.
    pub(crate) fn wait(&mut self, group: u64, repeat: &Diagnosis) {
        let group = self.groups.iter_mut().find(|of| of.number == group);
        if let Some(group) = group {
            let waiting = group.waiting.get_or_insert_default();
            waiting.take(&group.first, repeat);
        }
    }

    /// Whether a line is due by `now`, nanoseconds since boot.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        self.groups.iter().any(|group| group.is_due(now))
    }

    /// The lines that are due by then.
    pub(crate) fn due(&mut self, now: u64) -> Vec<Repeats> {
        let due = self.groups.iter_mut().filter(|group| group.is_due(now));
        let lines = due.filter_map(|group| {
            group.interval_ns = group.interval_ns.saturating_mul(2).min(AT_LAST_NS);
            group.line_ns = now.saturating_add(group.interval_ns);
            group.told()
        });
        let lines = lines.collect();
        self.groups.retain(|group| !group.is_over(now));
        lines
    }

    /// All that wait, and no group is open any more.
    pub(crate) fn rest(&mut self) -> Vec<Repeats> {
        let groups = std::mem::take(&mut self.groups);
        groups
            .into_iter()
            .filter_map(|mut group| group.told())
            .collect()
    }
}

impl Group {
    /// Whether nothing has come for so long that what comes now is news.
    fn is_over(&self, now: u64) -> bool {
        now.saturating_sub(self.newest_ns) > QUIET_NS
    }

    fn is_due(&self, now: u64) -> bool {
        self.waiting.is_some() && (now >= self.line_ns || self.is_over(now))
    }

    /// What waits, which is told then.
    fn told(&mut self) -> Option<Repeats> {
        let waiting = self.waiting.take()?;
        let repeats = waiting.told(self.number, &self.first, Of::Time(self.told_ns));
        self.told_ns = repeats.like.boot_ns;
        Some(repeats)
    }
}
