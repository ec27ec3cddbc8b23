//! What is known of the sessions beside their diagnoses: who was traced, what was lost, what
//! could not be seen.

use crate::{record::SessionInfo, render::caveats, report::Totals};

/// Sentences of one sort that are kept.
const MOST: usize = 32;

/// The newest session, and what is said of all.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The newest session.
    pub(super) session: Option<SessionInfo>,
    /// Its counts, as far as they are known.
    pub(super) totals: Totals,
    /// How many sessions there were.
    pub(super) sessions: u64,
    /// What the sessions before it lost.
    lost_before: u64,
    /// Whether something was not seen of these.
    was_partial: bool,
    /// Of sessions before it, what could not be seen.
    earlier: Sentences,
    /// What files lack, and how commands ended.
    said: Sentences,
    /// What alone was asked for.
    pub(super) asked: Option<String>,
    /// Whether that it ends was told.
    pub(super) ended: bool,
    /// Whether it is this machine that is traced.
    pub(super) is_live: bool,
}

/// The first sentences of a sort, and how many more there were.
#[derive(Debug, Default)]
struct Sentences {
    kept: Vec<String>,
    more: u64,
}

impl Sentences {
    fn add(&mut self, sentence: String) {
        if self.kept.len() < MOST {
            self.kept.push(sentence);
        } else {
            self.more += 1;
        }
    }

    fn all(&self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("… and {} more such lines.", self.more));
        self.kept.iter().cloned().chain(more)
    }
}

impl Seen {
    /// Another session begins.
    pub(super) fn begin(&mut self, info: &SessionInfo) {
        self.was_partial |= self.newest_is_partial();
        self.lost_before = self.lost();
        self.sessions += 1;
        let before = self.session.replace(info.clone());
        let totals = std::mem::take(&mut self.totals);
        if let Some(before) = before {
            let host = crate::event::text(before.hostname.as_bytes());
            for sentence in caveats::sentences(&before.coverage, &totals, None, self.is_live) {
                self.earlier.add(format!("{host}, earlier: {sentence}"));
            }
        }
        self.ended = false;
    }

    /// Events that all of them lost.
    pub(super) fn lost(&self) -> u64 {
        self.lost_before.saturating_add(self.totals.lost)
    }

    /// Keeps a sentence.
    pub(super) fn say(&mut self, sentence: String) {
        self.said.add(sentence);
    }

    /// What files lack, and how commands ended.
    pub(super) fn said(&self) -> impl Iterator<Item = String> {
        self.said.all()
    }

    /// All sentences, those of the newest session first.
    pub(super) fn sentences(&self) -> Vec<String> {
        let newest = self.session.as_ref().map(|session| {
            let asked = self.asked.as_deref();
            caveats::sentences(&session.coverage, &self.totals, asked, self.is_live)
        });
        let newest = newest.unwrap_or_default().into_iter();
        newest
            .chain(self.said())
            .chain(self.earlier.all())
            .collect()
    }

    /// Whether something was not seen that belongs to it, of any session.
    pub(super) fn is_partial(&self) -> bool {
        self.was_partial || !self.said.kept.is_empty() || self.newest_is_partial()
    }

    fn newest_is_partial(&self) -> bool {
        let Some(session) = &self.session else {
            return false;
        };
        let coverage = &session.coverage;
        let unseen = self.totals.unseen.as_ref();
        self.totals.unknown > 0
            || !self.totals.undecoded.is_empty()
            || unseen.is_some_and(|unseen| unseen.missing().is_some())
            || coverage.attached().count() < coverage.hooks.len()
            || coverage.without_ipv6.is_some()
            || !coverage.troubles().is_empty()
    }
}
