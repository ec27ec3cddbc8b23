//! One JSON object a line: `session` first, `summary` last.

use std::io::{self, Write};

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value, json};
use v6trace_common::Context;

use super::{
    Render, fields,
    time::{self, Clock},
};
use crate::{
    decode::Event, diagnose::Diagnosis, record::Lost, recording::Missing, report::Totals,
    session::Session,
};

/// Version of the objects' fields.
const SCHEMA: u32 = 1;

/// Writes JSON lines, and to a person only that something was lost.
pub struct Json<O, E> {
    out: O,
    err: E,
    clock: Clock,
    /// The event that is being written, its memory kept for the next.
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
        }))
    }

    fn diagnosis(&mut self, session: &Session, diagnosis: &Diagnosis) -> io::Result<()> {
        let task = diagnosis.task.as_ref();
        let evidence: Map<String, Value> = diagnosis
            .evidence
            .iter()
            .map(|evidence| (evidence.name.to_owned(), json!(evidence.value)))
            .collect();
        let fix: Vec<String> = diagnosis
            .fix
            .iter()
            .map(|fix| match fix.remark {
                Some(remark) => format!("{}  # {remark}", fix.action),
                None => fix.action.clone(),
            })
            .collect();
        self.line(&json!({
            "type": "diagnosis",
            "cause": diagnosis.cause.code(),
            "severity": diagnosis.severity,
            "time": time::rfc3339(session, diagnosis.boot_ns),
            "boot_ns": diagnosis.boot_ns,
            "operation": diagnosis.operation,
            "errno": diagnosis.errno.map(|errno| errno.to_string()),
            "pid": task.map(|task| task.pid),
            "tid": task.map(|task| task.tid),
            "comm": task.map(|task| &task.comm),
            "netns": diagnosis.netns,
            "netns_name": session.namespace_name(diagnosis.netns),
            "ifindex": diagnosis.ifindex,
            "interface": diagnosis.interface,
            "address": diagnosis.address.map(|address| address.to_string()),
            "summary": diagnosis.summary,
            "evidence": evidence,
            "fix": fix,
            "confidence": diagnosis.confidence,
        }))
    }

    fn event(&mut self, session: &Session, event: &Event) -> io::Result<()> {
        let time = self.clock.rfc3339(session, event.boot_ns);
        self.line.clear();
        serde_json::to_writer(&mut self.line, &EventLine { event, time })?;
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

    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        let diagnoses: Map<String, Value> = totals
            .diagnoses
            .iter()
            .map(|(cause, count)| (cause.code().to_owned(), json!(count)))
            .collect();
        self.line(&json!({
            "type": "summary",
            "diagnoses": diagnoses,
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

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An event as its object. There may be millions, so it is written as it is
/// gone through, without a copy in between.
struct EventLine<'e> {
    event: &'e Event,
    time: &'e str,
}

impl Serialize for EventLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.event;
        let context = match event.context {
            Context::Task => "task",
            Context::KernelThread => "kernel-thread",
            Context::Softirq => "softirq",
        };
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", "event")?;
        object.serialize_entry("hook", event.hook.info().name)?;
        object.serialize_entry("time", self.time)?;
        object.serialize_entry("boot_ns", &event.boot_ns)?;
        object.serialize_entry("cpu", &event.cpu)?;
        object.serialize_entry("context", context)?;
        object.serialize_entry("pid", &event.task.pid)?;
        object.serialize_entry("tid", &event.task.tid)?;
        object.serialize_entry("comm", &event.task.comm)?;
        object.serialize_entry("netns", &event.netns)?;
        object.serialize_entry("cgroup_id", &event.cgroup_id)?;
        let mut written = Ok(());
        fields::each(event, &mut |name, field| {
            if written.is_ok() {
                written = object.serialize_entry(name, &field);
            }
        });
        written?;
        object.end()
    }
}
