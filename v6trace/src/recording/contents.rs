//! What recordings hold, counted instead of told.

use std::{collections::BTreeMap, io};

use super::Missing;
use crate::{
    catalogue::Cause,
    event::Event,
    explain::Diagnosis,
    fold::Position,
    record::{Lost, SessionInfo},
    render::Render,
    report::Totals,
    session::Session,
};

/// Messages about what is missing that are kept for each file; the rest is
/// counted, since a damaged file can give rise to any number.
const MAX_MISSING: usize = 32;
/// Sessions that are kept; whoever has more can name fewer files.
const MAX_SESSIONS: usize = 64;
/// Losses that are kept by hook and CPU; the rest is not told by CPU.
const MAX_LOST: usize = 1024;

/// Counts what it is given.
#[derive(Debug, Default)]
pub struct Contents {
    /// The sessions, in their order.
    pub sessions: Vec<SessionContents>,
    /// What files are known to lack, in the order in which it was found.
    pub missing: Vec<FileMissing>,
}

/// One session.
#[derive(Clone, Debug)]
pub struct SessionContents {
    /// Who traced what, where and when.
    pub info: SessionInfo,
    /// How long, in nanoseconds; until the last record where the end is
    /// missing.
    pub duration_ns: u64,
    /// Events by the hook that saw them.
    pub events: BTreeMap<&'static str, u64>,
    /// Diagnoses by cause.
    pub diagnoses: BTreeMap<Cause, u64>,
    /// Events that were lost on the way from the kernel, by hook and CPU.
    pub lost: BTreeMap<Place, u64>,
    /// Records and entries that this version does not understand.
    pub undecoded: u64,
}

/// Where events were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The hook, where that can be told.
    pub hook: Option<&'static str>,
    /// The CPU; `None` where that cannot be told, and for those of too many.
    pub cpu: Option<u32>,
}

/// What one file lacks.
#[derive(Clone, Debug)]
pub struct FileMissing {
    /// The file.
    pub file: String,
    /// What is missing, as far as it is worth a line each.
    pub what: Vec<Missing>,
    /// How much more there is.
    pub more: u64,
}

impl SessionContents {
    /// Events of all hooks.
    pub fn event_count(&self) -> u64 {
        self.events.values().sum()
    }

    /// Losses of all hooks on all CPUs.
    pub fn lost_count(&self) -> u64 {
        self.lost
            .values()
            .fold(0, |sum, &count| sum.saturating_add(count))
    }
}

impl Contents {
    fn last(&mut self) -> Option<&mut SessionContents> {
        self.sessions.last_mut()
    }
}

impl Render for Contents {
    fn session(&mut self, session: &Session) -> io::Result<()> {
        if self.sessions.len() >= MAX_SESSIONS {
            return Err(io::Error::other(format!(
                "there are more than {MAX_SESSIONS} sessions in these files; name fewer"
            )));
        }
        self.sessions.push(SessionContents {
            info: session.info().clone(),
            duration_ns: 0,
            events: BTreeMap::new(),
            diagnoses: BTreeMap::new(),
            lost: BTreeMap::new(),
            undecoded: 0,
        });
        Ok(())
    }

    fn diagnosis(
        &mut self,
        _session: &Session,
        _diagnosis: &Diagnosis,
        _position: Option<Position>,
    ) -> io::Result<()> {
        // The totals have them.
        Ok(())
    }

    fn event(&mut self, _session: &Session, event: &Event) -> io::Result<()> {
        if let Some(session) = self.last() {
            *session.events.entry(event.hook.info().name).or_default() += 1;
        }
        Ok(())
    }

    fn lost(&mut self, _session: &Session, lost: &Lost) -> io::Result<()> {
        let Some(session) = self.last() else {
            return Ok(());
        };
        let mut place = Place {
            hook: lost.hook.map(|hook| hook.info().name),
            cpu: lost.cpu,
        };
        if session.lost.len() >= MAX_LOST && !session.lost.contains_key(&place) {
            place.cpu = None;
        }
        let count = session.lost.entry(place).or_default();
        *count = count.saturating_add(lost.count);
        Ok(())
    }

    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        let last = self.missing.last_mut().filter(|last| last.file == file);
        match last {
            Some(last) if last.what.len() >= MAX_MISSING => last.more += 1,
            Some(last) => last.what.push(missing.clone()),
            None => self.missing.push(FileMissing {
                file: file.to_owned(),
                what: vec![missing.clone()],
                more: 0,
            }),
        }
        Ok(())
    }

    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        let began = session.info().boot_ns;
        if let Some(contents) = self.last() {
            contents.duration_ns = boot_ns.saturating_sub(began);
            contents.diagnoses.clone_from(&totals.diagnoses);
            contents.undecoded = totals.undecoded.values().sum::<u64>() + totals.unknown;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
