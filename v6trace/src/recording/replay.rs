//! Items of recordings → the report that live tracing would have given.

use std::io;

use super::{Item, Missing, Opening};
use crate::{record::Record, render::Render, report::Report};

/// Feeds a report with what recordings hold, one recording or piece after the
/// other.
pub struct Replay<R> {
    report: Report<R>,
    /// What the items come from, for messages.
    file: String,
    /// The recording whose session is open.
    open: Option<String>,
    /// Whether that session goes on in another piece.
    continued: bool,
    /// Records ahead of any opening.
    unopened: u64,
    whole: bool,
}

impl<R: Render> Replay<R> {
    /// Feeds `report`.
    pub fn new(report: Report<R>) -> Self {
        Self {
            report,
            file: String::new(),
            open: None,
            continued: false,
            unopened: 0,
            whole: true,
        }
    }

    /// The items that follow come from this file.
    pub fn begin_file(&mut self, name: &str) {
        name.clone_into(&mut self.file);
    }

    /// Whether the session is over, so that nothing follows.
    pub fn has_ended(&self) -> bool {
        self.report.has_ended()
    }

    /// Whether the session goes on in another piece.
    pub fn is_continued(&self) -> bool {
        self.continued
    }

    /// Whether what this opens is open already.
    pub fn is_open(&self, opening: &Opening) -> bool {
        self.open.as_ref() == Some(&opening.recording)
    }

    /// Takes the next item.
    pub fn take(&mut self, item: Item) -> io::Result<()> {
        match item {
            Item::Opening(opening) => {
                if self.is_open(&opening) {
                    self.continued = false;
                    return Ok(());
                }
                self.close()?;
                self.tell_unopened()?;
                self.open = Some(opening.recording);
                let _ = self.report.feed(Record::Session(opening.session))?;
            }
            Item::Damaged(damage) => self.tell(&Missing::Damaged(damage))?,
            Item::Unrecorded { records } => self.tell(&Missing::Unrecorded { records })?,
            Item::Unknown { .. } => self.report.unknown(),
            Item::Continued { .. } => self.continued = true,
            Item::Record(_) if self.open.is_none() => self.unopened += 1,
            Item::Record(record) => {
                // That a user has seen enough is the report's to know.
                let _ = self.report.feed(record)?;
            }
        }
        Ok(())
    }

    /// Closes what is open and says whether everything recorded was there.
    pub fn finish(mut self) -> io::Result<(bool, R)> {
        self.close()?;
        self.tell_unopened()?;
        self.report.flush()?;
        Ok((self.whole, self.report.into_render()))
    }

    /// Lets the reader have everything so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.report.flush()
    }

    fn close(&mut self) -> io::Result<()> {
        if self.open.take().is_none() || self.report.has_ended() {
            return Ok(());
        }
        let missing = if self.continued {
            Missing::NextPiece
        } else {
            Missing::End
        };
        self.continued = false;
        self.tell(&missing)?;
        self.report.close()
    }

    fn tell_unopened(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.unopened) {
            0 => Ok(()),
            records => self.tell(&Missing::Unopened { records }),
        }
    }

    fn tell(&mut self, missing: &Missing) -> io::Result<()> {
        self.whole &= !missing.is_loss();
        self.report.missing(&self.file, missing)
    }
}
