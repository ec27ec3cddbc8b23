//! `v6trace info`: what recordings hold, and whether they are whole.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anstyle::Style;
use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    options,
    recordings::{Part, Recordings},
};
use crate::{
    recording::{Contents, FileMissing, MAJOR, Missing, Place, Replay, SessionContents},
    render::time,
    report::{self, Report},
    session::Session,
};

const BOLD: Style = Style::new().bold();

/// Arguments of `v6trace info`.
#[derive(Args, Debug)]
pub(super) struct Info {
    /// Recordings, or the pieces of one in their order; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
    /// List every hook, and where the kernel keeps what they read
    #[arg(short, long)]
    verbose: bool,
}

/// All that is to be said.
struct Findings {
    contents: Contents,
    /// The recording that each of the sessions is.
    recordings: Vec<String>,
    parts: Vec<Part>,
}

impl Info {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        options::start_log("warn");
        let options = report::Options {
            everything: true,
            events: true,
            ..report::Options::default()
        };
        let mut feed = Replay::new(Report::new(options, Contents::default()));
        let mut recordings = Vec::new();
        let (parts, read) = Recordings::new(&self.files).feed(&mut feed, |opening| {
            recordings.push(opening.recording.clone());
            Ok(())
        });
        let (whole, contents) = feed.finish()?;
        let findings = Findings {
            contents,
            recordings,
            parts,
        };
        let mut out = options::stdout();
        if self.json {
            writeln!(out, "{}", findings.json())?;
        } else {
            findings.print(&mut out, self.verbose)?;
        }
        out.flush()?;
        read?;
        Ok(if whole {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Findings {
    /// The sessions, each with its recording and the bytes that hold it.
    fn sessions(&self) -> impl Iterator<Item = (&SessionContents, &str, u64)> {
        let sessions = self.contents.sessions.iter().zip(&self.recordings);
        sessions.map(|(session, recording)| {
            let bytes = self.parts.iter().map(|part| bytes_of(part, recording));
            (session, recording.as_str(), bytes.sum())
        })
    }

    fn missing(&self, part: &Part) -> Option<&FileMissing> {
        self.contents
            .missing
            .iter()
            .find(|missing| missing.file == part.name)
    }

    fn print(&self, out: &mut impl Write, verbose: bool) -> io::Result<()> {
        for (session, _, bytes) in self.sessions() {
            print_session(out, session, bytes, verbose)?;
            writeln!(out)?;
        }
        for part in &self.parts {
            write!(out, "{BOLD}{}{BOLD:#}", part.name)?;
            if let [piece, ..] = &part.pieces[..]
                && (self.parts.len() > 1 || piece.number > 0)
            {
                write!(out, ", piece {}", piece.number)?;
            }
            writeln!(
                out,
                ": {} in {} intact frames",
                bytes(part.stats.bytes),
                part.stats.frames
            )?;
            if part.stats.frames > 0 {
                writeln!(out, "  format {MAJOR}.{}", part.stats.minor)?;
            }
            if let Some(error) = &part.error {
                writeln!(out, "  {error}")?;
            }
            let missing = self.missing(part);
            for what in missing.iter().flat_map(|missing| &missing.what) {
                writeln!(out, "  {what}")?;
            }
            if let Some(more) = missing.map(|missing| missing.more).filter(|more| *more > 0) {
                writeln!(out, "  and {more} more")?;
            }
            if missing.is_none() && part.error.is_none() {
                writeln!(out, "  whole")?;
            }
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let sessions = self.sessions().map(|(session, recording, bytes)| {
            let info = &session.info;
            let opened = Session::new(info.clone());
            let diagnoses: Map<String, Value> = session
                .diagnoses
                .iter()
                .map(|(cause, count)| (cause.code().to_owned(), json!(count)))
                .collect();
            let lost = session.lost.iter().map(
                |(Place { hook, cpu }, count)| json!({ "hook": hook, "cpu": cpu, "count": count }),
            );
            json!({
                "recording": recording,
                "version": info.version,
                "kernel": info.kernel,
                "kernel_build": info.kernel_build,
                "machine": info.machine,
                "hostname": info.hostname,
                "started": time::rfc3339(&opened, info.boot_ns),
                "duration_ns": session.duration_ns,
                "netns": info.own_netns,
                "coverage": info.coverage.hooks,
                "left_out": info.coverage.left_out,
                "without_ipv6": info.coverage.without_ipv6,
                "absent": info.coverage.absent,
                "members": info.members,
                "events": session.events,
                "diagnoses": diagnoses,
                "lost": lost.collect::<Vec<_>>(),
                "undecoded": session.undecoded,
                "bytes": bytes,
            })
        });
        let files = self.parts.iter().map(|part| {
            let missing = self.missing(part);
            let what = missing.map_or(&[][..], |missing| &missing.what);
            json!({
                "file": part.name,
                "recording": part.pieces.first().map(|piece| &piece.recording),
                "piece": part.pieces.first().map(|piece| piece.number),
                "major": MAJOR,
                "minor": part.stats.minor,
                "bytes": part.stats.bytes,
                "frames": part.stats.frames,
                "error": part.error,
                "missing": what.iter().map(Missing::part).collect::<Vec<_>>(),
                "more_missing": missing.map_or(0, |missing| missing.more),
            })
        });
        json!({
            "sessions": sessions.collect::<Vec<_>>(),
            "files": files.collect::<Vec<_>>(),
        })
    }
}

/// How many bytes of a file are those of a recording.
fn bytes_of(part: &Part, recording: &str) -> u64 {
    let ends = part.pieces.iter().skip(1).map(|piece| piece.from);
    let ends = ends.chain([part.stats.bytes]);
    let pieces = part.pieces.iter().enumerate().zip(ends);
    pieces
        .filter(|((_, piece), _)| piece.recording == recording)
        .map(|((index, piece), end)| end - if index == 0 { 0 } else { piece.from })
        .sum()
}

fn print_session(
    out: &mut impl Write,
    session: &SessionContents,
    stored: u64,
    verbose: bool,
) -> io::Result<()> {
    let info = &session.info;
    let opened = Session::new(info.clone());
    let mut row = |name: &str, value: &str| writeln!(out, "{BOLD}{name:<11}{BOLD:#}{value}");
    row("host", &format!("{}, {}", info.hostname, info.machine))?;
    row(
        "kernel",
        &format!("{} ({})", info.kernel, info.kernel_build),
    )?;
    row("v6trace", &info.version)?;
    row("began", &time::date(&opened, info.boot_ns))?;
    let ms = session.duration_ns / 1_000_000;
    row("lasted", &format!("{}.{:03} s", ms / 1000, ms % 1000))?;
    let hooks = &info.coverage.hooks;
    let attached = info.coverage.attached().count();
    row("hooks", &format!("{attached} of {} attached", hooks.len()))?;
    if let Some(why) = &info.coverage.without_ipv6 {
        row("IPv6", why)?;
    }
    if let Some(families) = info.coverage.left_out() {
        row("left out", &families)?;
    }
    for trouble in info.coverage.troubles() {
        row("", &trouble.to_string())?;
    }
    for hook in info.coverage.attached().filter(|_| verbose) {
        let note = hook.note.as_deref();
        let note = note.map_or_else(String::new, |note| format!(": {note}"));
        let (name, status, function) = (&hook.hook, hook.status, &hook.function);
        row("", &format!("{name} {status} ({function}){note}"))?;
    }
    for absent in &info.coverage.absent {
        row("", absent)?;
    }
    if verbose {
        for member in &info.members {
            let value = member.value;
            let value = value.map_or_else(|| "absent".to_owned(), |value| value.to_string());
            row("", &format!("{} {value}", member.member))?;
        }
    }
    let events = session.event_count();
    row("events", &events.to_string())?;
    for (hook, count) in &session.events {
        row("", &format!("{count:>9}  {hook}"))?;
    }
    row(
        "diagnoses",
        &session.diagnoses.values().sum::<u64>().to_string(),
    )?;
    for (cause, count) in &session.diagnoses {
        row("", &format!("{count:>9}  {}", cause.code()))?;
    }
    row("lost", &session.lost_count().to_string())?;
    for (Place { hook, cpu }, count) in &session.lost {
        let hook = hook.unwrap_or("a hook that cannot be told");
        let cpu = cpu.map_or_else(
            || "a CPU that cannot be told".to_owned(),
            |cpu| format!("CPU {cpu}"),
        );
        row("", &format!("{count:>9}  {hook} on {cpu}"))?;
    }
    if session.undecoded > 0 {
        row(
            "unknown",
            &format!("{} records or entries", session.undecoded),
        )?;
    }
    let each = match (stored.saturating_mul(10)).checked_div(events) {
        Some(tenths) => format!(", {}.{} an event", tenths / 10, tenths % 10),
        None => String::new(),
    };
    row("size", &(bytes(stored) + &each))
}

fn bytes(count: u64) -> String {
    format!("{count} bytes")
}
