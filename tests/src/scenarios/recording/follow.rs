//! A recording is read while it is made.

use std::fs::{self, File};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Storm;
use crate::guest::{MulticastSocket, Netns, Tracer, group, until, until_some, v6trace};
use crate::scenarios::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    name: "recording-followed",
    run: followed,
}];

const LIMIT: Duration = Duration::from_secs(20);

/// Joins between two failures: more than a piece holds.
const JOINS: u64 = 7000;

/// What follows says each failure soon after it happened, goes on from piece to
/// piece, ends when the recording ends, and has then said what live tracing
/// said.
fn followed() -> Result<()> {
    let netns = Netns::new("follow")?;
    let interface = netns.dummy("d0")?;
    let socket = MulticastSocket::udp(&netns)?;
    let shown_as = ["--events", "--netns", "follow"];
    let tracer = Tracer::start(&[&shown_as[..], &["--max-size", "64k"]].concat())?;
    let shown = "/tmp/followed";
    let path = tracer.recording().context("it records")?.path();
    let mut follower = v6trace(&[&["replay", "--follow", path], &shown_as[..]].concat())
        .stdout(File::create(shown).context(shown)?)
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start a replay")?;
    let storm = Storm::begin(&netns, interface.ifindex)?;
    for number in 1..=3 {
        let joins = storm.joins() + JOINS;
        until("many joins", Duration::from_mins(1), || {
            storm.joins() > joins
        })?;
        let group = group(number);
        socket.join(interface.ifindex, group)?;
        ensure!(socket.join(interface.ifindex, group).is_err());
        let sentence = format!("could not join {group}");
        until(
            &format!("the follower should say {sentence}"),
            LIMIT,
            || fs::read_to_string(shown).is_ok_and(|text| text.contains(&sentence)),
        )?;
    }
    storm.end()?;
    ensure!(follower.try_wait()?.is_none(), "it ended too early");
    let (_, recording) = tracer.finish_recorded()?;
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
    fs::remove_file(shown).context(shown)
}
