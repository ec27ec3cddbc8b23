//! A recording is read while it is made.

use std::fs::{self, File};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Storm;
use crate::guest::{MulticastSocket, Netns, Tracer, group, until, until_some, v6trace};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("recording-followed", followed)];

const LIMIT: Duration = Duration::from_secs(20);

/// Between two attempts of the same join that fails.
const AGAIN: Duration = Duration::from_millis(200);

/// Joins between two failures: more than a piece holds.
const JOINS: u64 = 3000;

/// What follows says each failure soon after it happened, goes on from piece to
/// piece, ends when the recording ends, and has then said what live tracing
/// said.
fn followed() -> Result<()> {
    let netns = Netns::new("follow")?;
    let interface = netns.dummy("d0")?;
    let socket = MulticastSocket::udp(&netns)?;
    let shown_as = ["--events", "--netns", "follow"];
    let tracer = Tracer::start(&[&shown_as[..], &["--max-size", "64k"]].concat())?;
    let [shown, complaints] = ["/tmp/followed", "/tmp/followed.err"];
    let path = tracer.recording().context("it records")?.path();
    let mut follower = v6trace(&[&["replay", "--follow", path], &shown_as[..]].concat())
        .stdout(File::create(shown).context(shown)?)
        .stderr(File::create(complaints).context(complaints)?)
        .spawn()
        .context("cannot start a replay")?;
    let storm = Storm::begin(&netns, interface.ifindex)?;
    let mut failures = 0;
    for number in 1..=3 {
        let joins = storm.joins() + JOINS;
        until("many joins", Duration::from_mins(1), || {
            storm.joins() > joins
        })?;
        let group = group(number);
        socket.join(interface.ifindex, group)?;
        let sentence = format!("could not join {group}");
        until(
            &format!("the follower should say {sentence}"),
            LIMIT,
            || {
                // The record of one may be lost in the storm.
                failures += usize::from(socket.join(interface.ifindex, group).is_err());
                sleep(AGAIN);
                fs::read_to_string(shown).is_ok_and(|text| text.contains(&sentence))
            },
        )
        .with_context(|| said(&[shown, complaints]))?;
    }
    storm.end()?;
    ensure!(follower.try_wait()?.is_none(), "it ended too early");
    let (report, recording) = tracer.finish_recorded()?;
    ensure!(
        report.diagnoses.len() == failures || !report.lost.is_empty(),
        "{} of {failures} failures reported, and none said to be lost",
        report.diagnoses.len()
    );
    let recording = recording.context("it recorded")?;
    ensure!(recording.pieces().len() > 2, "{:?}", recording.pieces());
    let status = until_some(
        "the follower should end",
        LIMIT,
        || Ok(follower.try_wait()?),
    )?;
    ensure!(status.success(), "the follower failed: {status}");
    let told = fs::read_to_string(shown).context(shown)?;
    let replayed = recording.read("replay", &[])?.stdout;
    ensure!(told == replayed, "{told}---\n{replayed}");
    [shown, complaints]
        .into_iter()
        .try_for_each(|file| fs::remove_file(file).context(file))
}

/// The ends of some files.
fn said(files: &[&str]) -> String {
    let ends = files.iter().map(|file| {
        let text = fs::read(file).unwrap_or_default();
        let end = &text[text.len().saturating_sub(1000)..];
        format!("{file} ends:\n{}", String::from_utf8_lossy(end))
    });
    ends.collect::<Vec<_>>().join("\n")
}
