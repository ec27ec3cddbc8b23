//! Builds what runs elsewhere: `v6trace` with the eBPF programs inside, and
//! `guest`, PID 1 of the test guests. Both are static, so that they run on
//! any Linux of their architecture, whatever its libc.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::architecture::Architecture;
use crate::progress::{self, Step};
use crate::setup::{self, cross};
use crate::{ebpf, paths, process};

/// The built binaries: copies of this task's own, so that building again
/// does not change what guests run half-way through the tests.
pub(crate) struct Binaries {
    directory: PathBuf,
    /// The tracer.
    pub(crate) v6trace: PathBuf,
    /// PID 1 of a guest; on a host it lists the scenarios.
    pub(crate) guest: PathBuf,
}

impl Drop for Binaries {
    fn drop(&mut self) {
        // The next task tries again.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The task `build`.
pub(crate) fn build_task(architecture: &Architecture) -> Result<ExitCode> {
    let v6trace = tracer(architecture)?;
    let size = fs::metadata(&v6trace).map_or(0, |metadata| metadata.len());
    progress::print(&format!(
        "{} (static, {} KiB, eBPF programs included)",
        paths::shown(&v6trace),
        size / 1024
    ));
    Ok(ExitCode::SUCCESS)
}

/// Builds the tracer alone; returns where it is.
pub(crate) fn tracer(architecture: &Architecture) -> Result<PathBuf> {
    let _lock = setup::lock()?;
    compile(architecture, &["v6trace"])?;
    Ok(cross::binary(architecture, "v6trace"))
}

/// Builds both binaries, for a guest.
pub(crate) fn build(architecture: &Architecture) -> Result<Binaries> {
    compile(architecture, &["v6trace", "v6trace-tests"])?;
    let directory = paths::run_file("binaries")?;
    let copies = Binaries {
        v6trace: directory.join("v6trace"),
        guest: directory.join("guest"),
        directory,
    };
    let built = |name| cross::binary(architecture, name);
    paths::copy(&built("v6trace"), &copies.v6trace, 0o755)?;
    paths::copy(&built("guest"), &copies.guest, 0o755)?;
    Ok(copies)
}

fn compile(architecture: &Architecture, packages: &[&str]) -> Result<()> {
    let object = ebpf::build(architecture)?;
    let mut cargo = cross::cargo(architecture)?;
    let step = Step::start(format!("Building {}", packages.join(" and ")));
    cargo.env("V6TRACE_EBPF_OBJECT", object);
    for package in packages {
        cargo.args(["--package", package]);
    }
    show_warnings(&process::messages(&mut cargo)?);
    step.done();
    Ok(())
}

/// Passes on the warnings of a successful cargo, without its progress.
pub(crate) fn show_warnings(said: &str) {
    let noise = [
        "Compiling",
        "Downloaded",
        "Downloading",
        "Finished",
        "Locking",
        "Updating",
    ];
    let warnings: Vec<&str> = said
        .lines()
        .filter(|line| {
            let first = line.trim_start().split(' ').next().unwrap_or_default();
            !noise.contains(&first)
        })
        .collect();
    if warnings.iter().any(|line| line.starts_with("warning")) {
        progress::say(warnings.join("\n").trim_end());
    }
}
