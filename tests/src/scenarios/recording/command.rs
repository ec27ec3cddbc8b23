//! Recording while a command runs, and what becomes of files.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::guest::{Finished, Recording, Tracer, finish, v6trace};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("recording-of-a-command", command),
    scenario("recording-of-no-command", no_command),
    alone("recording-replaces-nothing", replaces_nothing),
    alone("recording-replaces-what-others-own", replaces_others),
];

const LIMIT: Duration = Duration::from_secs(40);

fn record(recording: &Recording, more: &[&str]) -> Result<Finished> {
    let args = [&["record", "-o", recording.path()], more].concat();
    finish(&mut v6trace(&args), LIMIT)
}

/// The command's output is apart and its status is passed on; the failure that
/// it met is told and recorded.
fn command() -> Result<()> {
    let recording = Recording::new(&[]);
    let script = "echo to out; echo to err >&2; ip token set ::1 dev lo; exit 7";
    let done = record(&recording, &["--", "sh", "-c", script])?;
    ensure!(done.status.code() == Some(7), "{done}");
    ensure!(done.stdout == "to out\n", "{done}");
    for part in ["to err\n", "token-loopback", "EINVAL", "1 diagnosis"] {
        ensure!(done.stderr.contains(part), "no {part:?}: {done}");
    }
    let text = recording.read("replay", &[])?;
    ensure!(text.stdout.contains("token-loopback"), "{text}");
    ensure!(done.stderr.contains(&text.stdout), "{done}---\n{text}");

    let killed = Recording::new(&[]);
    let done = record(&killed, &["--", "sh", "-c", "kill -9 $$"])?;
    ensure!(done.status.code() == Some(128 + 9), "{done}");
    Ok(())
}

/// A command that cannot be started: said, with a shell's status, and the
/// recording is whole.
fn no_command() -> Result<()> {
    for (command, status) in [("/no/such", 127), ("/tmp", 126)] {
        let recording = Recording::new(&[]);
        let done = record(&recording, &["--", command])?;
        ensure!(done.status.code() == Some(status), "{command}: {done}");
        let said = format!("v6trace: cannot start {command}: ");
        ensure!(done.stderr.contains(&said), "{command}: {done}");
        let text = recording.read("replay", &[])?;
        ensure!(text.stderr.contains("nothing to explain"), "{text}");
        ensure!(!text.stderr.contains("killed"), "{text}");
    }
    Ok(())
}

/// Nobody else can read it, and it is not overwritten unless asked to.
fn replaces_nothing() -> Result<()> {
    let tracer = Tracer::start(&[])?;
    let path = tracer.recording().context("it records")?.path();
    let mode = fs::metadata(path).context("the recording")?.permissions();
    ensure!(mode.mode() & 0o777 == 0o600, "mode {:o}", mode.mode());
    let (_, recording) = tracer.finish_recorded()?;
    let recording = recording.context("it recorded")?;
    let before = fs::read(recording.path()).context("the recording")?;
    let done = record(&recording, &["--", "true"])?;
    ensure!(done.status.code() == Some(1), "{done}");
    ensure!(done.stderr.contains("--force replaces it"), "{done}");
    let after = fs::read(recording.path()).context("the recording")?;
    ensure!(before == after, "the recording was touched");
    let done = record(&recording, &["--force", "--", "true"])?;
    ensure!(done.status.success(), "{done}");
    let after = fs::read(recording.path()).context("the recording")?;
    ensure!(before != after, "the recording was not replaced");
    Ok(())
}

/// Somebody's directory, where only owners remove files; gone with this value.
struct Shared(&'static str);

impl Drop for Shared {
    fn drop(&mut self) {
        // A scenario that failed has said more.
        let _ = fs::remove_dir_all(self.0);
    }
}

/// By force, and with the rights that a tracer is left with, files of other users are
/// replaced, and their pieces removed.
fn replaces_others() -> Result<()> {
    const OTHER: Option<u32> = Some(1000);
    let shared = Shared("/tmp/others");
    fs::create_dir(shared.0)?;
    chown(shared.0, OTHER, OTHER)?;
    fs::set_permissions(shared.0, fs::Permissions::from_mode(0o1700))?;
    let recording = Recording::under(shared.0, &[]);
    let piece = format!("{}.1", recording.path());
    for path in [recording.path(), &piece] {
        fs::write(path, "an earlier one")?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))?;
        chown(path, OTHER, OTHER)?;
    }
    let done = record(&recording, &["--force", "--duration", "1"])?;
    ensure!(done.status.success(), "{done}");
    let found = fs::metadata(recording.path()).context("the recording")?;
    ensure!(found.mode() & 0o777 == 0o600, "mode {:o}", found.mode());
    ensure!(!fs::exists(&piece)?, "an earlier piece stayed");
    let text = recording.read("replay", &[])?;
    ensure!(text.stderr.contains("nothing to explain"), "{text}");
    Ok(())
}
