//! What reads a recording opens nothing but what it was given.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::guest::{MulticastSocket, Netns, Tracer, finish, group, until_some, v6trace};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("recording-read-within", within)];

const LIMIT: Duration = Duration::from_secs(30);

/// Files of this scenario, gone with this value.
struct Files([&'static str; 2]);

impl Drop for Files {
    fn drop(&mut self) {
        // One may never have been made.
        self.0.iter().for_each(|file| drop(fs::remove_file(file)));
    }
}

/// The first of two recordings comes by a pipe; until it does, the other is not there.
/// What may be read is settled by then: one that appears under the name is not, where
/// the kernel has Landlock.
fn within() -> Result<()> {
    let doctor = finish(&mut v6trace(&["doctor", "--json"]), LIMIT)?;
    let found: Value = serde_json::from_str(&doctor.stdout).context("one object")?;
    let confinement = &found["confinement"];
    let kept = serde_json::json!(["CAP_DAC_READ_SEARCH"]);
    ensure!(confinement["capabilities"] == kept, "{confinement}");
    let has_landlock = confinement["landlock"].is_u64();
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    ensure!(
        has_landlock != release.starts_with("5.10."),
        "{release}: {confinement}"
    );

    let netns = Netns::new("within")?;
    let interface = netns.dummy("d0")?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracer::start(&["--netns", "within"])?;
    socket.join(interface.ifindex, group(1))?;
    ensure!(socket.join(interface.ifindex, group(1)).is_err());
    let (_, recording) = tracer.finish_recorded()?;
    let recording = recording.context("it recorded")?;

    let [pipe, late] = ["/tmp/within-pipe", "/tmp/within-late"];
    let _files = Files([pipe, late]);
    let made = finish(Command::new("mkfifo").arg(pipe), LIMIT)?;
    ensure!(made.status.success(), "{made}");
    let mut reader = v6trace(&["replay", "--json", pipe, late]);
    let reader = reader.stdout(Stdio::piped()).stderr(Stdio::piped());
    let reader = reader.spawn().context("cannot start a replay")?;
    // It is confined before it opens the pipe, and a writer that does not wait finds a
    // reader then.
    let mut writer = until_some("the replay should open the pipe", LIMIT, || {
        let mut options = File::options();
        let pipe = options
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(pipe);
        match pipe {
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
            pipe => Ok(Some(pipe?)),
        }
    })?;
    let status = fs::read_to_string(format!("/proc/{}/status", reader.id()))?;
    for held in [
        "NoNewPrivs:\t1",
        "CapPrm:\t0000000000000004",
        "CapEff:\t0000000000000004",
        "CapBnd:\t0000000000000004",
    ] {
        ensure!(status.lines().any(|line| line == held), "{held}: {status}");
    }
    fs::copy(recording.path(), late).context("a copy")?;
    // It reads until the end, however much that is.
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty())?;
    writer
        .write_all(&fs::read(recording.path())?)
        .context("the pipe")?;
    drop(writer);
    let done = reader.wait_with_output()?;
    let stdout = String::from_utf8_lossy(&done.stdout);
    let stderr = String::from_utf8_lossy(&done.stderr);
    ensure!(stdout.contains("already-joined"), "{stdout}{stderr}");
    let refused = stderr.contains(&format!("cannot open {late}: Permission denied"));
    ensure!(refused == has_landlock, "{stdout}{stderr}");

    // One that was there from the first is read.
    let done = finish(&mut v6trace(&["replay", late]), LIMIT)?;
    ensure!(
        done.status.success() && done.stdout.contains("already-joined"),
        "{done}"
    );
    Ok(())
}
