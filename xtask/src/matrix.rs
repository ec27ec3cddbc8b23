//! The task `test`: the unit tests, then every scenario on every kernel.
//!
//! Two lanes take one kernel after the other and give it to `runner`, which
//! boots its guests; an emulated guest keeps one core busy. The results come
//! together in `report`.

use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::thread;

use anyhow::{Result, bail, ensure};

use crate::binaries::Binaries;
use crate::captures;
use crate::prepare::{self, Request};
use crate::report::{self, Report};
use crate::runner::Run;
use crate::setup::suites::{self, SUITES};
use crate::{process, progress};

/// Guests at the same time.
const LANES: usize = 2;
/// Runs the tests on the kernels and with the scenarios that were asked for;
/// without either, the unit tests and all scenarios on all kernels.
pub(crate) fn task(wanted: &[String], only: &[String], refresh: bool) -> Result<ExitCode> {
    let requests = requests(wanted)?;
    let (binaries, kernels) = prepare::prepare(&requests, refresh)?;
    let scenarios = select(&list_scenarios(&binaries)?, only)?;
    if wanted.is_empty() && only.is_empty() {
        if !unit_tests_pass()? {
            return Ok(ExitCode::FAILURE);
        }
        captures::open_in_tshark(&binaries.v6trace)?;
    }

    let run = Run {
        binaries: &binaries,
        scenarios: &scenarios,
        // All is the guest's default: its argument list stays short.
        all: only.is_empty(),
    };
    let kernels: Vec<_> = requests.iter().zip(kernels).collect();
    let next = Mutex::new(kernels.into_iter().enumerate());
    let reports = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let taken = next.lock().ok().and_then(|mut next| next.next());
                    let Some((place, (request, files))) = taken else {
                        return;
                    };
                    let report = run.on_kernel(request, files);
                    if let Ok(mut reports) = reports.lock() {
                        reports.push((place, report));
                    }
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_default();
    reports.sort_by_key(|(place, _)| *place);
    let reports: Vec<Report> = reports.into_iter().map(|(_, report)| report).collect();
    ensure!(
        reports.len() == requests.len(),
        "the results of a kernel were lost"
    );
    progress::print(&report::table(&reports));
    Ok(match report::totals(&reports) {
        (1.., 0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn requests(wanted: &[String]) -> Result<Vec<Request>> {
    let mut requests: Vec<Request> = Vec::new();
    for version in wanted {
        for suite in suites::suites_for(version)? {
            if requests.iter().all(|request| request.suite != suite) {
                requests.push(Request {
                    suite,
                    version: Some(version.clone()),
                });
            }
        }
    }
    if wanted.is_empty() {
        requests.extend(SUITES.map(|suite| Request {
            suite,
            version: None,
        }));
    }
    Ok(requests)
}

fn list_scenarios(binaries: &Binaries) -> Result<Vec<String>> {
    let names = process::output(Command::new(&binaries.guest).arg("list"))?;
    let names: Vec<String> = names.lines().map(str::to_owned).collect();
    ensure!(!names.is_empty(), "the guest binary lists no scenarios");
    Ok(names)
}

fn select(all: &[String], only: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = only.iter().find(|name| !all.contains(name)) {
        bail!(
            "there is no scenario {unknown:?}; there are:\n  {}",
            all.join("\n  ")
        );
    }
    let selected = |name: &&String| only.is_empty() || only.contains(name);
    Ok(all.iter().filter(selected).cloned().collect())
}

/// Runs `cargo test`, visibly.
fn unit_tests_pass() -> Result<bool> {
    progress::say("Running the unit tests");
    let status = process::cargo().arg("test").status()?;
    if !status.success() {
        progress::say("The unit tests failed; no guest was booted.");
    }
    Ok(status.success())
}
