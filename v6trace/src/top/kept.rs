//! The diagnoses that are held: the newest, at most so many.

use std::collections::VecDeque;

use crate::{fold::Repeats, render::entry::Entry};

/// How many: some megabytes, and more than anybody reads.
const MOST: usize = 1000;

/// A diagnosis, with what repeated it.
#[derive(Debug)]
pub(super) struct Row {
    /// Its number, which no other has.
    pub(super) number: u64,
    pub(super) entry: Entry,
    /// What is looked for words in, in lower case.
    pub(super) text: String,
    /// The day and the host.
    pub(super) of: String,
    /// When the newest of it was, local time there.
    pub(super) newest: String,
    /// The same, nanoseconds since 1970.
    newest_at: i128,
    /// Whether repeats of it were on other interfaces, or have other values; not all of these
    /// are known.
    pub(super) varies: bool,
    /// Whether the kernel side counted more than it reported.
    pub(super) held_back: bool,
}

/// Where a diagnosis belongs.
pub(super) struct Place {
    /// When it was, nanoseconds since 1970: recordings are given in any order.
    pub(super) at: i128,
    /// The day and the host.
    pub(super) of: String,
}

/// Repeats, and when the newest of them was: local time there, and nanoseconds since 1970.
pub(super) struct Told<'a> {
    pub(super) repeats: &'a Repeats,
    pub(super) newest: String,
    pub(super) at: i128,
}

/// Those that are held, the newest first.
#[derive(Debug, Default)]
pub(super) struct Kept {
    rows: VecDeque<Row>,
    count: u64,
    /// How many were let go, with their repeats.
    let_go: u64,
}

impl Kept {
    /// Those, the newest first.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// The one with this number.
    pub(super) fn row(&self, number: u64) -> Option<&Row> {
        self.rows.iter().find(|row| row.number == number)
    }

    /// How many were let go.
    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }

    /// Holds one more, and lets the oldest go where there is no room.
    pub(super) fn add(&mut self, entry: Entry, Place { at, of }: Place) {
        self.count += 1;
        self.put(Row {
            number: self.count,
            text: searched(&entry, &of).to_lowercase(),
            of,
            newest: entry.time.clone(),
            newest_at: at,
            varies: false,
            held_back: false,
            entry,
        });
        if self.rows.len() > MOST
            && let Some(oldest) = self.rows.pop_back()
        {
            self.let_go += 1 + oldest.entry.repeated;
        }
    }

    /// Ahead of all that are not newer.
    fn put(&mut self, row: Row) {
        let mut rows = self.rows.iter();
        let place = rows.position(|other| other.newest_at <= row.newest_at);
        self.rows.insert(place.unwrap_or(self.rows.len()), row);
    }

    /// Counts repeats, and puts what has repeated where the newest of them belongs.
    pub(super) fn repeated(&mut self, told: Told<'_>) {
        let Told {
            repeats,
            newest,
            at,
        } = told;
        let mut rows = self.rows.iter();
        let found = rows.position(|row| row.entry.group == Some(repeats.group));
        let Some(mut row) = found.and_then(|found| self.rows.remove(found)) else {
            self.let_go += repeats.count;
            return;
        };
        let lines = row.entry.repeats.len();
        row.entry.repeated_by(repeats);
        row.newest = newest;
        row.newest_at = at;
        row.varies |= repeats.interfaces.is_some() || !repeats.changes.is_empty();
        row.held_back |= repeats.held_back > 0;
        for line in &row.entry.repeats[lines..] {
            row.text.push(' ');
            row.text.push_str(&line.to_lowercase());
        }
        self.put(row);
    }

    /// Another session begins, with groups of its own.
    pub(super) fn another_session(&mut self) {
        for row in &mut self.rows {
            row.entry.group = None;
        }
    }
}

/// What somebody may look for: the words that are shown of it.
fn searched(entry: &Entry, of: &str) -> String {
    let diagnosis = &entry.diagnosis;
    let fixes = diagnosis.fix.iter().map(|fix| fix.action.as_str());
    let concerned = concerned(entry);
    let words = [
        diagnosis.severity.label(),
        entry.family(),
        diagnosis.cause.code(),
        &concerned,
        &diagnosis.summary,
        of,
    ];
    let words: Vec<&str> = words.into_iter().chain(fixes).collect();
    words.join(" ")
}

/// Who did it and where, as it follows the cause: `radvd[812]  tap366  netns blue`.
pub(super) fn concerned(entry: &Entry) -> String {
    let mut words = entry.who().unwrap_or_else(|| "kernel".to_owned());
    for (what, name) in entry.place() {
        words += "  ";
        if !what.is_empty() {
            words += what;
            words.push(' ');
        }
        words += &name;
    }
    words
}
