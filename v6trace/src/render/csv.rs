//! One row for each diagnosis, for spreadsheets and databases.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Render, time};
use crate::{
    container::Container, event::Event, explain::Diagnosis, fold::Position, record::Lost,
    recording::Missing, report::Totals, session::Session,
};

const COLUMNS: [&str; 22] = [
    "time",
    "boot_ns",
    "severity",
    "cause",
    "confidence",
    "operation",
    "errno",
    "pid",
    "tid",
    "comm",
    "unit",
    "container",
    "container_id",
    "pod",
    "netns",
    "netns_name",
    "ifindex",
    "interface",
    "address",
    "summary",
    "evidence",
    "fix",
];

/// Writes RFC 4180, and to a person what is missing.
pub struct Csv<O: Write, E> {
    out: ::csv::Writer<O>,
    err: E,
    begun: bool,
}

impl<O: Write, E: Write> Csv<O, E> {
    /// Writes to `out`.
    pub fn new(out: O, err: E) -> Self {
        Self {
            out: ::csv::WriterBuilder::new()
                .terminator(::csv::Terminator::CRLF)
                .from_writer(out),
            err,
            begun: false,
        }
    }

    /// What has to be said about the rows; nobody may be listening.
    fn say(&mut self, what: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.out.flush()?;
        let _ = writeln!(self.err, "v6trace: {what}");
        Ok(())
    }
}

impl<O: Write, E: Write> Render for Csv<O, E> {
    fn session(&mut self, _session: &Session) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            self.out.write_record(COLUMNS)?;
        }
        Ok(())
    }

    fn diagnosis(
        &mut self,
        session: &Session,
        diagnosis: &Diagnosis,
        _position: Option<Position>,
    ) -> io::Result<()> {
        let task = diagnosis.task.as_ref();
        let container = diagnosis.container.as_ref();
        let pod = diagnosis.pod.as_ref();
        let number = |number: Option<u32>| number.map_or_else(String::new, |n| n.to_string());
        let evidence: Map<String, Value> = diagnosis
            .evidence
            .iter()
            .map(|evidence| (evidence.name.to_owned(), json!(evidence.value)))
            .collect();
        let fixes: Vec<&str> = diagnosis
            .fix
            .iter()
            .map(|fix| fix.action.as_str())
            .collect();
        self.out.write_record([
            time::rfc3339(session, diagnosis.boot_ns).as_str(),
            &diagnosis.boot_ns.to_string(),
            json!(diagnosis.severity).as_str().unwrap_or_default(),
            diagnosis.cause.code(),
            json!(diagnosis.confidence).as_str().unwrap_or_default(),
            diagnosis.operation,
            &diagnosis
                .errno
                .map_or_else(String::new, |errno| errno.to_string()),
            &number(task.map(|task| task.pid)),
            &number(task.map(|task| task.tid)),
            task.map_or("", |task| &task.comm),
            diagnosis.unit.as_deref().unwrap_or_default(),
            container.map_or("", Container::name),
            container.map_or("", |container| &container.id),
            &pod.map_or_else(String::new, ToString::to_string),
            &diagnosis.netns.to_string(),
            session.namespace_name(diagnosis.netns).unwrap_or_default(),
            &number(diagnosis.ifindex),
            diagnosis.interface.as_deref().unwrap_or_default(),
            &diagnosis
                .address
                .map_or_else(String::new, |address| address.to_string()),
            &diagnosis.summary,
            &Value::from(evidence).to_string(),
            &fixes.join("\n"),
        ])?;
        Ok(())
    }

    fn event(&mut self, _session: &Session, _event: &Event) -> io::Result<()> {
        Ok(())
    }

    fn lost(&mut self, _session: &Session, _lost: &Lost) -> io::Result<()> {
        // The summary has the sum.
        Ok(())
    }

    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        self.say(format_args!("{file}: {missing}"))
    }

    fn summary(&mut self, _session: &Session, totals: &Totals, _boot_ns: u64) -> io::Result<()> {
        if totals.lost > 0 {
            self.say(format_args!("{} events lost", totals.lost))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
