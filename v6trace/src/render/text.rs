//! Text for a person: a sentence, the values that prove it, what to type next.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use super::{
    Render, answer,
    style::{BOLD, CYAN, DIM, Palette, severity},
    time::{TimeDisplay, TimeOfDay},
    values::{push_change, push_field, push_number, push_value, push_who},
    wrap::{GLUE, WIDTH, spaces, wrap},
};
use crate::{
    check::Checked,
    event::Event,
    explain::{Confidence, Diagnosis, Value},
    families::process::Followed,
    field::Field,
    fold::{Change, Of, Position, Repeats},
    record::Lost,
    recording::Missing,
    report::Totals,
    session::Session,
};

/// Column at which a summary begins.
const SUMMARY: usize = 2;
/// Column at which the values of a labelled line begin.
const VALUES: usize = 15;

/// Writes text: what happened to `out`, what is said about it to `err`.
pub struct Text<O, E> {
    out: O,
    err: E,
    time: TimeOfDay,
    quiet: bool,
    palette: Palette,
    /// What is being written, and a paragraph of it before it is wrapped; their
    /// memory is kept, since there may be thousands a second.
    entry: String,
    paragraph: String,
}

impl<O: Write, E: Write> Text<O, E> {
    /// Text with times in the given display; `quiet` leaves out the summary.
    pub fn new(out: O, err: E, time: TimeDisplay, quiet: bool) -> Self {
        Self {
            out,
            err,
            time: TimeOfDay::new(time),
            quiet,
            palette: Palette::COLOURS,
            entry: String::new(),
            paragraph: String::new(),
        }
    }

    /// Leaves the colours of results out: to look for them in the finished text
    /// would take longer than to make it.
    #[must_use]
    pub fn without_colours(mut self) -> Self {
        self.palette = Palette::PLAIN;
        self
    }
}

impl<O: Write, E: Write> Render for Text<O, E> {
    fn session(&mut self, _session: &Session) -> io::Result<()> {
        Ok(())
    }

    fn diagnosis(
        &mut self,
        session: &Session,
        diagnosis: &Diagnosis,
        _position: Option<Position>,
    ) -> io::Result<()> {
        self.entry.clear();
        self.heading(session, diagnosis, true);
        self.explained(diagnosis)
    }

    fn repeats(&mut self, session: &Session, repeats: &Repeats) -> io::Result<()> {
        self.entry.clear();
        let has_who = repeats.of != Of::State || repeats.like.task.is_some();
        self.heading(session, &repeats.like, has_who);
        // Writing to a string cannot fail.
        let _ = writeln!(self.entry, "  … {repeats}");
        self.changes(&repeats.changes);
        self.entry.push('\n');
        self.out.write_all(self.entry.as_bytes())
    }

    fn finding(
        &mut self,
        session: &Session,
        finding: &Diagnosis,
        _position: Option<Position>,
    ) -> io::Result<()> {
        self.entry.clear();
        self.heading(session, finding, finding.task.is_some());
        self.explained(finding)
    }

    fn findings(&mut self, count: u64) -> io::Result<()> {
        self.out.flush()?;
        if self.quiet {
            return Ok(());
        }
        let them = if count == 1 { "it" } else { "them" };
        writeln!(
            self.err,
            "v6trace: {} on this host, `v6trace check` shows {them}; of a recording, `v6trace \
             replay --check FILE`",
            counted_findings(count)
        )
    }

    fn checked(&mut self, _session: &Session, totals: &Totals, _boot_ns: u64) -> io::Result<()> {
        self.out.flush()?;
        if let Some(missing) = totals.unseen.as_ref().and_then(Checked::missing) {
            writeln!(self.err, "v6trace: not seen: {missing}")?;
        }
        if self.quiet {
            return Ok(());
        }
        match totals.findings {
            Some(0) => writeln!(self.err, "v6trace: nothing found"),
            Some(count) => writeln!(self.err, "v6trace: {}", counted_findings(count)),
            None => writeln!(
                self.err,
                "v6trace: what the host was like when recording began is not here: nobody looked, or \
                 it is in the first piece alone"
            ),
        }
    }

    fn event(&mut self, session: &Session, event: &Event) -> io::Result<()> {
        let Self {
            entry: text,
            palette,
            time,
            ..
        } = self;
        text.clear();
        text.push_str(palette.on(DIM));
        time.push(text, session, event.boot_ns);
        for part in ["  ", event.hook.info().name, "  "] {
            text.push_str(part);
        }
        push_who(text, event.culprit());
        let mut between = "  ";
        event.occurrence().fields(&mut |name, field| {
            if !matches!(field, Field::Unknown) {
                for part in [std::mem::replace(&mut between, ", "), name, " "] {
                    text.push_str(part);
                }
                push_field(text, &field);
            }
        });
        if between == "  " {
            text.push_str(between);
        }
        text.push_str(palette.off());
        text.push('\n');
        self.out.write_all(text.as_bytes())
    }

    fn lost(&mut self, session: &Session, lost: &Lost) -> io::Result<()> {
        self.out.flush()?;
        let mut time = String::new();
        self.time.push(&mut time, session, lost.boot_ns);
        let hook = lost
            .hook
            .map_or("a hook that cannot be told", |hook| hook.info().name);
        let count = events(lost.count);
        match lost.cpu {
            Some(cpu) => writeln!(
                self.err,
                "{time}  lost {count} of {hook} on CPU {cpu}; a larger --buffer-size loses less"
            ),
            None => writeln!(
                self.err,
                "{time}  lost {count} of {hook}: the kernel left them out, busy with another"
            ),
        }
    }

    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        self.out.flush()?;
        writeln!(self.err, "v6trace: {file}: {missing}")
    }

    fn answer(
        &mut self,
        session: &Session,
        followed: &Followed,
        totals: &Totals,
        diagnoses: &[Diagnosis],
    ) -> io::Result<()> {
        self.out.flush()?;
        if !self.quiet {
            let heading = answer::heading(followed, session, totals, diagnoses);
            writeln!(self.err, "v6trace: {heading}")?;
        }
        for diagnosis in diagnoses {
            self.diagnosis(session, diagnosis, None)?;
        }
        self.out.flush()?;
        if !self.quiet {
            for note in answer::notes(followed, session, totals) {
                writeln!(self.err, "v6trace: {note}")?;
            }
        }
        Ok(())
    }

    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        self.out.flush()?;
        if self.quiet {
            return Ok(());
        }
        let ms = boot_ns.saturating_sub(session.info().boot_ns) / 1_000_000;
        let shown = match (totals.shown(), session.followed()) {
            (0, None) => "nothing to explain".to_owned(),
            (0, Some(followed)) => processes(followed.count()),
            (1, _) => "1 diagnosis".to_owned(),
            (count, _) => format!("{count} diagnoses"),
        };
        let lost = match totals.lost {
            0 => "no events lost".to_owned(),
            count => {
                let mut lost = String::new();
                Palette::COLOURS.paint(&mut lost, BOLD, &[&events(count), " lost"]);
                lost
            }
        };
        writeln!(
            self.err,
            "v6trace: {shown} in {}.{:01} s, {} seen, {lost}",
            ms / 1000,
            ms % 1000 / 100,
            events(totals.events)
        )?;
        let width = totals
            .diagnoses
            .keys()
            .map(|cause| cause.code().len())
            .max()
            .unwrap_or(0);
        // An answer is read as a whole.
        let is_answer = session.followed().is_some();
        for (cause, count) in totals.diagnoses.iter().filter(|_| !is_answer) {
            writeln!(
                self.err,
                "  {count:>5}  {:<width$}  {}",
                cause.code(),
                cause.title()
            )?;
        }
        for (error, count) in &totals.undecoded {
            writeln!(self.err, "  {count:>5}  records not understood: {error}")?;
        }
        if totals.unknown > 0 {
            writeln!(
                self.err,
                "  {:>5}  entries of the recording not understood: written by a newer v6trace?",
                totals.unknown
            )?;
        }
        Ok(())
    }

    fn is_for_people(&self) -> bool {
        true
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<O: Write, E> Text<O, E> {
    /// What follows the heading.
    fn explained(&mut self, diagnosis: &Diagnosis) -> io::Result<()> {
        self.entry.push('\n');
        spaces(&mut self.entry, SUMMARY);
        wrap(&mut self.entry, &diagnosis.summary, SUMMARY);
        self.evidence(diagnosis);
        self.fixes(diagnosis);
        self.label("more");
        let more = ["v6trace explain ", diagnosis.cause.code()];
        self.palette.paint(&mut self.entry, CYAN, &more);
        self.entry.push_str("\n\n");
        self.out.write_all(self.entry.as_bytes())
    }
}

impl<O, E> Text<O, E> {
    /// `14:02:11.482  FAILURE  optmem-exhausted  radvd[812]  tap366  netns blue`; of a
    /// state, nobody did it.
    fn heading(&mut self, session: &Session, diagnosis: &Diagnosis, has_who: bool) {
        let Self {
            entry: text,
            palette,
            time,
            ..
        } = self;
        text.push_str(palette.on(DIM));
        time.push(text, session, diagnosis.boot_ns);
        text.push_str(palette.off());
        text.push_str("  ");
        let label = [diagnosis.severity.label()];
        palette.paint(text, severity(diagnosis.severity), &label);
        text.push_str("  ");
        palette.paint(text, BOLD, &[diagnosis.cause.code()]);
        if has_who {
            text.push_str("  ");
            push_who(text, diagnosis.task.as_ref());
        }
        if let Some(interface) = &diagnosis.interface {
            text.push_str("  ");
            text.push_str(interface);
        }
        if !session.is_own_namespace(diagnosis.netns) {
            match session.namespace_name(diagnosis.netns) {
                Some(name) => {
                    text.push_str("  netns ");
                    text.push_str(name);
                }
                // The container says better which.
                None if diagnosis.is_their_netns => {}
                None => {
                    text.push_str("  netns ");
                    push_number(text, diagnosis.netns);
                }
            }
        }
        if let Some(pod) = &diagnosis.pod {
            // Writing to a string cannot fail.
            let _ = write!(text, "  pod {pod}");
        } else if let Some(container) = &diagnosis.container {
            text.push_str("  container ");
            text.push_str(container.name());
        }
    }

    /// The values that are known, each with its name on the same line.
    fn evidence(&mut self, diagnosis: &Diagnosis) {
        self.label("evidence");
        let paragraph = &mut self.paragraph;
        paragraph.clear();
        for evidence in &diagnosis.evidence {
            if evidence.value != Value::Unknown {
                if !paragraph.is_empty() {
                    paragraph.push_str(", ");
                }
                paragraph.push_str(evidence.name);
                paragraph.push(GLUE);
                push_value(paragraph, &evidence.value, GLUE);
            }
        }
        if diagnosis.confidence == Confidence::Likely {
            paragraph.push_str(" (likely: inferred, not read)");
        }
        wrap(&mut self.entry, paragraph.trim_start(), VALUES);
    }

    /// What repeats have otherwise.
    fn changes(&mut self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        self.label("changed");
        self.paragraph.clear();
        for change in changes {
            if !self.paragraph.is_empty() {
                self.paragraph.push_str(", ");
            }
            self.paragraph.push_str(change.name);
            self.paragraph.push(GLUE);
            push_change(&mut self.paragraph, change, GLUE);
        }
        wrap(&mut self.entry, &self.paragraph, VALUES);
    }

    /// Actions under one another, with their remarks in a column of their own
    /// where that fits, else each remark below its action.
    fn fixes(&mut self, diagnosis: &Diagnosis) {
        let remarked = || {
            let fixes = diagnosis.fix.iter();
            fixes.filter_map(|fix| Some((fix, fix.remark?)))
        };
        let actions = remarked().map(|(fix, _)| columns(&fix.action));
        let column = actions.max().unwrap_or(0) + 3;
        let fits = remarked().all(|(_, remark)| VALUES + column + columns(remark) + 2 <= WIDTH);
        for (index, fix) in diagnosis.fix.iter().enumerate() {
            self.label(if index == 0 { "fix" } else { "" });
            let Self {
                entry: text,
                palette,
                ..
            } = self;
            palette.paint(text, CYAN, &[&fix.action]);
            if let Some(remark) = fix.remark {
                if fits {
                    spaces(text, column - columns(&fix.action));
                } else {
                    text.push('\n');
                    spaces(text, VALUES + 2);
                }
                palette.paint(text, DIM, &["# ", remark]);
            }
            text.push('\n');
        }
    }

    /// Begins a line with a label, up to the column of the values.
    fn label(&mut self, label: &str) {
        /// Column of the labels.
        const LABELS: usize = 4;
        let text = &mut self.entry;
        spaces(text, LABELS);
        text.push_str(self.palette.on(DIM));
        text.push_str(label);
        spaces(text, (VALUES - LABELS).saturating_sub(label.len()));
        text.push_str(self.palette.off());
    }
}

/// How many columns a text takes.
fn columns(text: &str) -> usize {
    text.chars().count()
}

fn counted_findings(count: u64) -> String {
    if count == 1 {
        "1 finding".to_owned()
    } else {
        format!("{count} findings")
    }
}

fn processes(count: u64) -> String {
    if count == 1 {
        "1 process".to_owned()
    } else {
        format!("{count} processes")
    }
}

fn events(count: u64) -> String {
    if count == 1 {
        "1 event".to_owned()
    } else {
        format!("{count} events")
    }
}
