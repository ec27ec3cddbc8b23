//! What a report tells → the state.

use std::{cell::RefCell, io, rc::Rc};

use super::{
    State,
    kept::{Place, Told},
};
use crate::{
    event::Event,
    explain::Diagnosis,
    families::process::Followed,
    fold::{Position, Repeats},
    record::Lost,
    recording::Missing,
    render::{Render, Text, answer, entry::Entry, frame::Decoded, time},
    report::Totals,
    session::Session,
};

/// Hands over what is told.
pub(crate) struct Keeper {
    state: Rc<RefCell<State>>,
    /// The frame that the next diagnoses are about, and when it came.
    frame: Option<(u64, Decoded)>,
}

impl Keeper {
    /// Hands it over to this one.
    pub(crate) fn new(state: Rc<RefCell<State>>) -> Self {
        Self { state, frame: None }
    }

    /// Hands a diagnosis over, as one of that time.
    fn add(
        &mut self,
        session: &Session,
        diagnosis: &Diagnosis,
        position: Option<Position>,
        at: i128,
    ) {
        let frame = self.frame.as_ref();
        let frame = frame.filter(|(boot_ns, _)| *boot_ns == diagnosis.boot_ns);
        let frame = frame.map(|(_, frame)| frame.clone());
        let group = position.map(|position| position.group);
        let entry = Entry::new(session, diagnosis, group, frame);
        let date = time::date(session, diagnosis.boot_ns);
        let day = date.split(' ').next().unwrap_or_default();
        let host = crate::event::text(session.info().hostname.as_bytes());
        let of = format!("{day} {host}");
        self.state.borrow_mut().kept.add(entry, Place { at, of });
    }
}

impl Render for Keeper {
    fn session(&mut self, session: &Session) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.kept.another_session();
        state.seen.begin(session.info());
        Ok(())
    }

    fn diagnosis(
        &mut self,
        session: &Session,
        diagnosis: &Diagnosis,
        position: Option<Position>,
    ) -> io::Result<()> {
        let at = session.wall_ns(diagnosis.boot_ns);
        self.add(session, diagnosis, position, at);
        Ok(())
    }

    fn repeats(&mut self, session: &Session, repeats: &Repeats) -> io::Result<()> {
        let newest_ns = repeats.like.boot_ns;
        self.state.borrow_mut().kept.repeated(Told {
            repeats,
            newest: time::milliseconds(session, newest_ns),
            at: session.wall_ns(newest_ns),
        });
        Ok(())
    }

    fn about(&mut self, event: &Event) {
        let frame = event.occurrence().frame().and_then(Decoded::of);
        self.frame = frame.map(|frame| (event.boot_ns, frame));
    }

    fn event(&mut self, _session: &Session, _event: &Event) -> io::Result<()> {
        Ok(())
    }

    fn lost(&mut self, _session: &Session, lost: &Lost) -> io::Result<()> {
        let lost_so_far = &mut self.state.borrow_mut().seen.totals.lost;
        *lost_so_far = lost_so_far.saturating_add(lost.count);
        Ok(())
    }

    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.seen.say(format!("{file}: {missing}"));
        Ok(())
    }

    fn answer(
        &mut self,
        session: &Session,
        followed: &Followed,
        totals: &Totals,
        diagnoses: &[Diagnosis],
    ) -> io::Result<()> {
        let heading = answer::heading(followed, session, totals, diagnoses);
        let heading = heading.trim_end_matches(':').to_owned();
        let notes = answer::notes(followed, session, totals);
        let mut state = self.state.borrow_mut();
        for sentence in [heading].into_iter().chain(notes) {
            state.seen.say(sentence);
        }
        drop(state);
        // The most decisive is to be at the top, whenever it was.
        let last_ns = diagnoses.iter().map(|diagnosis| diagnosis.boot_ns).max();
        let at = session.wall_ns(last_ns.unwrap_or_default());
        for diagnosis in diagnoses.iter().rev() {
            self.add(session, diagnosis, None, at);
        }
        Ok(())
    }

    fn findings(&mut self, count: u64) -> io::Result<()> {
        self.state.borrow_mut().seen.totals.findings = Some(count);
        Ok(())
    }

    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        let mut closing = Vec::new();
        let mut text = Text::new(io::sink(), &mut closing, time::TimeDisplay::Local, false);
        text.summary(session, totals, boot_ns)?;
        let mut state = self.state.borrow_mut();
        state.closing = closing;
        state.count(totals);
        state.seen.ended = true;
        Ok(())
    }

    fn is_for_people(&self) -> bool {
        true
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
