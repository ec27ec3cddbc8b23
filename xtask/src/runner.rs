//! Runs scenarios on one kernel.
//!
//! A guest boots with the job `test`; its console is followed by
//! `transcript` and each finished scenario printed. A guest that dies is
//! booted once more for what it did not finish: the emulator is not above
//! crashing a kernel by itself now and then.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::binaries::Binaries;
use crate::console::Lines;
use crate::prepare::{BootFiles, Request};
use crate::qemu::{self, Job, Machine, Output};
use crate::report::Report;
use crate::transcript::{Outcome, Transcript};
use crate::{paths, progress};

/// Longest time without a line on the console; longer than the guest lets a
/// scenario go on.
const SILENCE: Duration = Duration::from_mins(6);
/// Longest time without a line once the guest has nothing more to say.
const END: Duration = Duration::from_secs(10);
/// Longest time for booting, and for a scenario on average.
const PACE: Duration = Duration::from_mins(2);

/// What is the same for all kernels of a run.
pub(crate) struct Run<'a> {
    /// What the guests run.
    pub(crate) binaries: &'a Binaries,
    /// The scenarios, in the guest's order.
    pub(crate) scenarios: &'a [String],
    /// Whether these are all there are; then the guest needs no list.
    pub(crate) all: bool,
}

/// How a boot ended.
struct Boot {
    outcomes: Vec<Outcome>,
    /// Why it ended early, if it did.
    death: Option<String>,
}

impl Run<'_> {
    /// Runs the scenarios on a kernel; without one, all of them fail.
    pub(crate) fn on_kernel(&self, request: &Request, files: Result<BootFiles>) -> Report {
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
        let failures = outcomes
            .iter()
            .filter(|outcome| outcome.passed_in.is_none());
        let failures = failures
            .map(|outcome| self.shown(&kernel, outcome))
            .collect();
        Report {
            failures,
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
        let version = &files.version;
        let missing = self.take_missing(&mut outcomes);
        progress::print(&format!(
            "{version:<9} died    {death}\n{version:<9} again   in a new guest, once: {}",
            missing.join(", ")
        ));
        let second = self.boot(files, &missing, &format!("{version}-again"));
        outcomes.extend(second.outcomes);
        if let Some(death) = second.death {
            let missing = self.take_missing(&mut outcomes).join(", ");
            progress::print(&format!(
                "{version:<9} FAILED  {missing}: the new guest died as well: {death}"
            ));
        }
        outcomes
    }

    /// The selected scenarios that a guest which died has no outcome for. If
    /// it died after all of them, its last outcome does not count.
    fn take_missing(&self, outcomes: &mut Vec<Outcome>) -> Vec<String> {
        if self.missing(outcomes).is_empty() {
            outcomes.pop();
        }
        self.missing(outcomes)
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
            hardware: &qemu::SCENARIOS,
        };
        match Machine::boot(files, self.binaries, &job, log_name) {
            Ok(machine) => {
                let count = match scenarios.len() {
                    0 => self.scenarios.len(),
                    some => some,
                };
                let steps = u32::try_from(count + 1).unwrap_or(u32::MAX);
                self.follow(&machine, &files.version, PACE.saturating_mul(steps))
            }
            Err(error) => Boot {
                outcomes: Vec::new(),
                death: Some(format!("{error:#}")),
            },
        }
    }

    /// Follows a guest to its end and prints each outcome as it comes.
    fn follow(&self, machine: &Machine, version: &str, limit: Duration) -> Boot {
        let since = Instant::now();
        let mut lines = Lines::default();
        let mut transcript = Transcript::default();
        let mut hang = None;
        while hang.is_none() {
            // Once all is said, for the log and for a crash at the very end.
            let patience = if transcript.is_over() { END } else { SILENCE };
            match machine.read(patience) {
                Output::Bytes(bytes) => {
                    for line in lines.push(&bytes) {
                        if let Some(outcome) = transcript.feed(&line) {
                            progress::print(&self.shown(version, outcome));
                        }
                    }
                }
                Output::Silence if transcript.is_over() => break,
                Output::Silence => {
                    hang = Some(format!("it hung: no output for {} s", SILENCE.as_secs()));
                }
                Output::End => break,
            }
            if since.elapsed() > limit {
                hang = Some(format!("it took longer than {} min", limit.as_secs() / 60));
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

    fn shown(&self, version: &str, outcome: &Outcome) -> String {
        let name = &outcome.name;
        let width = self
            .scenarios
            .iter()
            .map(String::len)
            .max()
            .unwrap_or_default();
        match outcome.passed_in {
            Some(seconds) => format!("{version:<9} ok      {name:<width$} {seconds:>5.1} s"),
            None => format!("{version:<9} FAILED  {name}{}", indented(&outcome.text)),
        }
    }
}

fn indented(text: &[String]) -> String {
    let lines: Vec<String> = text.iter().map(|line| format!("\n    {line}")).collect();
    lines.concat()
}
