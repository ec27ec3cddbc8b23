//! The command that is traced until it ends.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{ExitCode, ExitStatus},
};

use anyhow::Context as _;
use rustix::{
    process::{Pid, Signal, getpgrp, kill_process},
    stdio, termios,
};
use tokio::process::{Child, Command};

use super::{
    options,
    stop::{Asked, Stop},
};
use crate::{event, families::process::CommandEnded};

/// A command line.
pub(super) struct Traced {
    program: OsString,
    arguments: Vec<OsString>,
}

impl Traced {
    /// The command that `words` are; `None` if there are none.
    pub(super) fn new(words: &[OsString]) -> Option<Self> {
        let (program, arguments) = words.split_first()?;
        Some(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
        })
    }

    /// What its program is called.
    pub(super) fn name(&self) -> String {
        let path = Path::new(&self.program);
        let name = path.file_name().unwrap_or(&self.program);
        event::text(name.as_encoded_bytes())
    }

    /// Starts it, with the files that v6trace itself was given.
    pub(super) fn start(&self) -> Result<Running, Unstarted> {
        match Command::new(&self.program).args(&self.arguments).spawn() {
            Ok(child) => Ok(Running { child }),
            Err(error) => Err(Unstarted {
                program: self.program.clone(),
                error,
            }),
        }
    }
}

/// It cannot be started.
pub(super) struct Unstarted {
    program: OsString,
    error: io::Error,
}

impl Unstarted {
    /// Says so; the exit status is what a shell would give.
    pub(super) fn tell(&self) -> ExitCode {
        // With standard error closed there is nobody to tell.
        let _ = writeln!(
            options::stderr(),
            "v6trace: cannot start {}: {}",
            self.program.display(),
            self.error
        );
        ExitCode::from(match self.error.kind() {
            io::ErrorKind::NotFound => 127,
            _ => 126,
        })
    }
}

/// It runs.
pub(super) struct Running {
    child: Child,
}

impl Running {
    /// Waits until it ends, and tells how; a signal to end is passed on to it.
    pub(super) async fn ended(&mut self, stop: &mut Stop) -> Option<ExitStatus> {
        // An error of waiting shows again when its status is asked for.
        self.wait(stop).await.ok()
    }

    /// Its exit status once it has ended, as a shell gives it.
    pub(super) async fn status(mut self, stop: &mut Stop) -> anyhow::Result<ExitCode> {
        let status = self
            .wait(stop)
            .await
            .context("cannot wait for the command")?;
        let code = status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal));
        Ok(code
            .and_then(|code| u8::try_from(code).ok())
            .map_or(ExitCode::FAILURE, ExitCode::from))
    }

    async fn wait(&mut self, stop: &mut Stop) -> io::Result<ExitStatus> {
        loop {
            tokio::select! {
                status = self.child.wait() => return status,
                asked = stop.asked() => self.pass_on(asked),
            }
        }
    }

    /// Passes a signal on, unless the terminal has sent it to both.
    fn pass_on(&self, asked: Asked) {
        let signal = match asked {
            Asked::Interrupt if in_foreground() => return,
            Asked::Interrupt => Signal::INT,
            Asked::Terminate => Signal::TERM,
        };
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id.and_then(Pid::from_raw) {
            // It may have ended just now.
            let _ = kill_process(id, signal);
        }
    }
}

/// How a command ended, for the stream.
pub(super) fn ended(status: ExitStatus, boot_ns: u64) -> CommandEnded {
    CommandEnded {
        boot_ns,
        status: status.code(),
        signal: status.signal(),
    }
}

/// Whether Ctrl-C in the terminal reaches this process, and so its children.
fn in_foreground() -> bool {
    termios::tcgetpgrp(stdio::stdin()).is_ok_and(|group| group == getpgrp())
}
