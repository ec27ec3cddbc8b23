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
    /// The recording whose session is open, and its latest piece.
    open: Option<(String, u32)>,
    place: Place,
    /// Whether that session goes on in another piece.
    continued: bool,
    /// Records ahead of any opening.
    unopened: u64,
    whole: bool,
}

/// Where in a file the items come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Its beginning, of which nothing was told yet.
    Begun,
    /// What is told.
    Told,
    /// What is left out, since it came before.
    LeftOut,
}

impl<R: Render> Replay<R> {
    /// Feeds `report`.
    pub fn new(report: Report<R>) -> Self {
        Self {
            report,
            file: String::new(),
            open: None,
            place: Place::Begun,
            continued: false,
            unopened: 0,
            whole: true,
        }
    }

    /// The items that follow come from this file.
    pub fn begin_file(&mut self, name: &str) {
        name.clone_into(&mut self.file);
        self.place = Place::Begun;
    }

    /// Whether the session is over, so that nothing follows.
    pub fn has_ended(&self) -> bool {
        self.report.has_ended()
    }

    /// Whether the user has seen enough.
    pub fn has_enough(&self) -> bool {
        self.report.has_enough()
    }

    /// Whether the session goes on in another piece.
    pub fn is_continued(&self) -> bool {
        self.continued
    }

    /// Whether what this opens is open already.
    pub fn is_open(&self, opening: &Opening) -> bool {
        let open = self.open.as_ref();
        open.is_some_and(|(recording, _)| *recording == opening.recording)
    }

    /// Takes the next item.
    pub fn take(&mut self, item: Item) -> io::Result<()> {
        match item {
            Item::Opening(opening) => self.opening(*opening)?,
            _ if self.place == Place::LeftOut => {}
            Item::Damaged(damage) => {
                self.report.wait_no_longer()?;
                if damage.frames != Some(0) {
                    // It may have said that a name is another's now.
                    self.report.forget_names();
                }
                self.tell(&Missing::Damaged(damage))?;
            }
            Item::Unrecorded { records } => {
                self.report.wait_no_longer()?;
                self.tell(&Missing::Unrecorded { records })?;
            }
            Item::Unknown { .. } => self.report.unknown(),
            Item::Continued { .. } => self.continued = true,
            Item::Record(_) if self.open.is_none() || self.has_ended() => self.unopened += 1,
            Item::Record(record) => {
                // That a user has seen enough is the report's to know.
                let _ = self.report.feed(&record)?;
            }
        }
        Ok(())
    }

    fn opening(&mut self, opening: Opening) -> io::Result<()> {
        let is_open = self.is_open(&opening);
        let Opening {
            recording,
            piece,
            session,
        } = opening;
        if let Some((_, latest)) = &mut self.open
            && is_open
        {
            // After its end there is nothing more of it but in a copy that was made later.
            let is_over = self.report.has_ended();
            let is_told = self.place == Place::Told;
            if is_over || piece < *latest || !is_told && piece == *latest {
                let was_told = std::mem::replace(&mut self.place, Place::LeftOut) == Place::LeftOut;
                return if was_told {
                    Ok(())
                } else {
                    self.tell(&Missing::Again)
                };
            }
            *latest = piece;
            self.place = Place::Told;
            self.continued = false;
            // Those that still hold come with it.
            self.report.forget_names();
            return Ok(());
        }
        self.place = Place::Told;
        self.close()?;
        self.tell_unopened()?;
        self.open = Some((recording, piece));
        let _ = self.report.feed(&Record::Session(session))?;
        if piece > 0 {
            self.tell(&Missing::Start { piece })?;
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
