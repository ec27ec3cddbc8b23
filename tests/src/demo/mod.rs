//! The six stories that v6trace was made for, told live on the console.
//!
//! One `v6trace live` runs from beginning to end; each story makes the kernel
//! of the guest fail in its own way and says what an operator would see of it.
//! [`record`] makes a recording of each instead, for tests without a kernel.

mod advertisement;
mod anycast;
mod dad;
mod file;
mod radvd;
mod source;
mod token;

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::guest::{Netns, Tracer, finish};

/// A story: what it is about, and how it is told.
struct Story {
    /// What its recording is called.
    name: &'static str,
    title: &'static str,
    /// Gives the namespaces in which it happened: they stay until it is
    /// explained.
    tell: fn() -> Result<Vec<Netns>>,
}

/// Explanations come a moment after the event.
const MOMENT: Duration = Duration::from_millis(700);

const STORIES: &[Story] = &[
    Story {
        name: "anycast",
        title: "Enabling forwarding takes the address of a neighbour",
        tell: anycast::tell,
    },
    Story {
        name: "dad",
        title: "A bridge port in hairpin mode makes an address a duplicate of itself",
        tell: dad::tell,
    },
    Story {
        name: "radvd",
        title: "radvd cannot allocate memory, on a machine with plenty of it",
        tell: radvd::tell,
    },
    Story {
        name: "source",
        title: "A connection over an IPv6 next hop times out",
        tell: source::tell,
    },
    Story {
        name: "token",
        title: "ip token set: Invalid argument",
        tell: token::tell,
    },
    Story {
        name: "advertisement",
        title: "Forwarding is on before the first router advertisement",
        tell: advertisement::tell,
    },
];

/// Tells all stories.
pub(crate) fn run() -> Result<()> {
    say("v6trace live starts:");
    let tracer = Tracer::on_console(&[])?;
    for (number, story) in (1..).zip(STORIES) {
        println!("\n# {number}. {}", story.title);
        let _places = (story.tell)()?;
        thread::sleep(MOMENT);
    }
    println!();
    say("Ctrl-C for v6trace:");
    let done = tracer.finish_text()?;
    ensure!(done.status.success(), "v6trace ended with {}", done.status);
    Ok(())
}

/// Records each story by itself and prints recording and live text as files.
pub(crate) fn record() -> Result<()> {
    for story in STORIES {
        let mut tracer = Tracer::start(&[])?;
        let _places = (story.tell)()?;
        thread::sleep(MOMENT);
        let recording = tracer.take_recording().context("it records")?;
        let live = tracer.finish_text()?;
        recording.replay(&live)?;
        let content = std::fs::read(recording.path()).context("cannot read the recording")?;
        file::print(&format!("{}.v6t", story.name), &content)?;
        let text = recording.read("replay", &[])?;
        let text = text.stdout + &text.stderr;
        file::print(&format!("{}.txt", story.name), text.as_bytes())?;
    }
    Ok(())
}

/// A line of narration.
fn say(line: &str) {
    println!("# {line}");
}

/// Shows a command, runs it, and shows what it says; it may fail.
fn run_shown(command: &str) -> Result<()> {
    println!("$ {command}");
    let mut bash = std::process::Command::new("bash");
    let done = finish(bash.args(["-c", command]), Duration::from_secs(30))?;
    print!("{}{}", done.stdout, done.stderr);
    Ok(())
}
