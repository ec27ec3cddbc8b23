//! Installs Debian packages on the machine itself, only those that are
//! missing, through its own apt.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::progress::Step;

/// Those of the packages that are not installed.
fn missing(packages: &[String]) -> Vec<&str> {
    packages
        .iter()
        .map(String::as_str)
        .filter(|package| !is_installed(package))
        .collect()
}

fn is_installed(package: &str) -> bool {
    let status = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status}\n", package])
        .stdin(Stdio::null())
        .output();
    status.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().any(|line| line == "installed")
    })
}

/// Installs those of the packages that are missing; `what_for` completes
/// "Installing packages for ...".
///
/// Fails with the command to run when this user may not install packages,
/// and with apt's own words when apt can't.
pub(crate) fn install(packages: &[String], what_for: &str) -> Result<()> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let by_hand = format!("sudo apt-get install --no-install-recommends {list}");
    if process::find_program("apt-get").is_none() {
        bail!(
            "{what_for} needs the Debian packages {list}, and this machine has no apt: \
             use a Debian machine (or container)"
        );
    }
    if !is_root() && !sudo_works() {
        bail!("{what_for} needs packages that only root can install; run:\n  {by_hand}");
    }

    let step = Step::start(format!("Installing packages for {what_for}: {list}"));
    if let Err(first) = apt_get_install(&missing) {
        // Package lists may be absent (a fresh container) or out of date.
        update().context(format!("apt-get update failed, after: {first:#}"))?;
        apt_get_install(&missing).with_context(|| {
            format!("{what_for} needs packages; once apt works, run:\n  {by_hand}")
        })?;
    }
    step.done();
    Ok(())
}

/// The version of a package that apt would install, if it knows the package.
pub(crate) fn candidate(package: &str) -> Option<String> {
    let text = process::output(Command::new("apt-cache").args(["policy", package])).ok()?;
    text.lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "))
        .filter(|version| *version != "(none)")
        .map(str::to_owned)
}

/// The number in the name of a library that a package needs, directly or
/// not: `22` if `libllvm` is the library and `libllvm22` its package.
pub(crate) fn library_number(package: &str, library: &str) -> Option<String> {
    let text = process::output(Command::new("apt-cache").args([
        "depends",
        "--recurse",
        "--important",
        package,
    ]))
    .ok()?;
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: ")?.strip_prefix(library))
        .find(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
        .map(str::to_owned)
}

/// Fetches the machine's package lists.
pub(crate) fn update() -> Result<()> {
    if !is_root() && !sudo_works() {
        bail!("apt's package lists must be renewed; run:\n  sudo apt-get update");
    }
    process::output(apt_get().args(["-q", "update"])).map(drop)
}

fn apt_get_install(packages: &[&str]) -> Result<()> {
    let mut command = apt_get();
    // Never trade one of the user's packages for ours.
    command
        .args(["-q", "-y", "--no-install-recommends", "--no-remove"])
        .args(["-o", "Dpkg::Options::=--force-confold"])
        .arg("install")
        .args(packages);
    process::output(&mut command).map(drop)
}

fn apt_get() -> Command {
    let mut command = if is_root() {
        Command::new("apt-get")
    } else {
        let mut command = Command::new("sudo");
        command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    };
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-o", "DPkg::Lock::Timeout=300"]);
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether sudo runs apt-get without asking for a password.
fn sudo_works() -> bool {
    process::output(Command::new("sudo").args(["-n", "true"])).is_ok()
}
