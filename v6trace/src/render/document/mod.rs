//! A session as a document to send around: HTML that needs nothing else, or Markdown for
//! a ticket.
//!
//! ```text
//! Report -> Document  keeps what is told, at most so much: Part for each session, in it
//!                     an Entry for each diagnosis, with the lines of its repeats
//!        -> overview  a paragraph: what went wrong, since when, what to do first
//!        -> timeline  entries -> lanes and marks, of the same size however many
//!        -> html (with the picture), markdown
//! ```

mod html;
mod markdown;
mod overview;
mod picture;
mod timeline;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{
    Render, answer, caveats,
    entry::{Entry, LIKELY},
    frame, time,
};
use crate::{
    catalogue::{Cause, Severity},
    event::Event,
    explain::Diagnosis,
    families::process::Followed,
    fold::{Position, Repeats},
    record::{Lost, SessionInfo},
    recording::Missing,
    report::Totals,
    session::Session,
};

/// Diagnoses that are told in full, of all sessions.
const MOST_ENTRIES: usize = 400;
/// Sessions; whoever has more can name fewer files.
const MOST_SESSIONS: usize = 64;
/// Messages about what is missing.
const MOST_MISSING: usize = 32;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentFormat {
    /// One page that needs nothing else.
    Html,
    /// Text for a ticket.
    Markdown,
}

/// Keeps what is told, and writes it as one document at the end.
#[derive(Debug)]
pub struct Document<O, E> {
    out: O,
    err: E,
    format: DocumentFormat,
    parts: Vec<Part>,
    /// What files lack.
    missing: Vec<String>,
    more_missing: u64,
    /// Entries of all parts.
    entries: usize,
    /// What alone was asked for.
    asked: Option<String>,
    /// The frame that the next diagnoses are about, and when it came.
    frame: Option<(u64, frame::Decoded)>,
}

/// One session.
#[derive(Debug)]
struct Part {
    info: SessionInfo,
    /// When it began, as date and local time there.
    began: String,
    duration_ns: u64,
    entries: Vec<Entry>,
    /// What is not told in full.
    left_out: BTreeMap<(Cause, Severity), u64>,
    totals: Totals,
    /// Of a session of `v6trace why`: how the command ended.
    answer: Option<String>,
    /// What alone was asked for.
    asked: Option<String>,
    /// Whether the recording is not known to lack anything.
    is_whole: bool,
}

impl<O: Write, E: Write> Document<O, E> {
    /// Writes to `out`, and to `err` what a recording lacks.
    pub fn new(out: O, err: E, format: DocumentFormat) -> Self {
        Self {
            out,
            err,
            format,
            parts: Vec::new(),
            missing: Vec::new(),
            more_missing: 0,
            entries: 0,
            asked: None,
            frame: None,
        }
    }

    /// Says what alone was asked for.
    #[must_use]
    pub fn only(mut self, asked: Option<String>) -> Self {
        self.asked = asked;
        self
    }

    /// Writes the document.
    pub fn finish(mut self) -> io::Result<()> {
        // Which session it is of is not known for certain.
        let is_whole = self.missing.is_empty();
        for part in &mut self.parts {
            part.is_whole = is_whole;
        }
        let text = match self.format {
            DocumentFormat::Html => html::page(&self.parts, &self.missing, self.more_missing),
            DocumentFormat::Markdown => {
                markdown::text(&self.parts, &self.missing, self.more_missing)
            }
        };
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Keeps one; where there is no room, instead of one that matters less.
    fn keep(&mut self, entry: Entry) {
        if self.parts.is_empty() {
            return;
        }
        if self.entries < MOST_ENTRIES {
            self.entries += 1;
        } else if let Some((part, index)) = self.matters_less(&entry) {
            self.parts[part].drop(index);
        } else {
            if let Some(part) = self.parts.last_mut() {
                *part.left_out.entry(entry.key()).or_default() += 1;
            }
            return;
        }
        if let Some(part) = self.parts.last_mut() {
            part.entries.push(entry);
        }
    }

    /// The part and place of the last that is less severe; for the first of a cause in its
    /// session also the last of what has the most, unless that is more severe. So each
    /// cause keeps its first, whatever else there is a lot of.
    fn matters_less(&self, entry: &Entry) -> Option<(usize, usize)> {
        let severity = entry.diagnosis.severity;
        let parts = || self.parts.iter().enumerate().rev();
        let less = parts().find_map(|(part, kept)| {
            let mut kept = kept.entries.iter();
            let index = kept.rposition(|kept| kept.diagnosis.severity > severity)?;
            Some((part, index))
        });
        let last = self.parts.last()?;
        if less.is_some() || last.entries.iter().any(|kept| kept.key() == entry.key()) {
            return less;
        }
        let mut counts = BTreeMap::new();
        for (part, kept) in parts() {
            for (index, kept) in kept.entries.iter().enumerate() {
                let (count, newest) = counts.entry((part, kept.key())).or_insert((0_usize, index));
                *count += 1;
                *newest = index;
            }
        }
        let several = counts
            .into_iter()
            .filter(|((_, (_, of)), (count, _))| *of >= severity && *count > 1);
        let most = several.max_by_key(|(_, (count, _))| *count);
        most.map(|((part, _), (_, newest))| (part, newest))
    }
}

impl<O: Write, E: Write> Render for Document<O, E> {
    fn session(&mut self, session: &Session) -> io::Result<()> {
        if self.parts.len() >= MOST_SESSIONS {
            return Err(io::Error::other(format!(
                "there are more than {MOST_SESSIONS} sessions in these files; name fewer"
            )));
        }
        let info = session.info().clone();
        self.parts.push(Part {
            began: time::date(session, info.boot_ns),
            info,
            duration_ns: 0,
            entries: Vec::new(),
            left_out: BTreeMap::new(),
            totals: Totals::default(),
            answer: None,
            asked: self.asked.clone(),
            is_whole: true,
        });
        Ok(())
    }

    fn diagnosis(
        &mut self,
        session: &Session,
        diagnosis: &Diagnosis,
        position: Option<Position>,
    ) -> io::Result<()> {
        let frame = self.frame.as_ref();
        let frame = frame.filter(|(boot_ns, _)| *boot_ns == diagnosis.boot_ns);
        let frame = frame.map(|(_, frame)| frame.clone());
        let group = position.map(|position| position.group);
        self.keep(Entry::new(session, diagnosis, group, frame));
        Ok(())
    }

    fn repeats(&mut self, _session: &Session, repeats: &Repeats) -> io::Result<()> {
        let Some(part) = self.parts.last_mut() else {
            return Ok(());
        };
        let first = part.entries.iter_mut().rev();
        let mut first = first.filter(|entry| entry.group.is_some());
        if let Some(first) = first.find(|entry| entry.group == Some(repeats.group)) {
            first.repeated_by(repeats);
            return Ok(());
        }
        let key = (repeats.like.cause, repeats.like.severity);
        *part.left_out.entry(key).or_default() += repeats.count;
        Ok(())
    }

    fn answer(
        &mut self,
        session: &Session,
        followed: &Followed,
        totals: &Totals,
        diagnoses: &[Diagnosis],
    ) -> io::Result<()> {
        if let Some(part) = self.parts.last_mut() {
            let heading = answer::heading(followed, session, totals, diagnoses);
            part.answer = Some(heading.trim_end_matches(':').to_owned());
        }
        let mut diagnoses = diagnoses.iter();
        diagnoses.try_for_each(|diagnosis| self.diagnosis(session, diagnosis, None))
    }

    fn about(&mut self, event: &Event) {
        let frame = event.occurrence().frame().and_then(frame::Decoded::of);
        self.frame = frame.map(|frame| (event.boot_ns, frame));
    }

    fn event(&mut self, _session: &Session, _event: &Event) -> io::Result<()> {
        Ok(())
    }

    fn lost(&mut self, _session: &Session, _lost: &Lost) -> io::Result<()> {
        // The totals have them.
        Ok(())
    }

    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        let what = format!("{file}: {missing}");
        // A closed standard error is no reason to fail.
        let _ = writeln!(self.err, "v6trace: {what}");
        if self.missing.len() < MOST_MISSING {
            self.missing.push(what);
        } else {
            self.more_missing += 1;
        }
        Ok(())
    }

    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        if let Some(part) = self.parts.last_mut() {
            part.duration_ns = boot_ns.saturating_sub(session.info().boot_ns);
            part.totals = totals.clone();
        }
        Ok(())
    }

    fn is_for_people(&self) -> bool {
        true
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Part {
    /// What could not be seen, in sentences.
    fn caveats(&self) -> Vec<String> {
        caveats::sentences(
            &self.info.coverage,
            &self.totals,
            self.asked.as_deref(),
            false,
        )
    }

    /// Whether all events of all families were seen and understood.
    fn saw_all(&self) -> bool {
        let coverage = &self.info.coverage;
        let totals = &self.totals;
        self.is_whole
            && coverage.attached().count() == coverage.hooks.len()
            && coverage.troubles().is_empty()
            && coverage.left_out().is_none()
            && totals.lost + totals.unknown + totals.dropped == 0
            && totals.undecoded.is_empty()
    }

    /// Has one that is told in full no longer be so.
    fn drop(&mut self, index: usize) {
        let dropped = self.entries.remove(index);
        *self.left_out.entry(dropped.key()).or_default() += 1 + dropped.repeated;
    }

    /// How many diagnoses are not told in full.
    fn left_out(&self) -> u64 {
        self.left_out.values().sum()
    }
}
