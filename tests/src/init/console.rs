//! PID 1's standard streams, and a shell with job control on the same terminal.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

/// Makes /dev/console standard input, output and error.
///
/// The kernel opens it for PID 1 only if the initramfs holds the node.
pub(super) fn adopt() -> Result<()> {
    let console = open("/dev/console").context("cannot open /dev/console")?;
    dup2_stdin(&console)
        .and_then(|()| dup2_stdout(&console))
        .and_then(|()| dup2_stderr(&console))
        .context("cannot make /dev/console the standard streams")
}

/// bash as the leader of a session whose terminal is the console.
pub(super) fn shell() -> Command {
    let mut bash = Command::new("/bin/bash");
    bash.args(["--norc", "-i"])
        .env("TERM", "vt100")
        .env("PS1", "guest# ");
    let terminal = terminal();
    let take_terminal = move || {
        setsid()?;
        let terminal = open(&terminal)?;
        ioctl_tiocsctty(&terminal)?;
        dup2_stdin(&terminal)?;
        dup2_stdout(&terminal)?;
        dup2_stderr(&terminal)?;
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls only; its
    // one allocation (the path as a C string) is safe because PID 1 has no
    // other thread that could hold the allocator's lock across the fork.
    unsafe { bash.pre_exec(take_terminal) };
    bash
}

/// The device behind /dev/console, which itself cannot become a controlling
/// terminal.
fn terminal() -> String {
    let active = fs::read_to_string("/sys/class/tty/console/active").unwrap_or_default();
    // The last one named is the one that /dev/console leads to.
    let name = active.split_whitespace().last().unwrap_or("ttyS0");
    format!("/dev/{name}")
}

fn open(path: &str) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}
