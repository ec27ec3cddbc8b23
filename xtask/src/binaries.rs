//! Builds what runs elsewhere: `v6trace` with the eBPF programs inside, and
//! `guest`, PID 1 of the test guests. Both are static, so that they run on
//! any x86-64 Linux, whatever its libc.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::progress::{self, Step};
use crate::{ebpf, paths, process, setup};

const TARGET: &str = "x86_64-unknown-linux-gnu";

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
pub(crate) fn build_task() -> Result<ExitCode> {
    let v6trace = tracer()?;
    let size = fs::metadata(&v6trace).map_or(0, |metadata| metadata.len());
    progress::print(&format!(
        "{} (static, {} KiB, eBPF programs included)",
        paths::shown(&v6trace),
        size / 1024
    ));
    Ok(ExitCode::SUCCESS)
}

/// Builds the tracer alone; returns where it is.
pub(crate) fn tracer() -> Result<PathBuf> {
    let _lock = setup::lock()?;
    let object = ebpf::build()?;
    compile(&object, &["v6trace"])?;
    Ok(binary("v6trace"))
}

/// Builds both binaries, for a guest.
pub(crate) fn build() -> Result<Binaries> {
    let object = ebpf::build()?;
    compile(&object, &["v6trace", "v6trace-tests"])?;
    let directory = paths::run_file("binaries")?;
    let copies = Binaries {
        v6trace: directory.join("v6trace"),
        guest: directory.join("guest"),
        directory,
    };
    paths::copy(&binary("v6trace"), &copies.v6trace, 0o755)?;
    paths::copy(&binary("guest"), &copies.guest, 0o755)?;
    Ok(copies)
}

fn compile(object: &Path, packages: &[&str]) -> Result<()> {
    let step = Step::start(format!("Building {}", packages.join(" and ")));
    let mut flags = process::without_places();
    flags.push("-Ctarget-feature=+crt-static".to_owned());
    let mut cargo = process::cargo();
    cargo
        .env("V6TRACE_EBPF_OBJECT", object)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .args(["build", "--release", "--target", TARGET])
        .arg("--target-dir")
        .arg(paths::target(""));
    for package in packages {
        cargo.args(["--package", package]);
    }
    show_warnings(&process::messages(&mut cargo)?);
    step.done();
    Ok(())
}

fn binary(name: &str) -> PathBuf {
    paths::target(TARGET).join("release").join(name)
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
