//! `v6trace top` where its terminal is of no use any more: it ends all the same.

use std::{
    fs,
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use assert_cmd::cargo::cargo_bin;
use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Action, Winsize, tcflow, tcsetwinsize},
};

use crate::support::recording;

/// How long it may take, on a host with much to do.
const LIMIT: Duration = Duration::from_mins(1);
/// As a shell reports a process that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// It in a terminal, which ends with this value.
struct Top {
    child: Child,
    /// The terminal's own end.
    ours: Option<OwnedFd>,
}

impl Top {
    /// Looks at a recording; in a terminal that takes nothing where it `stalls`.
    fn start(stalls: bool) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags).expect("a terminal");
        grantpt(&ours).expect("a terminal");
        unlockpt(&ours).expect("a terminal");
        let name = ptsname(&ours, Vec::new()).expect("a terminal");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = rustix::fs::open(&*name, flags, Mode::empty()).expect("a terminal");
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&line, size).expect("a size");
        if stalls {
            tcflow(&line, Action::OOff).expect("it stops");
        }
        let end = || Stdio::from(line.try_clone().expect("a file"));
        let child = Command::new(cargo_bin("v6trace"))
            .arg("top")
            .arg(recording("6.1", "dad"))
            .env("TERM", "xterm-256color")
            .stdin(end())
            .stdout(end())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        Self {
            child,
            ours: Some(ours),
        }
    }

    /// Waits until it has a thread of that name.
    fn wait_for_thread(&self, name: &str) {
        let tasks = format!("/proc/{}/task", self.child.id());
        let is_there = || {
            let mut tasks = fs::read_dir(&tasks).into_iter().flatten().flatten();
            tasks.any(|task| {
                fs::read_to_string(task.path().join("comm"))
                    .is_ok_and(|comm| comm.trim_end() == name)
            })
        };
        let since = Instant::now();
        while !is_there() {
            assert!(since.elapsed() < LIMIT, "no thread {name}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("an id"), Signal::TERM).expect("it is there");
    }

    fn ended(&mut self, mut meanwhile: impl FnMut(&Self)) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(since.elapsed() < LIMIT, "it goes on");
            meanwhile(self);
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Top {
    fn drop(&mut self) {
        // It has ended, mostly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_second_signal_ends_it_while_its_terminal_takes_nothing() {
    let mut top = Top::start(true);
    top.wait_for_thread("signals");
    // Two that come at the same time are one.
    let status = top.ended(Top::signal);
    assert_eq!((status.code(), status.signal()), (Some(INTERRUPTED), None));
}

#[test]
fn a_terminal_that_is_gone_ends_it() {
    let mut top = Top::start(false);
    top.wait_for_thread("hangup");
    drop(top.ours.take());
    let status = top.ended(|_| {});
    // It may notice as it draws, or before.
    assert_eq!(status.signal(), None, "{status}");
}
