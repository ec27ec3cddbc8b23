//! One JSON object a line: `session` first, `summary` last.

mod compact;
mod lines;

use std::io::{self, Write};

use serde::Serialize as _;

use self::compact::Compact;
use self::lines::{Explained, Fields, Happened, Line, Open, Shown};
use super::{
    Render,
    time::{self, Clock},
};
use crate::{
    check::Checked, container::Container, event::Event, explain::Diagnosis,
    families::process::Followed, fold::Position, record::Lost, recording::Missing, report::Totals,
    session::Session,
};

/// Version of the objects' fields.
const SCHEMA: u32 = 1;

/// Writes JSON lines, and to a person only that something was lost.
pub struct Json<O, E> {
    out: O,
    err: E,
    clock: Clock,
    /// The line that is being put together: others see whole ones.
    buffer: Vec<u8>,
}

impl<O: Write, E: Write> Json<O, E> {
    /// Writes to `out`.
    pub fn new(out: O, err: E) -> Self {
        Self {
            out,
            err,
            clock: Clock::default(),
            buffer: Vec::new(),
        }
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        write(&mut self.out, &mut self.buffer, line)
    }
}

impl<O: Write, E: Write> Render for Json<O, E> {
    fn session(&mut self, session: &Session) -> io::Result<()> {
        let info = session.info();
        self.line(&Line::Session(lines::Session {
            schema: SCHEMA,
            version: &info.version,
            kernel: &info.kernel,
            hostname: &info.hostname,
            started: time::rfc3339(session, info.boot_ns),
            netns: info.own_netns,
            coverage: &info.coverage.hooks,
            absent: &info.coverage.absent,
            left_out: &info.coverage.left_out,
            without_ipv6: info.coverage.without_ipv6.as_deref(),
        }))
    }

    fn diagnosis(
        &mut self,
        session: &Session,
        diagnosis: &Diagnosis,
        position: Option<Position>,
    ) -> io::Result<()> {
        let time = self.clock.rfc3339(session, diagnosis.boot_ns);
        let line = Line::Diagnosis(explained(session, diagnosis, time, position));
        write(&mut self.out, &mut self.buffer, &line)
    }

    fn finding(
        &mut self,
        session: &Session,
        finding: &Diagnosis,
        position: Option<Position>,
    ) -> io::Result<()> {
        let time = self.clock.rfc3339(session, finding.boot_ns);
        let line = Line::Finding(explained(session, finding, time, position));
        write(&mut self.out, &mut self.buffer, &line)
    }

    fn event(&mut self, session: &Session, event: &Event) -> io::Result<()> {
        let line = Line::Event(Happened {
            hook: event.hook.info().name,
            time: self.clock.rfc3339(session, event.boot_ns),
            boot_ns: event.boot_ns,
            cpu: event.cpu,
            context: event.context.into(),
            pid: event.task.pid,
            tid: event.task.tid,
            comm: &event.task.comm,
            netns: event.netns,
            cgroup_id: event.cgroup_id,
            fields: Fields(event),
        });
        write(&mut self.out, &mut self.buffer, &line)
    }

    fn lost(&mut self, _session: &Session, lost: &Lost) -> io::Result<()> {
        self.line(&Line::Lost(lines::Lost {
            hook: lost.hook.map(|hook| hook.info().name),
            cpu: lost.cpu,
            count: lost.count,
        }))
    }

    fn missing(&mut self, file: &str, missing: &Missing) -> io::Result<()> {
        let part = missing.part();
        self.line(&Line::Missing(lines::Missing { file, part }))?;
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
        let open = followed.open().begun().iter().map(|begun| Open {
            call: begun.call.name(),
            address: begun.address.ip(),
            port: begun.address.port(),
            pid: begun.pid,
        });
        self.line(&Line::Answer(lines::Answer {
            command: followed.command(),
            status: ended.and_then(|ended| ended.status),
            signal: ended.and_then(|ended| ended.signal),
            processes: followed.count(),
            open: open.collect(),
            dropped: totals.dropped,
        }))?;
        let mut diagnoses = diagnoses.iter();
        diagnoses.try_for_each(|diagnosis| self.diagnosis(session, diagnosis, None))
    }

    fn summary(&mut self, session: &Session, totals: &Totals, boot_ns: u64) -> io::Result<()> {
        let diagnoses = totals.diagnoses.iter();
        self.line(&Line::Summary(lines::Summary {
            diagnoses: diagnoses
                .map(|(cause, &count)| (cause.code(), count))
                .collect(),
            findings: totals.findings,
            unseen: totals.unseen.as_ref().and_then(Checked::missing),
            events: totals.events,
            lost: totals.lost,
            undecoded: totals.undecoded.values().sum::<u64>() + totals.unknown,
            duration_ns: boot_ns.saturating_sub(session.info().boot_ns),
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

fn write(out: &mut impl Write, buffer: &mut Vec<u8>, line: &Line<'_>) -> io::Result<()> {
    buffer.clear();
    line.serialize(Compact(buffer))?;
    buffer.push(b'\n');
    out.write_all(buffer)
}

fn explained<'d>(
    session: &'d Session,
    diagnosis: &'d Diagnosis,
    time: &'d str,
    position: Option<Position>,
) -> Explained<'d> {
    let task = diagnosis.task.as_ref();
    let container = diagnosis.container.as_ref();
    Explained {
        cause: diagnosis.cause.code(),
        severity: diagnosis.severity,
        time,
        boot_ns: diagnosis.boot_ns,
        operation: diagnosis.operation,
        errno: diagnosis.errno.map(Shown),
        pid: task.map(|task| task.pid),
        tid: task.map(|task| task.tid),
        comm: task.map(|task| task.comm.as_str()),
        unit: diagnosis.unit.as_deref(),
        container: container.map(Container::name),
        container_id: container.map(|container| container.id.as_str()),
        pod: diagnosis.pod.as_ref().map(Shown),
        netns: diagnosis.netns,
        netns_name: session.namespace_name(diagnosis.netns),
        ifindex: diagnosis.ifindex,
        interface: diagnosis.interface.as_deref(),
        address: diagnosis.address,
        summary: &diagnosis.summary,
        evidence: &diagnosis.evidence,
        fix: &diagnosis.fix,
        confidence: diagnosis.confidence,
        group: position.map(|position| position.group),
        repeat: position.map(|position| position.repeat),
    }
}
