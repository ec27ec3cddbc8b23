//! v6trace itself, started the way its users start it.

use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;

use super::lines::{Awaited, Lines};
use super::wait::SLOWEST;
use super::{Finished, Recording, Report, command, symbols, tracing};

/// How long attaching may take; an emulated guest needs a few seconds for
/// /proc/kallsyms and the verifier.
const READY: Duration = Duration::from_secs(40);

/// How long it may take to detach, drain and print the summary.
const END: Duration = Duration::from_secs(20);

/// The families that tracers watch, if not all: attaching is most of what a
/// scenario costs.
static WATCHED: OnceLock<String> = OnceLock::new();

/// Has the tracers of this process watch these families only; with none, all.
pub(crate) fn watch(families: &[&str]) {
    if !families.is_empty() {
        // Whoever is first decides for the one scenario of this process.
        WATCHED.get_or_init(|| families.join(","));
    }
}

/// A command line of the installed v6trace; what attaches hooks watches the families
/// of this process.
pub(crate) fn v6trace(args: &[&str]) -> Command {
    let mut command = Command::new("/usr/bin/v6trace");
    // Options of tracing go ahead of a command to be traced.
    let (task, more) = args.split_at(args.len().min(1));
    command.args(task);
    if matches!(task, ["live" | "record" | "top" | "why" | "doctor"])
        && let Some(families) = WATCHED.get()
    {
        command.args(["--family", families]);
        if let Some(kept) = symbols::kept().filter(|_| !more.contains(&"--kallsyms")) {
            command.args(["--kallsyms", kept]);
        }
    }
    command.args(more);
    command
}

/// Where a tracer's results go.
#[derive(Clone, Copy)]
enum Output {
    Collected,
    Unread,
    Console,
}

/// A running `v6trace live` or `record`, ready and attached.
pub(crate) struct Tracer {
    child: Child,
    /// What it records, where it is `record`.
    recording: Option<Recording>,
    /// None where nobody collects it.
    stdout: Option<Lines>,
    stderr: Lines,
}

impl Tracer {
    /// Starts `v6trace record` in text mode with more arguments, of which its
    /// report is then a replay.
    pub(crate) fn start(args: &[&str]) -> Result<Self> {
        Self::record(Recording::new(args), args)
    }

    /// The same into a recording of one's own.
    pub(crate) fn record(recording: Recording, args: &[&str]) -> Result<Self> {
        let recorded = [&["record", "--output", recording.path()], args].concat();
        let mut tracer = Self::spawn(&recorded, Output::Collected)?;
        tracer.recording = Some(recording);
        Ok(tracer)
    }

    /// Starts `v6trace live --json` with more arguments.
    pub(crate) fn json(args: &[&str]) -> Result<Self> {
        Self::spawn(&[&["live", "--json"], args].concat(), Output::Collected)
    }

    /// Starts `v6trace live` in text mode with more arguments.
    pub(crate) fn text(args: &[&str]) -> Result<Self> {
        Self::spawn(&[&["live"], args].concat(), Output::Collected)
    }

    /// Starts `v6trace live` into a pipe whose reader is gone once it is ready.
    pub(crate) fn unread(args: &[&str]) -> Result<Self> {
        let mut tracer = Self::spawn(&[&["live"], args].concat(), Output::Unread)?;
        drop(tracer.child.stdout.take());
        Ok(tracer)
    }

    /// Starts `v6trace live` in text mode with all output on the console.
    pub(crate) fn on_console(args: &[&str]) -> Result<Self> {
        Self::spawn(&[&["live"], args].concat(), Output::Console)
    }

    /// Starts a tracer and waits until it says that it is ready.
    fn spawn(args: &[&str], output: Output) -> Result<Self> {
        ensure!(
            tracing::number().is_none(),
            "a scenario with a tracer of its own sees what others do: it is to be `alone`"
        );
        let mut command = v6trace(args);
        let (stdout, echo): (_, fn(&str)) = match output {
            Output::Collected | Output::Unread => (Stdio::piped(), |_| ()),
            Output::Console => (Stdio::inherit(), |line| eprintln!("{line}")),
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start v6trace")?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        let stdout = match output {
            Output::Collected => child.stdout.take(),
            Output::Unread | Output::Console => None,
        };
        let mut tracer = Self {
            child,
            recording: None,
            stdout: stdout.map(|stdout| Lines::collect(stdout, |_| ())),
            stderr: Lines::collect(stderr, echo),
        };
        let ready = tracer.wait_until_ready();
        ready.with_context(|| format!("{command:?}"))?;
        Ok(tracer)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let limit = READY * SLOWEST;
        let ended = match self.stderr.wait(is_ready_line, 1, limit) {
            Awaited::There => return Ok(()),
            Awaited::Ended => command::wait(&mut self.child, "v6trace", END).map(Some),
            // What it has started may hold its end open.
            Awaited::Late => Ok(self.child.try_wait()?),
        };
        let messages = self.stderr.so_far().join("\n");
        match ended.with_context(|| messages.clone())? {
            Some(status) => bail!("v6trace ended before it was ready: {status}\n{messages}"),
            None => bail!("v6trace is not ready after {limit:?}\n{messages}"),
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still there.
    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until it has said a line on standard error that holds `text`.
    pub(crate) fn wait_for_message(&self, text: &str) -> Result<()> {
        wait_for(&self.stderr, text, 1)
    }

    /// Waits until it has printed a line that holds `text`.
    pub(crate) fn wait_for_line(&self, text: &str) -> Result<()> {
        self.wait_for_lines(text, 1)
    }

    /// Waits until it has printed so many lines that hold `text`.
    pub(crate) fn wait_for_lines(&self, text: &str, count: usize) -> Result<()> {
        let stdout = self.stdout.as_ref().context("nobody reads its output")?;
        wait_for(stdout, text, count)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        command::signal(&self.child, "v6trace", signal)
    }

    /// Presses Ctrl-C and reads the stream to its end.
    ///
    /// # Errors
    /// It does not end well, breaks a promise of the stream, or its replay says
    /// something else.
    pub(crate) fn finish(self) -> Result<Report> {
        Ok(self.finish_recorded()?.0)
    }

    /// Waits for a run that ends by itself, and reads its stream.
    ///
    /// # Errors
    /// It does not end, not well, breaks a promise of the stream, or its replay
    /// says something else.
    pub(crate) fn end(self) -> Result<Report> {
        Ok(self.end_recorded()?.0)
    }

    /// The same, and hands over what it recorded.
    pub(crate) fn end_recorded(mut self) -> Result<(Report, Option<Recording>)> {
        let recording = self.recording.take();
        let stream = self.end_stream(recording.as_ref())?;
        Ok((Report::parse(stream)?, recording))
    }

    /// Waits for its end, and gives the stream of JSON, of the replay if there is one.
    fn end_stream(self, recording: Option<&Recording>) -> Result<Finished> {
        let run = self.end_text()?;
        match recording {
            Some(recording) => recording.replay(&run),
            None => Ok(run),
        }
    }

    /// Presses Ctrl-C and gives the stream of JSON that its replay is.
    ///
    /// # Errors
    /// It does not end well, or its replay says something else.
    pub(crate) fn finish_stream(mut self) -> Result<Finished> {
        self.signal(Signal::INT)?;
        let recording = self.recording.take();
        self.end_stream(recording.as_ref())
    }

    /// Presses Ctrl-C, reads the stream to its end, and hands over what it
    /// recorded.
    pub(crate) fn finish_recorded(self) -> Result<(Report, Option<Recording>)> {
        self.signal(Signal::INT)?;
        self.end_recorded()
    }

    /// What it records into.
    pub(crate) fn recording(&self) -> Option<&Recording> {
        self.recording.as_ref()
    }

    /// Hands over what it records into, of which no report is then made.
    pub(crate) fn take_recording(&mut self) -> Option<Recording> {
        self.recording.take()
    }

    /// Kills it and hands over what it recorded.
    pub(crate) fn killed(mut self) -> Option<Recording> {
        self.kill();
        self.recording.take()
    }

    /// Presses Ctrl-C and gives what it printed.
    pub(crate) fn finish_text(self) -> Result<Finished> {
        self.signal(Signal::INT)?;
        self.end_text()
    }

    /// Waits for a run that ends by itself, and gives what it printed.
    pub(crate) fn end_text(mut self) -> Result<Finished> {
        let status = command::wait(&mut self.child, "v6trace", END);
        if status.is_err() {
            self.kill();
        }
        let text = |lines: Lines| {
            let lines = lines.finish().into_iter();
            lines.map(|line| line + "\n").collect::<String>()
        };
        let stdout = self.stdout.take().map(text).unwrap_or_default();
        let stderr = text(std::mem::take(&mut self.stderr));
        let status = status.with_context(|| format!("stderr: {stderr}\nstdout: {stdout}"))?;
        Ok(Finished {
            status,
            stdout,
            stderr,
        })
    }

    fn kill(&mut self) {
        // Either fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // It must not outlive the scenario, however that ends.
        self.kill();
    }
}

/// Waits until there are so many lines that hold `text`.
fn wait_for(lines: &Lines, text: &str, count: usize) -> Result<()> {
    let awaited = lines.wait(|line| line.contains(text), count, END * SLOWEST);
    ensure!(
        awaited == Awaited::There,
        "v6trace should say {text}, {count} times: {awaited:?}\n{}",
        lines.so_far().join("\n")
    );
    Ok(())
}

/// Whether v6trace says by this line that all is attached.
fn is_ready_line(line: &str) -> bool {
    line.starts_with("v6trace: ready")
}
