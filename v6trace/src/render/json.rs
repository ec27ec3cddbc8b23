//! One JSON object a line: `session` first, `summary` last.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use v6trace_common::Context;

use super::{Render, fields, time};
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
}

impl<O: Write, E: Write> Json<O, E> {
    /// Writes to `out`.
    pub fn new(out: O, err: E) -> Self {
        Self { out, err }
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
        let context = match event.context {
            Context::Task => "task",
            Context::KernelThread => "kernel-thread",
            Context::Softirq => "softirq",
        };
        let mut object = json!({
            "type": "event",
            "hook": event.hook.info().name,
            "time": time::rfc3339(session, event.boot_ns),
            "boot_ns": event.boot_ns,
            "cpu": event.cpu,
            "context": context,
            "pid": event.task.pid,
            "tid": event.task.tid,
            "comm": event.task.comm,
            "netns": event.netns,
            "cgroup_id": event.cgroup_id,
        });
        for (name, value) in fields::of(event) {
            object[name] = json!(value);
        }
        self.line(&object)
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
