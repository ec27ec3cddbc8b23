//! The task `fuzz`: hostile files, kernel records and BTF, made by a fuzzer.
//!
//! The corpus begins with the golden recordings, which the crate under
//! `v6trace/fuzz` takes apart.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::progress::{self, Step};
use crate::setup::host;
use crate::{paths, process};

/// The release of cargo-fuzz that is built when the user has none.
const CARGO_FUZZ: &str = "0.13.2";

/// What is fuzzed, by the names of the crate's targets.
pub(crate) const TARGETS: [&str; 4] = ["recording", "entries", "decode", "btf"];

/// Memory in MiB that a fuzzed reader may use, whatever the input claims.
const MEMORY: u32 = 512;
/// Seconds that one input may take.
const PATIENCE: u32 = 10;

/// Seconds for each target where that is one check among many.
const BRIEFLY: u32 = 10;

/// Fuzzes everything for a short while.
pub(crate) fn briefly() -> Result<()> {
    let done = task(&[], BRIEFLY)?;
    ensure!(done == ExitCode::SUCCESS, "what was found is named above");
    Ok(())
}

/// Fuzzes each of the targets for some seconds.
///
/// An input that fails is kept, and the fuzzer says where.
pub(crate) fn task(targets: &[String], seconds: u32) -> Result<ExitCode> {
    let cargo_fuzz = provide()?;
    let directory = paths::root().join("v6trace/fuzz");
    let corpus = paths::target("fuzz/corpus");
    seed(&directory, &corpus)?;
    let wanted = |target: &&&str| targets.is_empty() || targets.iter().any(|name| name == **target);
    for target in TARGETS.iter().filter(wanted) {
        progress::say(&format!("Fuzzing {target} for {seconds} s"));
        let status = fuzzing(&mut Command::new(&cargo_fuzz))
            .arg("run")
            // What reads is safe Rust: it may panic, hang or take memory.
            .args(["--sanitizer", "none"])
            .arg("--fuzz-dir")
            .arg(&directory)
            .args(["--target-dir".into(), paths::target("fuzz")])
            .arg(target)
            .arg(corpus.join(target))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(format!("-timeout={PATIENCE}"))
            .args([
                "-max_len=65536",
                "-verbosity=0",
                "-print_funcs=0",
                "-print_final_stats=1",
            ])
            .status()
            .context("cannot run cargo-fuzz")?;
        if !status.success() {
            progress::say(&format!(
                "Fuzzing {target} found something; it is named above"
            ));
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Instrumenting is an unstable option, which the stable compiler takes too.
fn fuzzing(command: &mut Command) -> &mut Command {
    command.env("RUSTC_BOOTSTRAP", "1")
}

/// The user's cargo-fuzz, or one built into `target/tools`.
fn provide() -> Result<PathBuf> {
    if let Some(program) = process::find_program("cargo-fuzz") {
        return Ok(program);
    }
    let tools = paths::target("tools");
    let program = tools.join("bin/cargo-fuzz");
    if !program.is_file() {
        let step = Step::start(format!("Building cargo-fuzz {CARGO_FUZZ} (once)"));
        process::output(
            process::cargo()
                // The work is the fuzzer's, which it only starts.
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .args(["install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked"])
                .arg("--root")
                .arg(&tools)
                .arg("--target-dir")
                .arg(tools.join("build")),
        )?;
        paths::remove_dir(&tools.join("build"))?;
        step.done();
    }
    // The fuzzer itself is C++.
    host::install(&["g++".to_owned()], "building the fuzzer")?;
    Ok(program)
}

/// Makes the corpus that fuzzing begins with; what was found before stays.
fn seed(directory: &Path, corpus: &Path) -> Result<()> {
    let recordings = recordings()?;
    ensure!(
        !recordings.is_empty(),
        "there are no golden recordings; `cargo xtask golden` makes them"
    );
    process::output(
        process::cargo()
            .args(["run", "--quiet", "--bin", "seeds", "--manifest-path"])
            .arg(directory.join("Cargo.toml"))
            // Where most of it was built for the unit tests.
            .args(["--target-dir".into(), paths::target("")])
            .arg("--")
            .arg(corpus)
            .args(&recordings),
    )?;
    let btf = corpus.join("btf");
    paths::make_dir(&btf)?;
    for seed in files(&directory.join("seeds/btf"))? {
        let name = seed.file_name().unwrap_or_default();
        fs::copy(&seed, btf.join(name))
            .with_context(|| format!("cannot copy {}", seed.display()))?;
    }
    Ok(())
}

/// Every golden recording.
fn recordings() -> Result<Vec<OsString>> {
    let mut all = Vec::new();
    for kernel in files(&paths::golden(""))? {
        if kernel.is_dir() {
            let recordings = files(&kernel)?.into_iter();
            let recordings =
                recordings.filter(|path| path.extension().is_some_and(|end| end == "v6t"));
            all.extend(recordings.map(PathBuf::into_os_string));
        }
    }
    Ok(all)
}

/// What is in a directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}
