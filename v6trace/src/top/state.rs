//! All that the screen shows, and what keys do to it.

use ratatui::{crossterm::event::KeyEvent, widgets::ListState};

use super::{kept::Kept, kept::Row, keys, seen::Seen, wanted::Wanted};
use crate::report::Totals;

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// The list.
    #[default]
    List,
    /// The diagnosis with this number, in full.
    One(u64),
    /// The families, of which this one is chosen.
    Families(usize),
    /// What keys do, and what was not seen.
    Help,
}

/// What the state cannot do itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// An end.
    End,
    /// This in the clipboard of whoever looks.
    Copy(String),
    /// A recording of what is held.
    Write,
}

/// What was told so far, and how it is looked at.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) kept: Kept,
    pub(super) seen: Seen,
    pub(super) wanted: Wanted,
    pub(super) shown: Shown,
    /// Whether what is typed goes into the filter, and what it was before.
    pub(super) typing: Option<String>,
    /// The one that is chosen; `None` is the newest, whichever that is.
    pub(super) chosen: Option<u64>,
    /// How far the list is scrolled.
    pub(super) list: ListState,
    /// How far what is shown in full is.
    pub(super) scroll: usize,
    /// How far it can be, as it was drawn last.
    pub(super) furthest: usize,
    /// Lines that fit, likewise.
    pub(super) page: usize,
    /// What became of the last wish, until the next key.
    pub(super) told: Option<String>,
    /// What closes the session as text output says it, for when the screen is given back.
    pub(super) closing: Vec<u8>,
}

impl State {
    /// Nothing was told yet; `asked` is what alone was asked for.
    pub(crate) fn new(is_live: bool, asked: Option<String>) -> Self {
        let mut state = Self::default();
        state.seen.is_live = is_live;
        state.seen.asked = asked;
        state
    }

    /// Whether no session was told of.
    pub(crate) fn is_empty(&self) -> bool {
        self.seen.session.is_none()
    }

    /// Keeps a sentence about what is not there.
    pub(crate) fn say(&mut self, sentence: String) {
        self.seen.say(sentence);
    }

    /// Takes what was counted so far.
    pub(crate) fn count(&mut self, totals: &Totals) {
        self.seen.totals.clone_from(totals);
    }

    /// What closes the session as text output says it.
    #[cfg_attr(
        not(feature = "live"),
        expect(dead_code, reason = "of a recording, `replay` says it")
    )]
    pub(crate) fn closing(&self) -> &[u8] {
        &self.closing
    }

    /// Takes a key.
    pub(crate) fn key(&mut self, key: KeyEvent) -> Option<Wish> {
        self.told = None;
        keys::take(self, key)
    }

    /// Says what became of a wish.
    pub(crate) fn tell(&mut self, what: String) {
        self.told = Some(what);
    }

    /// Those that are to be shown, the newest first.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.kept.rows().filter(|row| self.wanted.admits(row))
    }

    /// The place of the one that is chosen, among those; the newest where it is not there.
    pub(super) fn place(&self) -> usize {
        let chosen = self.chosen;
        let place = chosen.and_then(|chosen| self.rows().position(|row| row.number == chosen));
        place.unwrap_or_default()
    }

    /// The one that is looked at: the one in full, else the one that is chosen.
    pub(super) fn looked_at(&self) -> Option<&Row> {
        match self.shown {
            Shown::One(number) => self.kept.row(number),
            _ => self.rows().nth(self.place()),
        }
    }

    /// Chooses the one at a place.
    pub(super) fn choose(&mut self, place: usize) {
        let count = self.rows().count();
        let place = place.min(count.saturating_sub(1));
        // The newest stays the newest.
        let chosen = self.rows().nth(place).filter(|_| place > 0);
        self.chosen = chosen.map(|row| row.number);
    }
}
