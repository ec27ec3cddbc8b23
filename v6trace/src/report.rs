//! The stream → what the user reads.
//!
//! ```text
//! Record -> decode -> Session, diagnose -> Filter -> Render -> stdout, stderr
//!                                              |-> Together -|  text: parts of one thing
//!                                              \-> Fold -----/  text: repeats, counted
//! ```
//!
//! The same for live tracing and for any stored stream.

use std::{collections::BTreeMap, io, ops::ControlFlow};

use crate::{
    catalogue::Cause,
    check::{self, Checked, Question},
    event::{DecodeError, Event},
    explain::{Diagnosis, Subject, explain},
    filter::Filter,
    fold::{Fold, OfState, Repeats},
    record::{KernelRecord, Lookup, Record, SessionInfo},
    recording::Missing,
    render::Render,
    session::Session,
    together::Together,
    why::Answer,
};

/// What is left to the user's choice.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which occurrences to show.
    pub filter: Filter,
    /// Show every decoded event as well.
    pub events: bool,
    /// Show each diagnosis by itself, also parts of one thing and what repeats.
    pub singly: bool,
    /// Stop after so many diagnoses.
    pub count: Option<u64>,
    /// Show what this has for an answer in the host as the session began, and nothing
    /// else.
    pub check: Option<Question>,
    /// Show everything, also where processes are followed.
    pub everything: bool,
}

impl Options {
    /// Whether as much has been shown as was asked for.
    fn is_enough(&self, totals: &Totals) -> bool {
        self.count.is_some_and(|count| totals.shown() >= count)
    }
}

/// Counts for the closing summary.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Diagnoses shown, by cause.
    pub diagnoses: BTreeMap<Cause, u64>,
    /// What was the matter with the host as the session began; `None` where it was not
    /// looked at.
    pub findings: Option<u64>,
    /// What could not be seen of it.
    pub unseen: Option<Checked>,
    /// Events decoded.
    pub events: u64,
    /// Events known to be lost.
    pub lost: u64,
    /// Records that could not be decoded, by what is wrong with them.
    pub undecoded: BTreeMap<String, u64>,
    /// Entries of a recording that this version does not understand.
    pub unknown: u64,
    /// Diagnoses for which an answer had no room.
    pub dropped: u64,
}

/// How many things can be wrong with records before the rest is counted
/// together: a hostile stream could name millions.
const MAX_UNDECODED: usize = 32;

impl Totals {
    /// Diagnoses shown, of all causes.
    pub fn shown(&self) -> u64 {
        self.diagnoses.values().sum()
    }
}

/// Consumes a stream and renders it.
pub struct Report<R> {
    options: Options,
    render: R,
    session: Option<Session>,
    totals: Totals,
    /// What is shown at the end, where processes are followed.
    answer: Answer,
    /// Diagnoses that are told as one; `None` where each is told by itself.
    together: Option<Together>,
    /// Those that are alike.
    fold: Fold,
    /// Whether these are counted, and not told each.
    folds: bool,
    /// The boot time of what came last.
    last_ns: u64,
    ended: bool,
}

impl<R: Render> Report<R> {
    /// A report that has seen nothing yet.
    pub fn new(options: Options, render: R) -> Self {
        let folds = render.is_for_people() && !options.events && !options.singly;
        Self {
            options,
            render,
            session: None,
            totals: Totals::default(),
            answer: Answer::default(),
            together: folds.then(Together::default),
            fold: Fold::default(),
            folds,
            last_ns: 0,
            ended: false,
        }
    }

    /// Whether the session has been closed.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether as much has been shown as was asked for.
    pub fn has_enough(&self) -> bool {
        self.enough()
    }

    /// Forgets what namespaces are called, until it is told again.
    pub fn forget_names(&mut self) {
        if let Some(session) = &mut self.session {
            session.forget_names();
        }
    }

    /// Until when something may come of what followed processes did, nanoseconds since boot.
    pub fn settled_ns(&self, ended_well: bool) -> u64 {
        let followed = self.session.as_ref().and_then(Session::followed);
        followed.map_or(0, |followed| followed.settled_ns(ended_well))
    }

    /// Tells what waits for an event that may be missing, or for the like of it.
    pub fn wait_no_longer(&mut self) -> io::Result<()> {
        self.tell(Together::rest)?;
        self.tell_repeats(Fold::rest)
    }

    /// Whether repeats are to be told by `now`, nanoseconds since boot, though nothing else
    /// happens: the stream is then to say that it is so late.
    pub fn is_due(&self, now: u64) -> bool {
        !self.ended && self.fold.is_due(now)
    }

    /// Counts for the closing summary, so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Says that a stored stream is not whole.
    pub fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        self.render.missing(file, missing)
    }

    /// Counts an entry of a recording that is not understood.
    pub fn unknown(&mut self) {
        self.totals.unknown += 1;
    }

    /// Closes a session that has no end of its own.
    pub fn close(&mut self) -> io::Result<()> {
        let _ = self.feed(&Record::End {
            boot_ns: self.last_ns,
        })?;
        Ok(())
    }

    /// Lets the reader have everything so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.render.flush()
    }

    /// What renders it.
    pub fn into_render(self) -> R {
        self.render
    }

    /// Takes one record. `Break` says that the user has seen enough; the
    /// stream is then still to be ended.
    pub fn feed(&mut self, record: &Record) -> io::Result<ControlFlow<()>> {
        let session = match (record, &mut self.session) {
            (Record::Session(info), _) => {
                self.wait_no_longer()?;
                self.open(info.clone())?;
                return Ok(ControlFlow::Continue(()));
            }
            (_, Some(session)) => session,
            (_, None) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the stream does not open with a session record",
                ));
            }
        };
        match record {
            Record::Session(_) => {}
            Record::Kernel(record) => return self.kernel(record),
            // Each piece of a recording has it again.
            Record::Lookup(Lookup::Snapshot(_) | Lookup::Checked(_))
                if self.totals.findings.is_some() => {}
            Record::Lookup(lookup) => {
                session.learn(lookup.clone());
                match lookup {
                    Lookup::Checked(checked) => self.check(checked)?,
                    Lookup::Quiet(quiet) => {
                        self.last_ns = self.last_ns.max(quiet.boot_ns);
                        self.pass(quiet.boot_ns)?;
                    }
                    _ => {}
                }
            }
            Record::Lost(lost) => {
                self.totals.lost = self.totals.lost.saturating_add(lost.count);
                self.last_ns = lost.boot_ns;
                if self.options.check.is_none() {
                    self.render.lost(session, lost)?;
                }
                self.tell(|together| together.lost(lost.hook))?;
                self.pass(lost.boot_ns)?;
            }
            &Record::End { boot_ns } => {
                self.ended = true;
                self.wait_no_longer()?;
                let Some(session) = &self.session else {
                    return Ok(ControlFlow::Continue(()));
                };
                if self.options.check.is_some() {
                    self.render.checked(session, &self.totals, boot_ns)?;
                } else {
                    self.answer()?;
                    self.summary(boot_ns)?;
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// All of the host has been seen: what is the matter with it.
    fn check(&mut self, checked: &Checked) -> io::Result<()> {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        let filter = &self.options.filter;
        let mut found = check::findings(session, self.options.check.unwrap_or(Question::Now));
        found.retain(|finding| filter.admits_finding(finding, session));
        let count = self.totals.findings.unwrap_or_default() + found.len() as u64;
        if self.options.check.is_some() {
            let mut alike = OfState::default();
            for finding in &found {
                let position = alike.take(finding);
                if !self.folds {
                    self.render.finding(session, finding, Some(position))?;
                }
            }
            for (first, others) in alike.told().filter(|_| self.folds) {
                self.render.finding(session, &first, None)?;
                if let Some(others) = others {
                    self.render.repeats(session, &others)?;
                }
            }
        } else if !found.is_empty() {
            self.render.findings(count)?;
        }
        let mut checked = checked.clone();
        checked.failed = checked.failed.saturating_add(session.snapshots().dropped);
        session.forget_snapshots();
        self.last_ns = self.last_ns.max(checked.boot_ns);
        self.totals.findings = Some(count);
        self.totals.unseen = Some(checked);
        Ok(())
    }

    /// Shows what those that are followed came to.
    fn answer(&mut self) -> io::Result<()> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        let Some(followed) = session.followed().filter(|_| !self.options.everything) else {
            return Ok(());
        };
        let mut answer = self.answer.give(followed);
        self.totals.dropped = self.answer.dropped();
        let most = self
            .options
            .count
            .and_then(|count| usize::try_from(count).ok());
        answer.truncate(most.unwrap_or(usize::MAX));
        for diagnosis in &answer {
            *self.totals.diagnoses.entry(diagnosis.cause).or_default() += 1;
        }
        self.render.answer(session, followed, &self.totals, &answer)
    }

    fn summary(&mut self, boot_ns: u64) -> io::Result<()> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        self.render.summary(session, &self.totals, boot_ns)
    }

    fn open(&mut self, info: SessionInfo) -> io::Result<()> {
        let session = Session::new(info);
        self.render.session(&session)?;
        self.last_ns = session.info().boot_ns;
        // What comes ahead of the first session belongs to none.
        let unknown = match self.session {
            None => self.totals.unknown,
            Some(_) => 0,
        };
        self.session = Some(session);
        self.answer = Answer::default();
        self.fold = Fold::default();
        self.totals = Totals {
            unknown,
            ..Totals::default()
        };
        self.ended = false;
        Ok(())
    }

    fn kernel(&mut self, record: &KernelRecord) -> io::Result<ControlFlow<()>> {
        if self.enough() {
            return Ok(ControlFlow::Break(()));
        }
        match &record.event {
            Ok(event) => {
                self.pass(event.boot_ns)?;
                self.event(event)?;
                self.end(event)?;
            }
            Err(error) => self.undecoded(*error),
        }
        if let Some(session) = &mut self.session {
            session.forget_around();
            // Whether or not it was shown: what is said of the next one does not
            // depend on a filter.
            if let Ok(event) = &record.event {
                session.remember(event);
            }
        }
        Ok(if self.enough() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        self.totals.events += 1;
        // What was looked at later comes later than it happened.
        self.last_ns = self.last_ns.max(event.boot_ns);
        if self.options.check.is_some() || !self.options.filter.admits(event, session) {
            return Ok(());
        }
        let followed = session.followed().filter(|_| !self.options.everything);
        if let Some(followed) = followed {
            let is_its = followed.did(event);
            if self.options.events && is_its {
                self.render.event(session, event)?;
            }
            // What the kernel did of itself may come of what they did.
            if is_its || event.culprit().is_none() {
                self.answer.take(event, explain(event, session), followed);
            }
            return Ok(());
        }
        if self.options.events {
            self.render.event(session, event)?;
        }
        self.render.about(event);
        for diagnosis in explain(event, session) {
            // An event may have more of them than are left to show.
            if self.options.is_enough(&self.totals) {
                break;
            }
            *self.totals.diagnoses.entry(diagnosis.cause).or_default() += 1;
            let end = event.occurrence().part_of();
            let told = match (&mut self.together, event.culprit(), end) {
                (Some(together), Some(task), Some(end)) => together.wait(task.tid, end, diagnosis),
                _ => Some(diagnosis),
            };
            if let Some(diagnosis) = told {
                show(
                    &mut self.render,
                    &mut self.fold,
                    self.folds,
                    session,
                    &diagnosis,
                )?;
            }
        }
        Ok(())
    }

    /// Tells as one what the event is the end of.
    fn end(&mut self, event: &Event) -> io::Result<()> {
        let (Some(together), Some(task), Some(session)) =
            (&mut self.together, event.culprit(), &self.session)
        else {
            return Ok(());
        };
        let Some(whole) = event.occurrence().ends() else {
            return Ok(());
        };
        let (before, mut parts) = together.end(task.tid, event.hook, whole.began_ns());
        if parts.len() > 1 {
            parts = vec![whole.together(Subject { event, session }, parts)];
        }
        self.tell(|_| before.into_iter().chain(parts).collect())
    }

    /// Tells what no longer waits, each by itself.
    fn tell(&mut self, ready: impl FnOnce(&mut Together) -> Vec<Diagnosis>) -> io::Result<()> {
        if let (Some(together), Some(session)) = (&mut self.together, &self.session) {
            for diagnosis in ready(together) {
                show(
                    &mut self.render,
                    &mut self.fold,
                    self.folds,
                    session,
                    &diagnosis,
                )?;
            }
        }
        Ok(())
    }

    /// It is `now`, nanoseconds since boot: tells what waits for no longer.
    fn pass(&mut self, now: u64) -> io::Result<()> {
        self.tell(|together| together.overdue(now))?;
        self.tell_repeats(|fold| fold.due(now))
    }

    /// Tells repeats that no longer wait.
    fn tell_repeats(&mut self, ready: impl FnOnce(&mut Fold) -> Vec<Repeats>) -> io::Result<()> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        let mut ready = ready(&mut self.fold).into_iter();
        ready.try_for_each(|repeats| self.render.repeats(session, &repeats))
    }

    fn enough(&self) -> bool {
        self.options.is_enough(&self.totals)
    }

    fn undecoded(&mut self, error: DecodeError) {
        log::debug!("a record was skipped: {error}");
        let mut error = error.to_string();
        let undecoded = &mut self.totals.undecoded;
        if undecoded.len() >= MAX_UNDECODED && !undecoded.contains_key(&error) {
            "other reasons".clone_into(&mut error);
        }
        *undecoded.entry(error).or_default() += 1;
    }
}

/// Shows a diagnosis, or has it wait as a repeat where it `folds`.
fn show(
    render: &mut impl Render,
    fold: &mut Fold,
    folds: bool,
    session: &Session,
    diagnosis: &Diagnosis,
) -> io::Result<()> {
    if !folds && !render.tells_positions() {
        return render.diagnosis(session, diagnosis, None);
    }
    let (position, closed) = fold.place(diagnosis);
    if let Some(repeats) = closed {
        render.repeats(session, &repeats)?;
    }
    if folds && position.repeat > 0 {
        fold.wait(position.group, diagnosis);
        return Ok(());
    }
    render.diagnosis(session, diagnosis, Some(position))
}
