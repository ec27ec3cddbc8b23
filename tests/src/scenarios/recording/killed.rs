//! A recorder that is killed at any moment leaves a file of which everything
//! replays but the last second.

use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Storm;
use crate::guest::{Netns, Recording, Tracer};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("recording-killed", killed)];

/// What may be missing at the end: a second's records, and what a slow machine
/// had not read from the kernel.
const UNWRITTEN: Duration = Duration::from_millis(2500);

fn killed() -> Result<()> {
    let since = SystemTime::UNIX_EPOCH.elapsed().context("the clock")?;
    let more = Duration::from_millis(u64::from(since.subsec_nanos()) % 1500);
    after(more).with_context(|| format!("killed after another {more:?}"))
}

/// Kills it so long, and some more, after it has begun.
fn after(more: Duration) -> Result<()> {
    let netns = Netns::new("killed")?;
    let interface = netns.dummy("d0")?;
    let args = ["--events", "--netns", "killed"];
    let tracer = Tracer::record(Recording::new(&args), &args)?;
    let storm = Storm::begin(&netns, interface.ifindex)?;
    thread::sleep(more);
    let written = storm.joins();
    thread::sleep(UNWRITTEN);
    let recording = tracer.killed().context("it recorded")?;
    let joins = storm.end()?;

    let events = joins_in(&recording.read("replay", &["--json"])?.stdout)?;
    ensure!(
        (written..=joins).contains(&events),
        "{events} of {joins} joins replay; {written} were made {UNWRITTEN:?} before the kill"
    );
    let text = recording.read("replay", &[])?;
    ensure!(
        text.stderr.contains("recording was killed, or goes on"),
        "{text}"
    );
    let info: Value = serde_json::from_str(&recording.read("info", &["--json"])?.stdout)?;
    for missing in info["files"][0]["missing"].as_array().into_iter().flatten() {
        let what = missing["what"].as_str().unwrap_or_default();
        ensure!(["end", "cut"].contains(&what), "{info}");
    }
    Ok(())
}

/// How many joins a stream has; each has to be the one that came then.
fn joins_in(stream: &str) -> Result<u64> {
    let mut count = 0;
    for line in stream.lines() {
        let object: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        ensure!(object["type"] != "lost", "{object}");
        if object["hook"] == "multicast-join" {
            let group = Storm::group(count).to_string();
            ensure!(object["group"] == group, "not {group}: {object}");
            count += 1;
        }
    }
    Ok(count)
}
