//! A recording in pieces: each can be read by itself, and all together are the
//! whole.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Storm;
use crate::guest::{Checked, MulticastSocket, Netns, Tracer, finish, group, until, v6trace};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("recording-in-pieces", pieces)];

const SIZE: u64 = 64 << 10;

fn pieces() -> Result<()> {
    let netns = Netns::new("pieces")?;
    let interface = netns.dummy("d0")?;
    // Something for each piece to find.
    netns.ip("link add small mtu 1000 type dummy")?;
    netns.ip("link set small up")?;
    let socket = MulticastSocket::udp(&netns)?;
    let args = ["--events", "--netns", "pieces", "--max-size", "64k"];
    let tracer = Tracer::start(&args)?;
    let storm = Storm::begin(&netns, interface.ifindex)?;
    until("three pieces", Duration::from_mins(1), || {
        let recording = tracer.recording();
        recording.is_some_and(|recording| recording.pieces().len() > 2)
    })?;
    let joins = storm.end()?;
    socket.join(interface.ifindex, group(2001))?;
    ensure!(socket.join(interface.ifindex, group(2001)).is_err());
    let (report, recording) = tracer.finish_recorded()?;
    report.only("already-joined")?;
    let events = |stream: &[Value]| {
        let of_joins = stream
            .iter()
            .filter(|event| event["hook"] == "multicast-join");
        of_joins.count() as u64
    };
    // Those of the storm, and the two that followed.
    ensure!(events(&report.events) == joins + 2, "{}", report.summary);

    let recording = recording.context("it recorded")?;
    let pieces = recording.pieces();
    ensure!(pieces.len() > 2, "{} pieces only", pieces.len());
    let mut found = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let size = std::fs::metadata(piece).context("a piece")?.len();
        ensure!(size <= SIZE, "piece {index} has {size} bytes");
        let alone = std::slice::from_ref(piece);
        let done = recording.try_read("replay", alone, &["--json"])?;
        ensure!(done.status.success(), "piece {index}: {done}");
        let stream: Vec<Value> = done
            .stdout
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        ensure!(stream[0] == report.session, "piece {index}: {}", stream[0]);
        found += events(&stream);
        found_small(&netns, alone)?;
        let last = index + 1 == pieces.len();
        let continued = done.stderr.contains("the piece that follows was not given");
        ensure!(continued != last, "piece {index}: {}", done.stderr);
    }
    ensure!(found == joins + 2, "{found} joins in the pieces");
    found_small(&netns, &pieces)?;
    let info: Value = serde_json::from_str(&recording.read("info", &["--json"])?.stdout)?;
    ensure!(
        info["sessions"]
            .as_array()
            .is_some_and(|all| all.len() == 1),
        "{info}"
    );
    let counted = &info["sessions"][0];
    ensure!(counted["events"]["multicast-join"] == joins + 2, "{info}");
    ensure!(counted["diagnoses"]["already-joined"] == 1, "{info}");
    ensure!(counted["bytes"].as_u64() < Some(20 * joins), "{info}");
    Ok(())
}

/// What was the matter when recording began is in each piece, and told once of all.
fn found_small(netns: &Netns, pieces: &[String]) -> Result<()> {
    let mut args = vec!["replay", "--check", "--json"];
    args.extend(pieces.iter().map(String::as_str));
    let check = finish(&mut v6trace(&args), Duration::from_secs(20))?;
    Checked::parse(&check)?.only(netns, "interface-mtu-below-ipv6")?;
    Ok(())
}
