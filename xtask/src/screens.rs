//! `v6trace top` in tmux, as somebody sees it over ssh: keys go in, and what the screen
//! shows is looked at.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use rustix::process::{Pid, Signal, kill_process};

use crate::progress::Step;
use crate::setup::tools::{self, Tools};
use crate::{paths, process};

/// The kernel whose recordings are looked at.
const KERNEL: &str = "6.1";
/// How long the screen may take to show something.
const LIMIT: Duration = Duration::from_secs(30);

/// What begins a colour, and red.
const COLOUR: &str = "\x1b[38;5;";
const RED: &str = "\x1b[38;5;1m";

/// A tmux of its own, with one pane, which ends with this value.
struct Pane {
    tools: Tools,
    socket: PathBuf,
}

/// Looks at golden recordings with this `v6trace`.
pub(crate) fn look_in_tmux(v6trace: &Path) -> Result<()> {
    let step = Step::start("Looking at recordings in tmux".to_owned());
    let pane = Pane::open()?;
    let recordings = paths::golden(KERNEL);
    let program = v6trace.display();
    // The process that signals are for.
    let number = paths::run_file("number")?;
    let top = format!(
        "sh -c 'echo $$ >{}; exec {program} top {}/*.v6t'; echo ended $?; stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo",
        number.display(),
        recordings.display()
    );

    pane.run(&top)?;
    for part in ["token-forwarding", "none lost", " sessions", "? help"] {
        pane.wait_for(part)?;
    }
    let coloured = pane.tmux(&["capture-pane", "-p", "-e"])?;
    ensure!(coloured.contains(RED), "no red: {coloured}");
    pane.press(&["/", "o", "p", "t", "m"])?;
    let shown = pane.wait_for("/optm")?;
    ensure!(!shown.contains("token-forwarding"), "{shown}");
    pane.press(&["Enter", "Enter"])?;
    pane.wait_for("its socket's option memory")?;
    pane.press(&["c"])?;
    pane.wait_for("clipboard (OSC 52): restart radvd")?;
    let copied = pane.tmux(&["show-buffer"])?;
    ensure!(
        copied.starts_with("restart radvd (pid "),
        "copied: {copied}"
    );
    pane.press(&["w"])?;
    pane.wait_for("it is a recording already")?;
    pane.tmux(&["resize-window", "-x", "40", "-y", "10"])?;
    pane.press(&["Escape"])?;
    pane.wait_for("F ×2 optmem-exhausted")?;
    let shown = pane.wait_for("? help")?;
    let rows: Vec<&str> = shown.lines().collect();
    ensure!(
        rows.first().is_some_and(|head| head.contains("none lost"))
            && rows.get(9).is_some_and(|foot| foot.starts_with("? help")),
        "{shown}"
    );
    pane.press(&["?"])?;
    pane.wait_for("Keys")?;
    pane.tmux(&["resize-window", "-x", "80", "-y", "24"])?;
    pane.wait_for("What was seen")?;
    pane.press(&["q"])?;
    pane.is_given_back("ended 0")?;

    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        pane.run(&top)?;
        pane.wait_for("token-forwarding")?;
        let id = std::fs::read_to_string(&number)?.trim().parse()?;
        let id = Pid::from_raw(id).context("no process id")?;
        kill_process(id, signal)?;
        pane.is_given_back("ended 0")?;
    }

    pane.run(&format!("NO_COLOR=1 {top}"))?;
    pane.wait_for("token-forwarding")?;
    let plain = pane.tmux(&["capture-pane", "-p", "-e"])?;
    ensure!(!plain.contains(COLOUR), "NO_COLOR has colours: {plain}");
    pane.press(&["C-c"])?;
    pane.is_given_back("ended 0")?;

    for (before, after, said) in [
        ("TERM=dumb", "", "more than TERM=dumb"),
        ("", "| cat", "standard output is none"),
        ("", "</dev/null", "standard input is none"),
    ] {
        let line = format!(
            "{before} {program} top {}/dad.v6t {after}",
            recordings.display()
        );
        pane.run(&line)?;
        pane.wait_for(said)?;
    }
    // They were only made to look.
    let _ = std::fs::remove_file(&number);
    step.done();
    Ok(())
}

impl Pane {
    fn open() -> Result<Self> {
        let pane = Self {
            tools: tools::provide_for_screens()?,
            socket: paths::run_file("tmux")?,
        };
        pane.tmux(&["new-session", "-d", "-x", "80", "-y", "24", "sh"])?;
        // Else it keeps what is copied from whoever asks.
        pane.tmux(&["set-option", "-s", "set-clipboard", "on"])?;
        Ok(pane)
    }

    fn tmux(&self, words: &[&str]) -> Result<String> {
        let mut tmux = self.tools.command("tmux");
        tmux.args(["-f", "/dev/null", "-u", "-S"]).arg(&self.socket);
        tmux.env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR");
        process::output(tmux.args(words))
    }

    /// Has the shell run a command on a screen that is empty.
    fn run(&self, command: &str) -> Result<()> {
        self.tmux(&["send-keys", "-l", "clear; "])?;
        self.tmux(&["send-keys", "-l", command])?;
        self.press(&["Enter"])
    }

    fn press(&self, keys: &[&str]) -> Result<()> {
        self.tmux(&[&["send-keys"], keys].concat()).map(drop)
    }

    /// What the screen shows once this is on it.
    fn wait_for(&self, text: &str) -> Result<String> {
        let since = Instant::now();
        loop {
            let shown = self.tmux(&["capture-pane", "-p"])?;
            if shown.contains(text) {
                return Ok(shown);
            }
            if since.elapsed() > LIMIT {
                bail!("the screen should show {text}:\n{shown}");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// That v6trace has ended so, and the terminal is as it was.
    fn is_given_back(&self, how: &str) -> Result<()> {
        let shown = self.wait_for("\necho\n")?;
        ensure!(
            shown.contains(how) && shown.contains("\nicanon\n"),
            "{shown}"
        );
        let state = self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"])?;
        ensure!(state.trim() == "0 1", "screen and cursor: {state}");
        Ok(())
    }
}

impl Drop for Pane {
    fn drop(&mut self) {
        // Its server ends with it.
        let _ = self.tmux(&["kill-server"]);
    }
}
