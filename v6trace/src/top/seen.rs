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
    /// Of sessions before it, what could not be seen.
    earlier: Vec<String>,
    /// What files lack, and how commands ended.
    said: Vec<String>,
    /// What alone was asked for.
    pub(super) asked: Option<String>,
    /// Whether that it ends was told.
    pub(super) ended: bool,
}

impl Seen {
    /// Another session begins.
    pub(super) fn begin(&mut self, info: &SessionInfo) {
        let before = self.session.replace(info.clone());
        let totals = std::mem::take(&mut self.totals);
        if let Some(before) = before {
            let host = crate::event::text(before.hostname.as_bytes());
            let sentences = caveats::sentences(&before.coverage, &totals, None);
            let room = MOST.saturating_sub(self.earlier.len());
            let sentences = sentences.into_iter().take(room);
            self.earlier
                .extend(sentences.map(|sentence| format!("{host}, earlier: {sentence}")));
        }
        self.ended = false;
    }

    /// Keeps a sentence.
    pub(super) fn say(&mut self, sentence: String) {
        if self.said.len() < MOST {
            self.said.push(sentence);
        }
    }

    /// All sentences, those of the newest session first.
    pub(super) fn sentences(&self) -> Vec<String> {
        let newest = self.session.as_ref().map(|session| {
            caveats::sentences(&session.coverage, &self.totals, self.asked.as_deref())
        });
        let newest = newest.unwrap_or_default().into_iter();
        newest
            .chain(self.said.iter().cloned())
            .chain(self.earlier.iter().cloned())
            .collect()
    }

    /// Whether something was not seen that belongs to it.
    pub(super) fn is_partial(&self) -> bool {
        let coverage = self.session.as_ref().map(|session| &session.coverage);
        !self.said.is_empty()
            || self.totals.unknown > 0
            || !self.totals.undecoded.is_empty()
            || coverage.is_some_and(|coverage| {
                coverage.without_ipv6.is_some() || !coverage.troubles().is_empty()
            })
    }
}
