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
    /// The session that it is of, by number.
    session: u64,
    /// The day and the host.
    pub(super) of: String,
    /// When the newest of it was, local time there.
    pub(super) newest: String,
    /// Whether repeats of it were on other interfaces, or have other values; not all of these
    /// are known.
    pub(super) varies: bool,
    /// Whether the kernel side counted more than it reported.
    pub(super) held_back: bool,
}

/// Repeats, and when the newest of them was, local time there.
pub(super) struct Told<'a> {
    pub(super) repeats: &'a Repeats,
    pub(super) newest: String,
}

/// Those that are held, the newest first.
#[derive(Debug, Default)]
pub(super) struct Kept {
    rows: VecDeque<Row>,
    count: u64,
    /// The number of the newest session.
    session: u64,
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
    pub(super) fn add(&mut self, entry: Entry, of: String) {
        if self.rows.len() >= MOST
            && let Some(oldest) = self.rows.pop_back()
        {
            self.let_go += 1 + oldest.entry.repeated;
        }
        self.count += 1;
        self.rows.push_front(Row {
            number: self.count,
            text: searched(&entry, &of).to_lowercase(),
            session: self.session,
            of,
            newest: entry.time.clone(),
            varies: false,
            held_back: false,
            entry,
        });
    }

    /// Counts repeats, and puts what has repeated where the newest of them belongs.
    pub(super) fn repeated(&mut self, Told { repeats, newest }: Told<'_>) {
        let mut rows = self.rows.iter();
        let found = rows.position(|row| row.entry.group == Some(repeats.group));
        let Some(mut row) = found.and_then(|found| self.rows.remove(found)) else {
            self.let_go += repeats.count;
            return;
        };
        let lines = row.entry.repeats.len();
        row.entry.repeated_by(repeats);
        row.newest = newest;
        row.varies |= repeats.interfaces.is_some() || !repeats.changes.is_empty();
        row.held_back |= repeats.held_back > 0;
        for line in &row.entry.repeats[lines..] {
            row.text.push(' ');
            row.text.push_str(&line.to_lowercase());
        }
        let is_older = |other: &Row| {
            other.session != row.session || other.entry.newest_ns <= row.entry.newest_ns
        };
        let place = self.rows.iter().position(is_older);
        self.rows.insert(place.unwrap_or(self.rows.len()), row);
    }

    /// Another session begins, with groups of its own.
    pub(super) fn another_session(&mut self) {
        self.session += 1;
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
