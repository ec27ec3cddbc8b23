//! Running programs that are to end by themselves.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::until_some;

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

/// Waits for a child that should end by itself.
pub(super) fn wait(child: &mut Child, name: &str, limit: Duration) -> Result<ExitStatus> {
    until_some(&format!("{name} should end"), limit, || {
        Ok(child.try_wait()?)
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
