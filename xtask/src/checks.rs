//! What is checked beside the scenarios.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::prepare::BootFiles;
use crate::progress::{self, Step};
use crate::qemu::Hardware;
use crate::report::Report;
use crate::transcript::Outcome;
use crate::{captures, dependencies, elsewhere, fuzz, package, process, screens, service};

/// Functions with the names of what they check.
type Named<F> = &'static [(&'static str, F)];

/// What to check.
pub(crate) struct Checks {
    /// What can begin at once.
    early: Named<fn() -> Result<()>>,
    /// What needs the built v6trace, or would be in the way of building it.
    late: Named<fn(&Ready) -> Result<()>>,
}

/// What is there once all is set up.
pub(crate) struct Ready<'a> {
    /// The tracer.
    pub(crate) v6trace: &'a Path,
    /// The kernels to test on, as far as they could be had.
    pub(crate) kernels: &'a [Result<BootFiles>],
    /// What guests run on.
    pub(crate) hardware: &'static Hardware,
}

/// Nothing: for a few scenarios.
pub(crate) const NONE: Checks = Checks {
    early: &[],
    late: &[],
};

/// What goes with all scenarios.
pub(crate) const TESTS: Checks = Checks {
    early: &[("unit-tests", unit_tests)],
    late: &[
        ("captures", |ready| captures::open_in_tshark(ready.v6trace)),
        ("screens", |ready| screens::look_in_tmux(ready.v6trace)),
    ],
};

/// What a change must pass.
pub(crate) const ALL: Checks = Checks {
    early: &[
        ("formatting", formatting),
        ("dependencies", dependencies::check),
        ("lints", lints),
        ("unit-tests", linted_unit_tests),
    ],
    late: &[
        ("captures", |ready| captures::open_in_tshark(ready.v6trace)),
        ("screens", |ready| screens::look_in_tmux(ready.v6trace)),
        ("packages", |ready| package::check(ready.v6trace)),
        ("service", service::check),
        ("windows", |_| elsewhere::compile_for_windows()),
        ("aarch64", |_| elsewhere::compile_for_aarch64()),
        ("fuzzing", |_| fuzz::briefly()),
    ],
};

impl Checks {
    pub(crate) fn before_set_up(&self) -> Vec<Outcome> {
        let early = self.early.iter();
        early.map(|(name, check)| outcome(name, check)).collect()
    }

    pub(crate) fn after_set_up(&self, ready: &Ready) -> Vec<Outcome> {
        let late = self.late.iter();
        late.map(|(name, check)| outcome(name, || check(ready)))
            .collect()
    }
}

/// The results in the form of a kernel's.
pub(crate) fn report(outcomes: &[Outcome]) -> Report {
    let names: Vec<String> = outcomes
        .iter()
        .map(|outcome| outcome.name.clone())
        .collect();
    let time = outcomes
        .iter()
        .filter_map(|outcome| outcome.passed_in)
        .sum();
    Report::of(
        "host".to_owned(),
        &names,
        &outcomes.iter().collect::<Vec<_>>(),
        Duration::from_secs_f64(time),
    )
}

fn outcome(name: &str, check: impl FnOnce() -> Result<()>) -> Outcome {
    let step = Step::start(format!("Checking {name}"));
    let since = Instant::now();
    let done = check();
    drop(step);
    let outcome = Outcome {
        name: name.to_owned(),
        passed_in: done.is_ok().then(|| since.elapsed().as_secs_f64()),
        text: match done {
            Ok(()) => Vec::new(),
            Err(error) => format!("{error:#}").lines().map(str::to_owned).collect(),
        },
    };
    progress::print(&outcome.shown("host", 0));
    outcome
}

fn formatting() -> Result<()> {
    all_said(process::cargo().args(["fmt", "--all", "--check"]))?;
    all_said(process::cargo().args([
        "fmt",
        "--check",
        "--manifest-path",
        "v6trace/fuzz/Cargo.toml",
    ]))
}

/// Lints while everything is compiled that the tests need in any case.
fn lints() -> Result<()> {
    let mut cargo = linting(process::cargo())?;
    let said = process::messages(cargo.args(["build", "--all-targets"]))?;
    ensure!(!said.contains("warning: "), "{said}");
    Ok(())
}

/// A cargo that compiles the workspace's own crates with clippy.
fn linting(mut cargo: Command) -> Result<Command> {
    let clippy = process::find_program("clippy-driver")
        .context("there is no clippy; `rustup component add clippy` gets it")?;
    cargo.env("RUSTC_WORKSPACE_WRAPPER", clippy);
    Ok(cargo)
}

fn unit_tests() -> Result<()> {
    all_said(process::cargo().arg("test"))
}

/// The same, of what was compiled for the lints.
fn linted_unit_tests() -> Result<()> {
    all_said(linting(process::cargo())?.arg("test"))
}

/// Runs a command whose every word counts if it fails.
fn all_said(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
    Ok(())
}
