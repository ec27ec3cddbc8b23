//! `v6trace top` in a terminal, while a kernel is at work.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;

use super::{Scenario, alone};
use crate::guest::{Netns, Terminal, finish, ip_fails, until, v6trace};

/// The scenarios.
pub(super) const SCENARIOS: &[&[Scenario]] = &[&[alone("top-shows-what-happens", shows)]];

const LIMIT: Duration = Duration::from_secs(40);

/// A directory of this scenario, gone with this value.
struct Directory(&'static str);

impl Drop for Directory {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = fs::remove_dir_all(self.0);
    }
}

/// A token that is taken is not shown, one that is refused is; the recording of what is
/// held explains it as well; and the terminal is given back, also after a signal.
fn shows() -> Result<()> {
    let directory = Directory("/tmp/top");
    fs::create_dir_all(directory.0)?;
    let netns = Netns::new("top")?;
    netns.ip("link add v0 type veth peer name peer")?;
    netns.ip("link set v0 up")?;

    let mut command = v6trace(&["top", "--netns", "top"]);
    let mut top = Terminal::start(command.current_dir(directory.0))?;
    top.wait_for("Nothing to explain so far")?;
    top.wait_for("none lost")?;
    let status = fs::read_to_string(format!("/proc/{}/status", top.id()))?;
    ensure!(
        status.lines().any(|line| line == "NoNewPrivs:\t1"),
        "{status}"
    );
    netns.ip("token set ::1 dev v0")?;
    netns.set_sysctl("ipv6/conf/v0/forwarding", "1")?;
    // In a row, for they are counted as one while none is long after the one before.
    for _ in 0..4 {
        ip_fails(&netns.ip_words("token set ::2 dev v0"))?;
    }
    for part in ["token-forwarding", "v0  netns top", "×4"] {
        top.wait_for(part)?;
    }
    let shown = top.shown();
    ensure!(shown.matches("FAILURE").count() == 1, "{shown}");

    top.press("\r")?;
    top.wait_for("accept_ra 1")?;
    top.press("w")?;
    top.wait_for("all of it")?;
    let mut written = fs::read_dir(directory.0)?;
    let written = written.next().context("it wrote nothing")??.path();
    let path = written.to_str().context("a name")?;
    let replay = finish(&mut v6trace(&["replay", path]), LIMIT)?;
    ensure!(
        replay.status.success() && replay.stdout.contains("token-forwarding"),
        "{replay}"
    );

    top.press("q")?;
    let ended = top.ended()?;
    ensure!(ended.success(), "{ended}: {}", top.shown());
    given_back(&top)?;
    // The closing line, where it can be read.
    top.wait_for("no events lost")?;

    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut top = Terminal::start(&mut v6trace(&["top", "--netns", "top"]))?;
        top.wait_for("Nothing to explain so far")?;
        top.signal(signal)?;
        let ended = top.ended()?;
        ensure!(ended.success(), "{signal:?}: {ended}: {}", top.shown());
        given_back(&top)?;
    }
    Ok(())
}

/// Waits for it: what the terminal was sent is read later than the process ends.
fn given_back(top: &Terminal) -> Result<()> {
    until("the terminal should be given back", LIMIT, || {
        top.is_given_back().unwrap_or(false)
    })
}
