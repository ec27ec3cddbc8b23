//! What a report tells → the state.

use std::{cell::RefCell, io, rc::Rc};

use super::State;
use crate::{
    event::Event,
    explain::Diagnosis,
    families::process::Followed,
    fold::{Position, Repeats},
    record::Lost,
    recording::Missing,
    render::{Render, answer, entry::Entry, frame::Decoded},
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
        let frame = self.frame.as_ref();
        let frame = frame.filter(|(boot_ns, _)| *boot_ns == diagnosis.boot_ns);
        let frame = frame.map(|(_, frame)| frame.clone());
        let group = position.map(|position| position.group);
        let entry = Entry::new(session, diagnosis, group, frame);
        self.state.borrow_mut().kept.add(entry);
        Ok(())
    }

    fn repeats(&mut self, _session: &Session, repeats: &Repeats) -> io::Result<()> {
        self.state.borrow_mut().kept.repeated(repeats);
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
        self.state.borrow_mut().seen.say(heading);
        // The most decisive is to be at the top.
        let mut diagnoses = diagnoses.iter().rev();
        diagnoses.try_for_each(|diagnosis| self.diagnosis(session, diagnosis, None))
    }

    fn findings(&mut self, count: u64) -> io::Result<()> {
        self.state.borrow_mut().seen.totals.findings = Some(count);
        Ok(())
    }

    fn summary(&mut self, _session: &Session, totals: &Totals, _boot_ns: u64) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.seen.totals = totals.clone();
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
