//! The task `test`: the unit tests, then every scenario on every kernel.
//!
//! Two guests run side by side, one per emulating thread. Each boots with
//! the job `test`; its console is followed by `transcript` and each finished
//! scenario printed. A guest that dies is booted once more for what it did
//! not finish. The results come together in `report`.

use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::binaries::Binaries;
use crate::console::Lines;
use crate::prepare::{self, BootFiles, Request};
use crate::qemu::{Job, Machine, Output};
use crate::report::{self, Report};
use crate::setup::kernels::{self, SUITES};
use crate::transcript::{Outcome, Transcript};
use crate::{paths, process, progress};

/// Guests at the same time.
const LANES: usize = 2;
/// Longest time without a line on the console.
const SILENCE: Duration = Duration::from_secs(180);
/// Longest time without a line once the guest has nothing more to say.
const END: Duration = Duration::from_secs(10);
/// Longest time for one boot with all its scenarios.
const BOOT: Duration = Duration::from_secs(25 * 60);

/// Runs the tests on the kernels and with the scenarios that were asked for;
/// without either, the unit tests and all scenarios on all kernels.
pub(crate) fn task(wanted: &[String], only: &[String], refresh: bool) -> Result<ExitCode> {
    let requests = requests(wanted)?;
    let (binaries, kernels) = prepare::prepare(&requests, refresh)?;
    let scenarios = select(&list_scenarios(&binaries)?, only)?;
    if wanted.is_empty() && only.is_empty() && !unit_tests_pass()? {
        return Ok(ExitCode::FAILURE);
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
        for suite in kernels::suites_for(version)? {
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

/// What is the same for all kernels of a run.
struct Run<'a> {
    binaries: &'a Binaries,
    scenarios: &'a [String],
    all: bool,
}

/// How a boot ended.
struct Boot {
    outcomes: Vec<Outcome>,
    /// Why it ended early, if it did.
    death: Option<String>,
}

impl Run<'_> {
    fn on_kernel(&self, request: &Request, files: Result<BootFiles>) -> Report {
        let since = Instant::now();
        let (kernel, outcomes) = match files {
            Ok(files) => (files.version.clone(), self.on_guests(&files)),
            Err(error) => {
                let label = request.suite.label();
                progress::print(&format!("{label}  FAILED  no kernel to boot: {error:#}"));
                (label, Vec::new())
            }
        };
        let passed = |name: &&String| {
            let mut all = outcomes.iter().filter(|outcome| outcome.name == **name);
            // A scenario must pass every time that it ended.
            let first = all
                .next()
                .is_some_and(|outcome| outcome.passed_in.is_some());
            first && all.all(|outcome| outcome.passed_in.is_some())
        };
        let (passed, failed) = self.scenarios.iter().partition(passed);
        let cloned = |names: Vec<&String>| names.into_iter().cloned().collect();
        Report {
            kernel,
            passed: cloned(passed),
            failed: cloned(failed),
            time: since.elapsed(),
        }
    }

    /// Boots a guest for all scenarios, and another if it dies on the way.
    fn on_guests(&self, files: &BootFiles) -> Vec<Outcome> {
        let all = if self.all { &[] } else { self.scenarios };
        let first = self.boot(files, all, &files.version);
        let mut outcomes = first.outcomes;
        let Some(death) = first.death else {
            return outcomes;
        };
        let missing = self.missing(&outcomes);
        let version = &files.version;
        if missing.is_empty() {
            progress::print(&format!(
                "{version}  died    after the last scenario: {death}"
            ));
            return outcomes;
        }
        progress::print(&format!(
            "{version}  died    {death}\n{version}  again   in a new guest, once: {}",
            missing.join(", ")
        ));
        let second = self.boot(files, &missing, &format!("{version}-again"));
        outcomes.extend(second.outcomes);
        if let Some(death) = second.death {
            let missing = self.missing(&outcomes).join(", ");
            progress::print(&format!(
                "{version}  FAILED  died again: {death}: {missing}"
            ));
        }
        outcomes
    }

    /// Selected scenarios that have no outcome yet.
    fn missing(&self, outcomes: &[Outcome]) -> Vec<String> {
        let is_missing = |name: &&String| outcomes.iter().all(|outcome| outcome.name != **name);
        self.scenarios.iter().filter(is_missing).cloned().collect()
    }

    /// Boots once; `scenarios` is empty for all.
    fn boot(&self, files: &BootFiles, scenarios: &[String], log_name: &str) -> Boot {
        let mut arguments = vec!["test".to_owned()];
        for scenario in scenarios {
            arguments.extend(["--only".to_owned(), scenario.clone()]);
        }
        let job = Job {
            arguments: &arguments,
            script: None,
            environment: "",
            interactive: false,
        };
        match Machine::boot(files, self.binaries, &job, log_name) {
            Ok(machine) => follow(&machine, &files.version),
            Err(error) => Boot {
                outcomes: Vec::new(),
                death: Some(format!("{error:#}")),
            },
        }
    }
}

/// Follows a guest to its end and prints each outcome as it comes.
fn follow(machine: &Machine, version: &str) -> Boot {
    let since = Instant::now();
    let mut lines = Lines::default();
    let mut transcript = Transcript::default();
    let mut hang = None;
    while hang.is_none() {
        // Once all is said, for the log and for a crash at the very end.
        let limit = if transcript.is_over() { END } else { SILENCE };
        match machine.read(limit) {
            Output::Bytes(bytes) => {
                for line in lines.push(&bytes) {
                    if let Some(outcome) = transcript.feed(&line) {
                        progress::print(&shown(version, outcome));
                    }
                }
            }
            Output::Silence if transcript.is_over() => break,
            Output::Silence => {
                hang = Some(format!("it hung: no output for {} s", SILENCE.as_secs()));
            }
            Output::End => break,
        }
        if since.elapsed() > BOOT {
            hang = Some(format!("it took longer than {} min", BOOT.as_secs() / 60));
        }
    }
    let death = hang.or_else(|| transcript.trouble()).map(|reason| {
        let during = match transcript.current() {
            Some((name, text)) => format!(" during {name}{}", indented(text)),
            None => String::new(),
        };
        format!(
            "{reason} (console in {}){during}",
            paths::shown(&machine.log)
        )
    });
    Boot {
        outcomes: transcript.outcomes,
        death,
    }
}

fn shown(version: &str, outcome: &Outcome) -> String {
    let name = &outcome.name;
    match outcome.passed_in {
        Some(seconds) => format!("{version:<9} ok      {name:<32} {seconds:>5.1} s"),
        None => format!("{version:<9} FAILED  {name}{}", indented(&outcome.text)),
    }
}

fn indented(text: &[String]) -> String {
    text.iter().map(|line| format!("\n    {line}")).collect()
}
