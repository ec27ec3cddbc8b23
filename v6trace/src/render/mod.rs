//! A session's records as the user reads them: text, or JSON of a fixed
//! contract; or in a form that other programs read.

pub(crate) mod answer;
pub(crate) mod caveats;
mod csv;
mod document;
pub(crate) mod entry;
pub(crate) mod frame;
mod json;
mod pcapng;
mod style;
mod text;
pub mod time;
mod values;
mod wrap;

use std::io;

pub use csv::Csv;
pub use document::{Document, DocumentFormat};
pub use json::Json;
pub use pcapng::Pcapng;
pub use text::Text;

use crate::{
    event::Event,
    explain::Diagnosis,
    families::process::Followed,
    fold::{Position, Repeats},
    record::Lost,
    recording::Missing,
    report::Totals,
    session::Session,
};

/// A form of output.
pub trait Render {
    /// The stream begins.
    fn session(&mut self, session: &Session) -> io::Result<()>;
    /// An occurrence is explained. Where positions are told, or repeats counted, it has
    /// one among those like it but in an answer.
    fn diagnosis(
        &mut self,
        session: &Session,
        diagnosis: &Diagnosis,
        position: Option<Position>,
    ) -> io::Result<()>;
    /// So many more came that are like one; for a person, instead of each.
    fn repeats(&mut self, _session: &Session, _repeats: &Repeats) -> io::Result<()> {
        Ok(())
    }
    /// What is explained next is about this event.
    fn about(&mut self, _event: &Event) {}
    /// Something happened, explained or not.
    fn event(&mut self, session: &Session, event: &Event) -> io::Result<()>;
    /// Events are missing.
    fn lost(&mut self, session: &Session, lost: &Lost) -> io::Result<()>;
    /// A stored stream is not whole.
    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()>;
    /// These are why the processes that are followed failed, most decisive first.
    fn answer(
        &mut self,
        session: &Session,
        _followed: &Followed,
        _totals: &Totals,
        diagnoses: &[Diagnosis],
    ) -> io::Result<()> {
        let mut diagnoses = diagnoses.iter();
        diagnoses.try_for_each(|diagnosis| self.diagnosis(session, diagnosis, None))
    }
    /// The stream ends, at a boot time.
    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()>;
    /// Something is the matter with the host as the session began.
    fn finding(
        &mut self,
        _session: &Session,
        _finding: &Diagnosis,
        _position: Option<Position>,
    ) -> io::Result<()> {
        Ok(())
    }
    /// So much is, and is not shown here.
    fn findings(&mut self, _count: u64) -> io::Result<()> {
        Ok(())
    }
    /// The stream ends of which only the findings were asked for.
    fn checked(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        self.summary(session, totals, boot_ns)
    }
    /// Whether what reads better as one is to be told so, for a person: programs count.
    fn is_for_people(&self) -> bool {
        false
    }
    /// Whether positions are told: what nobody asks for is not looked for.
    fn tells_positions(&self) -> bool {
        false
    }
    /// Lets the reader have everything so far.
    fn flush(&mut self) -> io::Result<()>;
}

impl<R: Render + ?Sized> Render for Box<R> {
    fn session(&mut self, session: &Session) -> io::Result<()> {
        (**self).session(session)
    }

    fn diagnosis(
        &mut self,
        session: &Session,
        diagnosis: &Diagnosis,
        position: Option<Position>,
    ) -> io::Result<()> {
        (**self).diagnosis(session, diagnosis, position)
    }

    fn repeats(&mut self, session: &Session, repeats: &Repeats) -> io::Result<()> {
        (**self).repeats(session, repeats)
    }

    fn about(&mut self, event: &Event) {
        (**self).about(event);
    }

    fn event(&mut self, session: &Session, event: &Event) -> io::Result<()> {
        (**self).event(session, event)
    }

    fn lost(&mut self, session: &Session, lost: &Lost) -> io::Result<()> {
        (**self).lost(session, lost)
    }

    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        (**self).missing(file, missing)
    }

    fn answer(
        &mut self,
        session: &Session,
        followed: &Followed,
        totals: &Totals,
        diagnoses: &[Diagnosis],
    ) -> io::Result<()> {
        (**self).answer(session, followed, totals, diagnoses)
    }

    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        (**self).summary(session, totals, boot_ns)
    }

    fn finding(
        &mut self,
        session: &Session,
        finding: &Diagnosis,
        position: Option<Position>,
    ) -> io::Result<()> {
        (**self).finding(session, finding, position)
    }

    fn findings(&mut self, count: u64) -> io::Result<()> {
        (**self).findings(count)
    }

    fn checked(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        (**self).checked(session, totals, boot_ns)
    }

    fn is_for_people(&self) -> bool {
        (**self).is_for_people()
    }

    fn tells_positions(&self) -> bool {
        (**self).tells_positions()
    }

    fn flush(&mut self) -> io::Result<()> {
        (**self).flush()
    }
}
