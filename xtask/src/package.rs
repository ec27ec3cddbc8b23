//! The task `package`: packages of v6trace, in `target/package`.
//!
//! The crate `packaging` makes them, of the built program and of what it says of
//! itself.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

use crate::architecture::Architecture;
use crate::progress::{self, Step};
use crate::setup::tools;
use crate::{binaries, paths, process};

/// The task.
pub(crate) fn task(architectures: &[&Architecture]) -> Result<ExitCode> {
    // What is made does not depend on how it was asked for.
    let mut architectures = architectures.to_vec();
    architectures.sort_by_key(|architecture| architecture.name);
    architectures.dedup_by_key(|architecture| architecture.name);
    let built = architectures.into_iter().map(binaries::tracer);
    let built: Vec<PathBuf> = built.collect::<Result<_>>()?;
    let directory = paths::target("package");
    make(&built, &directory, &[])?;
    progress::print(&paths::shown(&directory).to_string());
    Ok(ExitCode::SUCCESS)
}

/// Makes all of it, in haste, and has what was made read.
pub(crate) fn check(v6trace: &Path) -> Result<()> {
    let directory = paths::run_file("package")?;
    make(&[v6trace.to_owned()], &directory, &["--fast"])?;
    manual_pages(&directory.join("man"))?;
    confinement()?;
    paths::remove_dir(&directory)
}

/// Makes all of it, in haste, in `directory`; returns the package for Debian.
pub(crate) fn debian(v6trace: &Path, directory: &Path) -> Result<PathBuf> {
    make(&[v6trace.to_owned()], directory, &["--fast"])?;
    let mut files = fs::read_dir(directory)?.flatten().map(|entry| entry.path());
    let deb = files.find(|path| path.extension() == Some(OsStr::new("deb")));
    deb.context("there is no package for Debian")
}

fn make(programs: &[PathBuf], directory: &Path, more: &[&str]) -> Result<()> {
    let step = Step::start("Packing".to_owned());
    paths::make_empty_dir(directory)?;
    process::output(
        process::cargo()
            .args(["run", "--quiet", "--package", "v6trace-packaging", "--"])
            .args(["--epoch", &epoch()?])
            .args(more)
            .args(
                programs
                    .iter()
                    .flat_map(|path| [OsStr::new("--v6trace"), path.as_ref()]),
            )
            .arg(directory),
    )?;
    step.done();
    Ok(())
}

/// When the last commit was made, seconds since 1970: what is made of a commit
/// is the same whenever that happens.
fn epoch() -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(paths::root());
    let time = process::output(git.args(["log", "-1", "--format=%ct"]))?;
    Ok(time.trim().to_owned())
}

/// Refuses pages that a manual's reader finds a fault with.
fn manual_pages(directory: &Path) -> Result<()> {
    let tools = tools::provide_for_manual()?;
    let pages: Vec<_> = fs::read_dir(directory)?.flatten().collect();
    ensure!(!pages.is_empty(), "there are no manual pages");
    let mut mandoc = tools.command("mandoc");
    mandoc.args(["-T", "lint", "-W", "error"]);
    mandoc.args(pages.iter().map(fs::DirEntry::path));
    process::output(&mut mandoc).map(drop)
}

/// What systemd may think of the service's exposure, in tenths, at most. That of 252
/// finds 20; others weigh a little otherwise.
const EXPOSURE: &str = "25";

/// The first systemd that judges files.
const JUDGES_FILES: u32 = 250;

/// Refuses a service that systemd finds too exposed, where this machine has one that
/// judges files.
fn confinement() -> Result<()> {
    let not_judged = |why: &str| progress::print(&format!("the service was not judged: {why}"));
    let Some(analyze) = process::find_program("systemd-analyze") else {
        not_judged("there is no systemd-analyze");
        return Ok(());
    };
    let version = process::output(Command::new(&analyze).arg("--version"))?;
    let number = version.split_whitespace().nth(1);
    let number: u32 = number
        .and_then(|number| number.parse().ok())
        .with_context(|| format!("no version of systemd: {version}"))?;
    if number < JUDGES_FILES {
        not_judged(&format!("systemd {number} judges no files"));
        return Ok(());
    }
    let mut security = Command::new(analyze);
    security.args([
        "security",
        "--no-pager",
        "--offline=true",
        "--threshold",
        EXPOSURE,
    ]);
    security.arg(paths::root().join("packaging/systemd/v6trace-record.service"));
    process::output(&mut security).map(drop)
}
