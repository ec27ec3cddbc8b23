//! Entries → lanes with marks, for a picture of the same size however many there are.
//!
//! A lane is an interface, or a network namespace where none is meant. What falls
//! together in the picture is one mark, which counts.

use super::{Entry, Part};
use crate::catalogue::Severity;

/// Lanes at most; the last of many has the rest.
const MOST_LANES: usize = 12;
/// Places in a lane, next to one another.
const PLACES: u64 = 64;
/// The rest.
const OTHERS: &str = "others";

/// What is drawn.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    pub(super) lanes: Vec<Lane>,
    /// Times below, each with its place.
    pub(super) ticks: Vec<(u64, String)>,
}

/// A row.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: String,
    pub(super) marks: Vec<Mark>,
}

/// Occurrences that fall together.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) place: u64,
    /// Up to where repeats went on.
    pub(super) until: u64,
    pub(super) severity: Severity,
    pub(super) count: u64,
    /// The number of the first entry, from 1 on.
    pub(super) number: usize,
    /// What it is, for who points at it.
    pub(super) title: String,
}

/// The picture has so many places across.
pub(super) const fn places() -> u64 {
    PLACES
}

/// Of one session.
pub(super) fn timeline(part: &Part) -> Timeline {
    let mut timeline = Timeline::default();
    let span = part.duration_ns.max(1);
    let place = |boot_ns: u64| {
        let since = u128::from(boot_ns.saturating_sub(part.info.boot_ns).min(span));
        u64::try_from(since * u128::from(PLACES) / u128::from(span)).unwrap_or(PLACES)
    };
    for (number, entry) in (1..).zip(&part.entries) {
        let lane = timeline.lane(entry);
        let from = place(entry.diagnosis.boot_ns);
        timeline.lanes[lane].mark(number, entry, from, place(entry.newest_ns));
    }
    let tenths = span / 100_000_000;
    timeline.ticks = (0..=4)
        .map(|quarter| {
            let tenths = tenths * quarter / 4;
            let name = format!("+{}.{} s", tenths / 10, tenths % 10);
            (PLACES * quarter / 4, name)
        })
        .collect();
    timeline
}

impl Timeline {
    /// The lane of an entry.
    fn lane(&mut self, entry: &Entry) -> usize {
        let place = entry.place();
        let words = place.iter().take(2).map(|(_, name)| name.as_str());
        let mut name = words.collect::<Vec<_>>().join(" · ");
        if name.is_empty() {
            "host".clone_into(&mut name);
        }
        if let Some(index) = self.lanes.iter().position(|lane| lane.name == name) {
            return index;
        }
        if self.lanes.len() >= MOST_LANES {
            let last = self.lanes.len() - 1;
            OTHERS.clone_into(&mut self.lanes[last].name);
            return last;
        }
        self.lanes.push(Lane {
            name,
            marks: Vec::new(),
        });
        self.lanes.len() - 1
    }
}

impl Lane {
    fn mark(&mut self, number: usize, entry: &Entry, place: u64, until: u64) {
        let severity = entry.diagnosis.severity;
        let count = 1 + entry.repeated;
        let like = self.marks.iter_mut().rev();
        if let Some(mark) = like
            .into_iter()
            .find(|mark| mark.place == place && mark.severity == severity)
        {
            mark.count += count;
            mark.until = mark.until.max(until);
            return;
        }
        self.marks.push(Mark {
            place,
            until,
            severity,
            count,
            number,
            title: format!(
                "{}  {}  {} ({}){}",
                entry.time,
                severity.label(),
                entry.diagnosis.cause.code(),
                entry.family(),
                if entry.elsewhere {
                    ", here and on other interfaces"
                } else {
                    ""
                }
            ),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        catalogue::Cause, explain::Diagnosis, record::SessionInfo, report::Totals, session::Session,
    };

    /// What is said of a namespace, at a time in nanoseconds.
    fn entry(code: &str, netns: u32, at: u64, summary: &str) -> Entry {
        let cause = Cause::from_code(code).unwrap();
        let diagnosis = Diagnosis::of_state(netns, at, cause, summary.to_owned());
        Entry::new(
            &Session::new(SessionInfo::default()),
            &diagnosis,
            None,
            None,
        )
    }

    fn part(entries: Vec<Entry>) -> Part {
        Part {
            info: SessionInfo::default(),
            began: String::new(),
            duration_ns: 1000,
            entries,
            left_out: BTreeMap::new(),
            totals: Totals::default(),
            answer: None,
            asked: None,
            is_whole: true,
        }
    }

    #[test]
    fn the_picture_has_a_size_however_many_there_are() {
        let entries = (0..400).map(|n| entry("no-route", n, u64::from(n), "It went."));
        let drawn = timeline(&part(entries.collect()));
        assert_eq!(drawn.lanes.len(), MOST_LANES);
        assert_eq!(drawn.lanes[MOST_LANES - 1].name, OTHERS);
        let marks = drawn.lanes.iter().flat_map(|lane| &lane.marks);
        assert_eq!(marks.clone().map(|mark| mark.count).sum::<u64>(), 400);
        assert!(marks.count() < MOST_LANES * 65);
    }
}
