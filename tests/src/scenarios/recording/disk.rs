//! A disk that is full while recording: explaining goes on, the loss is said
//! once and counted, and what was written before and after it replays.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::Storm;
use crate::guest::{MulticastSocket, Netns, Recording, Tracer, group, until};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("recording-on-a-full-disk", full)];

const DISK: &str = "/tmp/disk";
/// Bytes of the disk, and of what else is on it.
const SIZE: usize = 256 << 10;
const FILLER: usize = 192 << 10;
/// What the file system gives at once.
const PAGE: u64 = 4096;
/// How often a little room is made.
const ROUNDS: u32 = 5;
/// The group that is refused when there is room for everything.
const LAST: u32 = 3000;

/// A small file system in memory.
struct Disk;

impl Disk {
    fn mount() -> Result<Self> {
        fs::create_dir_all(DISK).context("cannot make a directory")?;
        let options = std::ffi::CString::new(format!("size={SIZE}"))?;
        mount(
            "tmpfs",
            DISK,
            "tmpfs",
            MountFlags::empty(),
            options.as_c_str(),
        )
        .context("cannot mount a tmpfs")?;
        Ok(Self)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The machine is gone soon in any case.
        let _ = unmount(DISK, UnmountFlags::DETACH);
    }
}

fn full() -> Result<()> {
    let netns = Netns::new("disk")?;
    let interface = netns.dummy("d0")?;
    let _disk = Disk::mount()?;
    let filler = Path::new(DISK).join("filler");
    fs::write(&filler, vec![0; FILLER]).context("cannot fill the disk")?;
    let socket = MulticastSocket::udp(&netns)?;
    let failing = |first| -> Result<()> {
        socket.join(interface.ifindex, group(first))?;
        ensure!(socket.join(interface.ifindex, group(first)).is_err());
        Ok(())
    };
    let args = ["--events", "--netns", "disk"];
    let mut tracer = Tracer::record(Recording::under(DISK, &args), &args)?;

    failing(2001)?;
    tracer.wait_for_line(&group(2001).to_string())?;
    let storm = Storm::begin(&netns, interface.ifindex)?;
    tracer.wait_for_message("tracing goes on")?;
    for page in 0..ROUNDS {
        failing(2002 + page)?;
        let explained = format!("could not join {}", group(2002 + page));
        tracer.wait_for_line(&explained)?;
        // Room for a small frame, not for one that holds a second of the storm.
        let less = FILLER as u64 - (u64::from(page) + 1) * PAGE;
        File::options().write(true).open(&filler)?.set_len(less)?;
    }
    fs::remove_file(&filler).context("cannot make room")?;
    let later = storm.joins() + 2000;
    until("more joins", Duration::from_secs(30), || {
        storm.joins() > later
    })?;
    storm.end()?;
    failing(LAST)?;
    tracer.wait_for_line(&format!("could not join {}", group(LAST)))?;

    let recording = tracer.take_recording().context("it records")?;
    let live = tracer.finish_text()?;
    ensure!(live.status.code() == Some(1), "{live}");
    let said = live.stderr.matches("tracing goes on").count();
    ensure!(said == 1, "said {said} times: {live}");
    ensure!(live.stderr.contains("could not be recorded"), "{live}");

    let text = recording.try_read("replay", &recording.pieces(), &[])?;
    ensure!(text.status.code() == Some(1), "{text}");
    ensure!(
        text.stderr.contains("could not be stored while recording"),
        "{text}"
    );
    for number in [2001, LAST] {
        let explained = format!("could not join {}", group(number));
        ensure!(text.stdout.contains(&explained), "{text}");
    }
    Ok(())
}
