//! Waiting for children as PID 1 must: every orphan is reaped on the way, and
//! a child that outlives its limit is killed with its whole process group.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process_group, wait};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It exited with this status.
    Exited(i32),
    /// This signal killed it.
    Killed(i32),
    /// It was still running after its limit and was killed.
    TimedOut,
}

impl Ending {
    /// The status a shell would give it.
    pub(super) fn status(self) -> i32 {
        match self {
            Self::Exited(status) => status,
            Self::Killed(signal) => 128 + signal,
            Self::TimedOut => 124,
        }
    }

    fn of(status: WaitStatus) -> Self {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(status), _) => Self::Exited(status),
            (None, signal) => Self::Killed(signal.unwrap_or_default()),
        }
    }
}

/// Waits for the child `id`, reaping every other dead child meanwhile.
///
/// With a limit the child must lead a process group: the group is killed when
/// the limit has passed.
pub(super) fn wait_for(id: u32, limit: Option<Duration>) -> Result<Ending> {
    let child = pid(id)?;
    let (ended, watched) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watch = |limit| {
            thread::Builder::new().spawn_scoped(scope, move || {
                let late = watched.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
                if late {
                    kill_group(id).map(|()| true)
                } else {
                    Ok(false)
                }
            })
        };
        let watch = limit.map(watch).transpose();
        let watch = watch.context("cannot start a thread")?;
        let status = reap_until(child);
        drop(ended);
        let late = watch.map(|watch| watch.join().map_err(|_| anyhow!("watching panicked")));
        let late = late.transpose()?.transpose()?.unwrap_or_default();
        let ending = Ending::of(status?);
        // It may have ended at its limit, by itself.
        let killed = ending == Ending::Killed(Signal::KILL.as_raw());
        Ok(if late && killed {
            Ending::TimedOut
        } else {
            ending
        })
    })
}

/// Reaps dead children until it is this one's turn.
fn reap_until(child: Pid) -> Result<WaitStatus> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((dead, status))) if dead == child => return Ok(status),
            // An orphan: reaped, and perhaps there are more.
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).context("cannot wait for the child"),
        }
    }
}

/// Kills what is left of the process group that the child `id` led.
pub(crate) fn kill_group(id: u32) -> Result<()> {
    match kill_process_group(pid(id)?, Signal::KILL) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno).with_context(|| format!("cannot kill process group {id}")),
    }
}

fn pid(id: u32) -> Result<Pid> {
    i32::try_from(id)
        .ok()
        .and_then(Pid::from_raw)
        .with_context(|| format!("{id} is no process id"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use super::*;

    // One test, because each wait reaps any child of the test process.
    #[test]
    fn endings() {
        #[expect(clippy::zombie_processes, reason = "wait_for reaps it")]
        let run = |script: &str, limit| {
            let child = Command::new("/bin/sh")
                .args(["-c", script])
                .process_group(0)
                .spawn()
                .unwrap();
            wait_for(child.id(), limit).unwrap()
        };
        assert_eq!(run("exit 3", None), Ending::Exited(3));
        assert_eq!(run("kill -9 $$", None), Ending::Killed(9));
        let limit = Some(Duration::from_millis(50));
        assert_eq!(run("sleep 60 & sleep 60", limit), Ending::TimedOut);
    }
}
