//! Text for a person: a sentence, the values that prove it, what to type next.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};

use super::{Render, time::TimeDisplay};
use crate::{
    catalogue::Severity,
    event::{Event, Task},
    explain::{Confidence, Diagnosis, Value},
    field::Field,
    record::Lost,
    recording::Missing,
    report::Totals,
    session::Session,
};

/// Columns to which text is wrapped: a terminal's 100, whatever renders it, so
/// that the same session always gives the same text.
const WIDTH: usize = 100;
/// Column at which the values of a labelled line begin.
const VALUES: usize = 15;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const COMMAND: Style = AnsiColor::Cyan.on_default();

/// Writes text: what happened to `out`, what is said about it to `err`.
pub struct Text<O, E> {
    out: O,
    err: E,
    time: TimeDisplay,
    quiet: bool,
}

impl<O: Write, E: Write> Text<O, E> {
    /// Text with times in the given display; `quiet` leaves out the summary.
    pub fn new(out: O, err: E, time: TimeDisplay, quiet: bool) -> Self {
        Self {
            out,
            err,
            time,
            quiet,
        }
    }
}

impl<O: Write, E: Write> Render for Text<O, E> {
    fn session(&mut self, _session: &Session) -> io::Result<()> {
        Ok(())
    }

    fn diagnosis(&mut self, session: &Session, diagnosis: &Diagnosis) -> io::Result<()> {
        let mut text = self.heading(session, diagnosis);
        text.push('\n');
        text.push_str(&wrapped(&diagnosis.summary, "  ", "  "));
        let likely = match diagnosis.confidence {
            Confidence::Certain => "",
            Confidence::Likely => " (likely: inferred, not read)",
        };
        let evidence: Vec<String> = diagnosis
            .evidence
            .iter()
            .filter(|evidence| evidence.value != Value::Unknown)
            // Joined by a character that textwrap does not break at, so that
            // a name stays with its value.
            .map(|evidence| format!("{}\u{a0}{}", evidence.name, shown(&evidence.value)))
            .collect();
        text.push_str(&labelled("evidence", &(evidence.join(", ") + likely)));
        text.push_str(&fixes(diagnosis));
        let more = format!("v6trace explain {}", diagnosis.cause.code());
        let _ = writeln!(
            text,
            "    {DIM}{:<11}{DIM:#}{COMMAND}{more}{COMMAND:#}",
            "more"
        );
        text.push('\n');
        self.out.write_all(text.replace('\u{a0}', " ").as_bytes())
    }

    fn event(&mut self, session: &Session, event: &Event) -> io::Result<()> {
        let time = self.time.format(session, event.boot_ns);
        let mut fields = Vec::new();
        event.occurrence().fields(&mut |name, field| {
            fields.extend(words(&field).map(|words| format!("{name} {words}")));
        });
        writeln!(
            self.out,
            "{DIM}{time}  {}  {}  {}{DIM:#}",
            event.hook.info().name,
            who(event.culprit()),
            fields.join(", ")
        )
    }

    fn lost(&mut self, session: &Session, lost: &Lost) -> io::Result<()> {
        self.out.flush()?;
        let time = self.time.format(session, lost.boot_ns);
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

    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        self.out.flush()?;
        if self.quiet {
            return Ok(());
        }
        let ms = boot_ns.saturating_sub(session.info().boot_ns) / 1_000_000;
        let shown = match totals.shown() {
            0 => "nothing to explain".to_owned(),
            1 => "1 diagnosis".to_owned(),
            count => format!("{count} diagnoses"),
        };
        let lost = match totals.lost {
            0 => "no events lost".to_owned(),
            count => format!("{BOLD}{} lost{BOLD:#}", events(count)),
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
        for (cause, count) in &totals.diagnoses {
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

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<O, E> Text<O, E> {
    /// `14:02:11.482  FAILURE  optmem-exhausted  radvd[812]  tap366  netns blue`
    fn heading(&self, session: &Session, diagnosis: &Diagnosis) -> String {
        let colour = match diagnosis.severity {
            Severity::Failure => AnsiColor::Red.on_default().bold(),
            Severity::Hazard => AnsiColor::Yellow.on_default().bold(),
            Severity::Notice => AnsiColor::Blue.on_default().bold(),
        };
        let time = self.time.format(session, diagnosis.boot_ns);
        let mut text = format!(
            "{DIM}{time}{DIM:#}  {colour}{}{colour:#}  {BOLD}{}{BOLD:#}  {}",
            diagnosis.severity.label(),
            diagnosis.cause.code(),
            who(diagnosis.task.as_ref())
        );
        if let Some(interface) = &diagnosis.interface {
            let _ = write!(text, "  {interface}");
        }
        if !session.is_own_namespace(diagnosis.netns) {
            match session.namespace_name(diagnosis.netns) {
                Some(name) => {
                    let _ = write!(text, "  netns {name}");
                }
                None => {
                    let _ = write!(text, "  netns {}", diagnosis.netns);
                }
            }
        }
        text
    }
}

fn who(task: Option<&Task>) -> String {
    task.map_or_else(|| "kernel".to_owned(), Task::to_string)
}

fn events(count: u64) -> String {
    if count == 1 {
        "1 event".to_owned()
    } else {
        format!("{count} events")
    }
}

/// An event's value in words, where it is known.
fn words(field: &Field<'_>) -> Option<String> {
    Some(match field {
        Field::Number(number) => number.to_string(),
        Field::Flag(true) => "yes".to_owned(),
        Field::Flag(false) => "no".to_owned(),
        Field::Text(text) => (*text).to_owned(),
        Field::Shown(value) => value.to_string(),
        Field::List(values) if values.is_empty() => "none".to_owned(),
        Field::List(values) => values.join("\u{a0}+\u{a0}"),
        Field::Unknown => return None,
    })
}

/// A value in words.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Flag(true) => "yes".to_owned(),
        Value::Flag(false) => "no".to_owned(),
        Value::Text(text) => text.clone(),
        Value::List(values) if values.is_empty() => "none".to_owned(),
        Value::List(values) => {
            let shown: Vec<String> = values.iter().map(shown).collect();
            shown.join("\u{a0}+\u{a0}")
        }
        Value::Group(values) => {
            let shown: Vec<String> = values.iter().map(|(_, value)| shown(value)).collect();
            shown.join("\u{a0}")
        }
        Value::Unknown => "unknown".to_owned(),
    }
}

/// Actions under one another, with their remarks in a column of their own
/// where that fits, else each remark below its action.
fn fixes(diagnosis: &Diagnosis) -> String {
    let columns = |text: &str| text.chars().count();
    let actions = diagnosis.fix.iter().filter(|fix| fix.remark.is_some());
    let column = actions.map(|fix| columns(&fix.action)).max().unwrap_or(0) + 3;
    let fits = diagnosis
        .fix
        .iter()
        .filter_map(|fix| fix.remark)
        .all(|remark| VALUES + column + columns(remark) + 2 <= WIDTH);
    let mut text = String::new();
    for (index, fix) in diagnosis.fix.iter().enumerate() {
        let label = if index == 0 { "fix" } else { "" };
        let gap = match fix.remark {
            Some(_) if fits => " ".repeat(column - columns(&fix.action)),
            Some(_) => format!("\n{}", " ".repeat(VALUES + 2)),
            None => String::new(),
        };
        let remark = fix
            .remark
            .map_or_else(String::new, |remark| format!("{gap}{DIM}# {remark}{DIM:#}"));
        let _ = writeln!(
            text,
            "    {DIM}{label:<11}{DIM:#}{COMMAND}{}{COMMAND:#}{remark}",
            fix.action
        );
    }
    text
}

/// A label in its column and wrapped text in the next.
fn labelled(label: &str, text: &str) -> String {
    let indent = " ".repeat(VALUES);
    let wrapped = wrapped(text, &indent, &indent);
    format!("    {DIM}{label:<11}{DIM:#}{}", wrapped.trim_start())
}

fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    textwrap::fill(text, options) + "\n"
}
