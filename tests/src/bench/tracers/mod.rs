//! The tracers, each started and stopped the way its user does.

mod bpftrace;
mod kprobe_events;
mod perf;
mod trace_cmd;
mod v6trace;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::figure;

/// Where the tracers' output goes.
pub(super) const DIRECTORY: &str = "/run/bench";

/// How long a tracer may take to start or to stop.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long it is not looked whether it has: the same for each, however long looking takes.
const PAUSE: Duration = Duration::from_millis(10);

/// What a tracer is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To explain failures: what one leaves running.
    Explain,
    /// To record every join, failing or not.
    Record,
    /// To explain what becomes of packets that a router passes on, as v6trace alone does.
    Router,
    /// To ask about one command, as v6trace alone does.
    Command,
    /// To watch what so many hooks do.
    Hooks(usize),
}

/// A tracer that can be started.
#[derive(Clone, Copy)]
pub(super) struct Tracer {
    pub(super) name: &'static str,
    /// What has to be there before it is started.
    define: fn(Purpose) -> Result<()>,
    /// Its command line.
    command: fn(Purpose) -> Result<Command>,
    /// How it is started and stopped for a purpose.
    ways: fn(Purpose) -> (Ready, Stop),
    /// How many joins it recorded, from what it left in [`DIRECTORY`].
    recorded: fn() -> Result<Recorded>,
    /// What it explained, where it explains failures as they happen.
    explained: Option<fn() -> Result<Explained>>,
}

/// What came of a storm.
pub(super) struct Explained {
    /// Failures that were explained.
    pub(super) failures: u64,
    /// Records that the tracer itself says were lost.
    pub(super) lost: u64,
}

/// What came of a burst.
pub(super) struct Recorded {
    /// Joins that can be read.
    pub(super) joins: u64,
    /// Bytes that hold them.
    pub(super) bytes: u64,
    /// Records that the tracer itself says were lost, where it says so.
    pub(super) lost: Option<u64>,
}

/// How to see that a tracer traces.
#[derive(Clone, Copy)]
enum Ready {
    /// Its standard error says so.
    Says(&'static str),
    /// It runs the command that it was given, which is [`ready_command`].
    RunsCommand,
}

/// How a tracer is told to stop.
#[derive(Clone, Copy)]
enum Stop {
    /// Ctrl-C.
    Interrupt,
    /// The end of the command that it runs.
    CommandEnds,
}

/// In the order of measuring.
pub(super) const ALL: [Tracer; 4] = [
    v6trace::TRACER,
    bpftrace::TRACER,
    trace_cmd::TRACER,
    perf::TRACER,
];

/// A tracer at work.
pub(super) struct Running {
    name: &'static str,
    stop: Stop,
    child: Child,
    /// Milliseconds from the start of the process until it was ready.
    pub(super) start_ms: f64,
}

impl Tracer {
    /// Whether it has something to say of packets that a router passes on, or of one
    /// command.
    pub(super) fn explains_more(&self) -> bool {
        self.explained.is_some()
    }

    /// Prepares what the tracer needs, and prints how long that took if it was
    /// anything at all.
    pub(super) fn define(&self, purpose: Purpose) -> Result<()> {
        let start = Instant::now();
        (self.define)(purpose)?;
        let took = milliseconds(start);
        if took > 1.0 {
            figure("define", self.name, &[took]);
        }
        Ok(())
    }

    /// Starts it and waits until it traces.
    pub(super) fn start(&self, purpose: Purpose) -> Result<Running> {
        let mut command = (self.command)(purpose)?;
        let (ready, stop) = (self.ways)(purpose);
        // Gone unless an earlier run was cut short.
        let _ = fs::remove_file(ready_file());
        let [out, err] = ["out", "err"].map(|which| self.output(which));
        let open = |path: &Path| {
            File::create(path).with_context(|| format!("cannot write {}", path.display()))
        };
        command
            .stdin(Stdio::null())
            .stdout(open(&out)?)
            .stderr(open(&err)?);
        let start = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        let mut ended = None;
        let waited = until(&format!("{} should be ready", self.name), || {
            ended = child.try_wait().ok().flatten();
            ended.is_some()
                || match ready {
                    Ready::Says(words) => fs::read_to_string(&err)
                        .is_ok_and(|said| said.lines().any(|line| line.starts_with(words))),
                    Ready::RunsCommand => command_pid().is_some(),
                }
        });
        let start_ms = milliseconds(start);
        let running = Running {
            name: self.name,
            stop,
            child,
            start_ms,
        };
        if let Some(status) = ended {
            bail!("{command:?} ended: {status}\n{}", self.said());
        }
        waited.with_context(|| self.said())?;
        Ok(running)
    }

    /// How many joins it recorded.
    pub(super) fn recorded(&self) -> Result<Recorded> {
        (self.recorded)().with_context(|| self.said())
    }

    /// What it explained, if it is a tracer that does.
    pub(super) fn explained(&self) -> Option<Result<Explained>> {
        let explained = self.explained?;
        Some(explained().with_context(|| self.said()))
    }

    /// Whether it explains failures as they happen.
    pub(super) fn explains(&self) -> bool {
        self.explained.is_some()
    }

    /// Bytes that it has printed so far.
    pub(super) fn printed(&self) -> Result<u64> {
        size(self.name, "out")
    }

    fn output(&self, which: &str) -> PathBuf {
        output(self.name, which)
    }

    fn said(&self) -> String {
        let text = ["err", "out"].map(|which| {
            let text = fs::read(self.output(which)).unwrap_or_default();
            let end = &text[text.len().saturating_sub(2000)..];
            String::from_utf8_lossy(end).into_owned()
        });
        text.join("\n")
    }
}

impl Running {
    /// The most memory that one of its processes has had, MiB.
    pub(super) fn peak_memory(&self) -> Result<f64> {
        let peak = |process: PathBuf| {
            // A child may have ended.
            let status = fs::read_to_string(process.join("status")).unwrap_or_default();
            let peak = status.lines().find_map(|line| {
                let value = line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?;
                value.parse::<f64>().ok()
            });
            peak.unwrap_or_default() / 1024.0
        };
        Ok(self.processes()?.into_iter().map(peak).fold(0.0, f64::max))
    }

    /// Time that processors have spent on its processes, ns.
    pub(super) fn processor_time(&self) -> Result<f64> {
        let mut sum = 0.0;
        for process in self.processes()? {
            for thread in fs::read_dir(process.join("task")).into_iter().flatten() {
                let schedule = fs::read_to_string(thread?.path().join("schedstat"));
                let schedule = schedule.unwrap_or_default();
                let time = schedule
                    .split(' ')
                    .next()
                    .and_then(|time| time.parse().ok());
                sum += time.unwrap_or(0.0);
            }
        }
        Ok(sum)
    }

    /// Where /proc shows its processes: itself and its children.
    fn processes(&self) -> Result<Vec<PathBuf>> {
        let pid = self.child.id().to_string();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .context("cannot read a tracer's children")?;
        let pids = children.split_whitespace().chain([pid.as_str()]);
        Ok(pids.map(|pid| Path::new("/proc").join(pid)).collect())
    }

    /// Stops it, and gives the milliseconds until it was gone.
    pub(super) fn stop(mut self) -> Result<f64> {
        let start = Instant::now();
        match self.stop {
            Stop::Interrupt => signal(self.child.id(), Signal::INT)?,
            Stop::CommandEnds => {
                let pid = command_pid().context("the tracer's command is gone")?;
                signal(pid, Signal::TERM)?;
            }
        }
        let name = self.name;
        until(&format!("{name} should end"), || {
            !matches!(self.child.try_wait(), Ok(None))
        })?;
        Ok(milliseconds(start))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `condition` holds, which says how long something takes.
fn until(what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !condition() {
        ensure!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        sleep(PAUSE);
    }
    Ok(())
}

/// The command given to tracers that are ready when they run it.
fn ready_command() -> [String; 3] {
    // Not /proc/self/exe: that would be the tracer.
    let ready = ready_file().display().to_string();
    ["/init".to_owned(), "bench-ready".to_owned(), ready]
}

fn ready_file() -> PathBuf {
    Path::new(DIRECTORY).join("ready")
}

/// The process id of the running command, once it has told.
fn command_pid() -> Option<u32> {
    fs::read_to_string(ready_file()).ok()?.parse().ok()
}

/// A file of a tracer's output.
fn output(name: &str, which: &str) -> PathBuf {
    Path::new(DIRECTORY).join(format!("{name}.{which}"))
}

/// Bytes of a file of a tracer's output.
fn size(name: &str, which: &str) -> Result<u64> {
    let path = output(name, which);
    let metadata = fs::metadata(&path);
    Ok(metadata
        .with_context(|| format!("cannot read {}", path.display()))?
        .len())
}

/// Runs a tracer's own reader of its recordings and counts the lines that hold
/// `what`.
fn count_lines(command: &mut Command, what: &str) -> Result<u64> {
    let done = crate::guest::finish(command, PATIENCE)?;
    Ok(done
        .stdout
        .lines()
        .filter(|line| line.contains(what))
        .count() as u64)
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.context("no process id")?, signal)
        .with_context(|| format!("cannot send {signal:?}"))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
