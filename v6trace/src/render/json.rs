//! One JSON object a line: `session` first, `summary` last.

use std::{
    borrow::Cow,
    fmt,
    io::{self, Write},
};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use v6trace_common::Context;

use super::{
    Render,
    time::{self, Clock},
};
use crate::{
    check::Checked,
    container::Container,
    event::Event,
    explain::{Diagnosis, Fix},
    families::process::Followed,
    fold::Position,
    record::Lost,
    recording::Missing,
    report::Totals,
    session::Session,
};

/// Version of the objects' fields.
const SCHEMA: u32 = 1;

/// Writes JSON lines, and to a person only that something was lost.
pub struct Json<O, E> {
    out: O,
    err: E,
    clock: Clock,
    /// The object that is being written, its memory kept for the next.
    line: Vec<u8>,
}

impl<O: Write, E: Write> Json<O, E> {
    /// Writes to `out`.
    pub fn new(out: O, err: E) -> Self {
        Self {
            out,
            err,
            clock: Clock::default(),
            line: Vec::new(),
        }
    }

    fn line(&mut self, value: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }
}

impl<O: Write, E: Write> Render for Json<O, E> {
    fn session(&mut self, session: &Session) -> io::Result<()> {
        let info = session.info();
        self.line(&json!({
            "type": "session",
            "schema": SCHEMA,
            "version": info.version,
            "kernel": info.kernel,
            "hostname": info.hostname,
            "started": time::rfc3339(session, info.boot_ns),
            "netns": info.own_netns,
            "coverage": info.coverage.hooks,
            "absent": info.coverage.absent,
            "left_out": info.coverage.left_out,
            "without_ipv6": info.coverage.without_ipv6,
        }))
    }

    fn diagnosis(
        &mut self,
        session: &Session,
        diagnosis: &Diagnosis,
        position: Option<Position>,
    ) -> io::Result<()> {
        let time = self.clock.rfc3339(session, diagnosis.boot_ns);
        self.line.clear();
        diagnosis_object(&mut self.line, "diagnosis", session, diagnosis, time)?;
        member(
            &mut self.line,
            "group",
            &position.map(|position| position.group),
        )?;
        member(
            &mut self.line,
            "repeat",
            &position.map(|position| position.repeat),
        )?;
        self.line.extend_from_slice(b"}\n");
        self.out.write_all(&self.line)
    }

    fn finding(&mut self, session: &Session, finding: &Diagnosis) -> io::Result<()> {
        let time = self.clock.rfc3339(session, finding.boot_ns);
        self.line.clear();
        diagnosis_object(&mut self.line, "finding", session, finding, time)?;
        self.line.extend_from_slice(b"}\n");
        self.out.write_all(&self.line)
    }

    fn event(&mut self, session: &Session, event: &Event) -> io::Result<()> {
        let time = self.clock.rfc3339(session, event.boot_ns);
        self.line.clear();
        event_object(&mut self.line, event, time)?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    fn lost(&mut self, _session: &Session, lost: &Lost) -> io::Result<()> {
        self.line(&json!({
            "type": "lost",
            "hook": lost.hook.map(|hook| hook.info().name),
            "cpu": lost.cpu,
            "count": lost.count,
        }))
    }

    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        let mut object = json!({ "type": "missing", "file": file });
        if let (Value::Object(object), Value::Object(fields)) = (&mut object, missing.json()) {
            object.extend(fields);
        }
        self.line(&object)?;
        // A closed standard error is no reason to fail.
        let _ = writeln!(self.err, "v6trace: {file}: {missing}");
        Ok(())
    }

    fn answer(
        &mut self,
        session: &Session,
        followed: &Followed,
        totals: &Totals,
        diagnoses: &[Diagnosis],
    ) -> io::Result<()> {
        let ended = followed.ended();
        let open = followed.open().begun().iter().map(|begun| {
            json!({
                "call": begun.call.name(),
                "address": begun.address.ip().to_string(),
                "port": begun.address.port(),
                "pid": begun.pid,
            })
        });
        let open: Vec<_> = open.collect();
        self.line(&json!({
            "type": "answer",
            "command": followed.command(),
            "status": ended.and_then(|ended| ended.status),
            "signal": ended.and_then(|ended| ended.signal),
            "processes": followed.count(),
            "open": open,
            "dropped": totals.dropped,
        }))?;
        let mut diagnoses = diagnoses.iter();
        diagnoses.try_for_each(|diagnosis| self.diagnosis(session, diagnosis, None))
    }

    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        let diagnoses: Map<String, Value> = totals
            .diagnoses
            .iter()
            .map(|(cause, count)| (cause.code().to_owned(), json!(count)))
            .collect();
        self.line(&json!({
            "type": "summary",
            "diagnoses": diagnoses,
            "findings": totals.findings,
            "unseen": totals.unseen.as_ref().map(Checked::missing),
            "events": totals.events,
            "lost": totals.lost,
            "undecoded": totals.undecoded.values().sum::<u64>() + totals.unknown,
            "duration_ns": boot_ns.saturating_sub(session.info().boot_ns),
        }))?;
        if totals.lost > 0 {
            self.out.flush()?;
            // A closed standard error is no reason to fail.
            let _ = writeln!(self.err, "v6trace: {} events lost", totals.lost);
        }
        Ok(())
    }

    fn tells_positions(&self) -> bool {
        true
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Appends a diagnosis as its object, which is left open, in the way of [`event_object`]:
/// there may be thousands a second.
fn diagnosis_object(
    line: &mut Vec<u8>,
    kind: &'static str,
    session: &Session,
    diagnosis: &Diagnosis,
    time: &str,
) -> serde_json::Result<()> {
    let task = diagnosis.task.as_ref();
    line.push(b'{');
    named(line, "type", kind)?;
    member(line, "cause", diagnosis.cause.code())?;
    member(line, "severity", &diagnosis.severity)?;
    member(line, "time", time)?;
    member(line, "boot_ns", &diagnosis.boot_ns)?;
    member(line, "operation", diagnosis.operation)?;
    member(line, "errno", &diagnosis.errno.map(Shown))?;
    member(line, "pid", &task.map(|task| task.pid))?;
    member(line, "tid", &task.map(|task| task.tid))?;
    member(line, "comm", &task.map(|task| task.comm.as_str()))?;
    member(line, "unit", &diagnosis.unit)?;
    let container = diagnosis.container.as_ref();
    member(line, "container", &container.map(Container::name))?;
    member(
        line,
        "container_id",
        &container.map(|container| &container.id),
    )?;
    member(line, "pod", &diagnosis.pod.as_ref().map(Shown))?;
    member(line, "netns", &diagnosis.netns)?;
    let netns_name = session.namespace_name(diagnosis.netns);
    member(line, "netns_name", &netns_name)?;
    member(line, "ifindex", &diagnosis.ifindex)?;
    member(line, "interface", &diagnosis.interface)?;
    member(line, "address", &diagnosis.address.map(Shown))?;
    member(line, "summary", &diagnosis.summary)?;
    line.extend_from_slice(br#","evidence":"#);
    let mut before = b'{';
    for evidence in &diagnosis.evidence {
        line.push(std::mem::replace(&mut before, b','));
        named(line, evidence.name, &evidence.value)?;
    }
    if before == b'{' {
        line.push(before);
    }
    line.push(b'}');
    member(line, "fix", &Fixes(&diagnosis.fix))?;
    member(line, "confidence", &diagnosis.confidence)
}

/// What has a form as text, in that form.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What to do, each action with its remark as a shell takes it.
struct Fixes<'d>(&'d [Fix]);

impl Serialize for Fixes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fixes = self.0.iter().map(|fix| match fix.remark {
            Some(remark) => Cow::Owned([&fix.action, "  # ", remark].concat()),
            None => Cow::Borrowed(&*fix.action),
        });
        serializer.collect_seq(fixes)
    }
}

/// Appends an event as its object. There may be millions, so it is written as
/// it is gone through: no copy in between, and no look at names that are this
/// program's own.
fn event_object(line: &mut Vec<u8>, event: &Event, time: &str) -> serde_json::Result<()> {
    let context = match event.context {
        Context::Task => "task",
        Context::KernelThread => "kernel-thread",
        Context::Softirq => "softirq",
    };
    line.extend_from_slice(br#"{"type":"event""#);
    member(line, "hook", event.hook.info().name)?;
    member(line, "time", time)?;
    member(line, "boot_ns", &event.boot_ns)?;
    member(line, "cpu", &event.cpu)?;
    member(line, "context", context)?;
    member(line, "pid", &event.task.pid)?;
    member(line, "tid", &event.task.tid)?;
    member(line, "comm", &event.task.comm)?;
    member(line, "netns", &event.netns)?;
    member(line, "cgroup_id", &event.cgroup_id)?;
    let mut written = Ok(());
    event.occurrence().fields(&mut |name, field| {
        if written.is_ok() {
            written = member(line, name, &field);
        }
    });
    written?;
    line.push(b'}');
    Ok(())
}

/// Appends a further member, whose name needs no escaping.
fn member<T: Serialize + ?Sized>(
    line: &mut Vec<u8>,
    name: &'static str,
    value: &T,
) -> serde_json::Result<()> {
    line.push(b',');
    named(line, name, value)
}

/// Appends the name of a member and its value.
fn named<T: Serialize + ?Sized>(
    line: &mut Vec<u8>,
    name: &'static str,
    value: &T,
) -> serde_json::Result<()> {
    line.push(b'"');
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":");
    serde_json::to_writer(line, value)
}
