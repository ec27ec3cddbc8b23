//! Running programs that are to end by themselves.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

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
/// It has not ended within `limit`, and is killed.
pub(super) fn wait(child: &mut Child, name: &str, limit: Duration) -> Result<ExitStatus> {
    let limit = limit * SLOWEST;
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let id = id.with_context(|| format!("{name} has no process id"))?;
    let handle = pidfd_open(id, PidfdFlags::empty());
    let handle = handle.with_context(|| format!("cannot watch {name}"))?;
    let (ended, watched) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let late = watched.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            if late {
                // It fails only if it has just ended.
                let _ = pidfd_send_signal(&handle, Signal::KILL);
            }
            late
        });
        let status = child.wait();
        drop(ended);
        if watch.join().is_ok_and(|late| late) {
            bail!(
                "waited {} s in vain: {name} should end",
                limit.as_secs_f32()
            );
        }
        status.with_context(|| format!("cannot wait for {name}"))
    })
}

pub(super) fn gather(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is still worth showing.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
