//! Running programs that are to end by themselves.

use std::fmt;
use std::io::Read;
use std::os::fd::AsRawFd as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::wait::SLOWEST;

/// A program that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            stdout,
            stderr,
        } = self;
        write!(f, "{status}\nstdout: {stdout}\nstderr: {stderr}")
    }
}

/// Runs a program to its end.
///
/// # Errors
/// It cannot be started, or has not ended within `limit`.
pub(crate) fn finish(command: &mut Command, limit: Duration) -> Result<Finished> {
    let name = command.get_program().display().to_string();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let stdout = child.stdout.take().map(gather);
    let stderr = child.stderr.take().map(gather);
    let ended = wait(&mut child, &name, limit);
    if ended.is_err() {
        // It must not outlive the scenario; why is already known.
        let _ = child.kill();
        let _ = child.wait();
    }
    let text = |gathered: Option<JoinHandle<String>>| {
        gathered
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    match ended {
        Ok(status) => Ok(Finished {
            status,
            stdout,
            stderr,
        }),
        Err(error) => Err(error.context(format!("stdout: {stdout}\nstderr: {stderr}"))),
    }
}

/// Waits for a child that should end by itself, without looking again and again: what it
/// does would take longer.
///
/// # Errors
/// It has not ended within `limit`.
pub(super) fn wait(child: &mut Child, name: &str, limit: Duration) -> Result<ExitStatus> {
    let limit = limit * SLOWEST;
    let until = Instant::now() + limit;
    loop {
        let ended = child.try_wait();
        if let Some(status) = ended.with_context(|| format!("cannot wait for {name}"))? {
            return Ok(status);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bail!(
                "waited {} s in vain: {name} should end",
                limit.as_secs_f32()
            );
        }
        sleep_until_end(child, left).with_context(|| format!("cannot watch {name}"))?;
    }
}

/// Sleeps until a child that nobody has waited for has ended, or for so long; or until a
/// signal comes.
fn sleep_until_end(child: &Child, most: Duration) -> Result<()> {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let handle = pidfd_open(id.context("it has no process id")?, PidfdFlags::empty())?;
    let mut watched = libc::pollfd {
        fd: handle.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let milliseconds = i32::try_from(most.as_millis() + 1).unwrap_or(i32::MAX);
    // SAFETY: This is one struct pollfd, which nobody else has; its descriptor is open.
    unsafe { libc::poll(&raw mut watched, 1, milliseconds) };
    Ok(())
}

pub(super) fn gather(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is still worth showing.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Sends a program a signal.
pub(super) fn signal(child: &Child, name: &str, signal: Signal) -> Result<()> {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    kill_process(
        id.with_context(|| format!("{name} has no process id"))?,
        signal,
    )
    .with_context(|| format!("cannot send {name} {signal:?}"))
}
