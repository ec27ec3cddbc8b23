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

/// What has the compiler count which code an input reaches and what it is
/// compared with: what `cargo fuzz` gives to it.
const INSTRUMENTED: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing";

/// With a target named, what runs while building is not instrumented.
const TARGET: &str = "x86_64-unknown-linux-gnu";

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
    let directory = paths::root().join("v6trace/fuzz");
    let corpus = paths::target("fuzz/corpus");
    let wanted = |target: &&&str| targets.is_empty() || targets.iter().any(|name| name == **target);
    let targets: Vec<&str> = TARGETS.iter().filter(wanted).copied().collect();
    let programs = build(&directory, &targets)?;
    seed(&directory, &corpus)?;
    let mut found = paths::target("fuzz/artifacts").into_os_string();
    paths::make_dir(Path::new(&found))?;
    found.push("/");
    for target in targets {
        progress::say(&format!("Fuzzing {target} for {seconds} s"));
        let mut prefix = OsString::from("-artifact_prefix=");
        prefix.push(&found);
        let status = Command::new(programs.join(target))
            .arg(corpus.join(target))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(format!("-timeout={PATIENCE}"))
            .arg(prefix)
            .args([
                "-max_len=65536",
                "-verbosity=0",
                "-print_funcs=0",
                "-print_final_stats=1",
            ])
            .status()
            .with_context(|| format!("cannot run the fuzzer of {target}"))?;
        if !status.success() {
            progress::say(&format!(
                "Fuzzing {target} found something; it is named above"
            ));
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the fuzzers; gives the directory that they are in.
fn build(directory: &Path, targets: &[&str]) -> Result<PathBuf> {
    // The fuzzer itself is C++.
    host::install(&["g++".to_owned()], "building the fuzzers")?;
    let step = Step::start("Building the fuzzers");
    let built = paths::target("fuzz");
    let mut cargo = process::cargo();
    cargo
        .env("RUSTFLAGS", INSTRUMENTED)
        .args(["build", "--release", "--target", TARGET])
        .arg("--manifest-path")
        .arg(directory.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&built);
    for target in targets {
        cargo.args(["--bin", target]);
    }
    process::output(&mut cargo)?;
    step.done();
    Ok(built.join(TARGET).join("release"))
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
