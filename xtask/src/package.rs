//! The task `package`: what v6trace is handed out as, in `target/package`.
//!
//! The crate `packaging` makes it, of what v6trace says of itself.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};

use crate::progress::{self, Step};
use crate::setup::tools;
use crate::{paths, process};

/// The task.
pub(crate) fn task() -> Result<ExitCode> {
    let directory = paths::target("package");
    make(&directory)?;
    progress::print(&paths::shown(&directory).to_string());
    Ok(ExitCode::SUCCESS)
}

/// Makes all of it anew, and has the manual pages read.
pub(crate) fn check() -> Result<()> {
    let directory = paths::run_file("package")?;
    make(&directory)?;
    let read = manual_pages(&directory.join("man"));
    paths::remove_dir(&directory)?;
    read
}

fn make(directory: &Path) -> Result<()> {
    let step = Step::start("Making manual pages and completions".to_owned());
    paths::make_empty_dir(directory)?;
    process::output(
        process::cargo()
            .args(["run", "--quiet", "--package", "v6trace-packaging", "--"])
            .args(["--epoch", &epoch()?])
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
    let pages: Vec<_> = std::fs::read_dir(directory)?.flatten().collect();
    ensure!(!pages.is_empty(), "there are no manual pages");
    let mut mandoc = tools.command("mandoc");
    mandoc.args(["-T", "lint", "-W", "error"]);
    mandoc.args(pages.iter().map(std::fs::DirEntry::path));
    process::output(&mut mandoc).map(drop)
}
