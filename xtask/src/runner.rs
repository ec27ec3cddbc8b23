//! Runs a share of the scenarios on one kernel.
//!
//! A guest boots with the job `test`; its console is followed by
//! `transcript` and each finished scenario printed. A guest that dies is
//! booted once more, emulated, for what it did not finish: neither the emulator
//! nor KVM within another guest is above crashing a kernel by itself now and
//! then.

use std::time::Duration;

use crate::binaries::Binaries;
use crate::prepare::BootFiles;
use crate::qemu::{EMULATED, Hardware, Job, Machine, Patience};
use crate::transcript::{Outcome, Transcript, indented};
use crate::{paths, progress};

/// Longest time without a line on the console; longer than the guest lets a
/// scenario go on.
const SILENCE: Duration = Duration::from_mins(6);
/// Longest time for booting, and for a scenario on average.
const PACE: Duration = Duration::from_mins(2);
/// For the log and for a crash at the very end, once all is said.
const END: Duration = Duration::from_secs(10);

/// What is the same for all guests of a run.
pub(crate) struct Run<'a> {
    /// What the guests run.
    pub(crate) binaries: &'a Binaries,
    /// What they run on.
    pub(crate) hardware: &'static Hardware,
    /// How wide a scenario's name is shown.
    pub(crate) width: usize,
}

/// How a boot ended.
pub(crate) struct Boot {
    pub(crate) outcomes: Vec<Outcome>,
    /// Why it ended early, if it did.
    pub(crate) death: Option<String>,
}

impl Run<'_> {
    /// Boots a guest for the scenarios, whose kernel is told `boot`, and another if it
    /// dies on the way.
    pub(crate) fn share(
        &self,
        files: &BootFiles,
        number: usize,
        boot: &str,
        scenarios: &[String],
    ) -> Vec<Outcome> {
        let version = &files.version;
        let log_name = format!("{version}-{number}");
        let first = self.boot(files, self.hardware, boot, scenarios, &log_name);
        let mut outcomes = first.outcomes;
        let Some(death) = first.death else {
            return outcomes;
        };
        let missing = take_missing(scenarios, &mut outcomes);
        progress::print(&format!(
            "{version:<9} died    {death}\n{version:<9} again   in a new guest, once: {}",
            missing.join(", ")
        ));
        let second = self.boot(
            files,
            &EMULATED,
            boot,
            &missing,
            &format!("{log_name}-again"),
        );
        outcomes.extend(second.outcomes);
        if let Some(death) = second.death {
            let missing = take_missing(scenarios, &mut outcomes).join(", ");
            progress::print(&format!(
                "{version:<9} FAILED  {missing}: the new guest died as well: {death}"
            ));
        }
        outcomes
    }

    fn boot(
        &self,
        files: &BootFiles,
        hardware: &'static Hardware,
        environment: &str,
        scenarios: &[String],
        log_name: &str,
    ) -> Boot {
        let mut arguments = vec!["test".to_owned()];
        for scenario in scenarios {
            arguments.extend(["--only".to_owned(), scenario.clone()]);
        }
        let job = Job {
            arguments: &arguments,
            script: None,
            environment,
            interactive: false,
            hardware,
        };
        match Machine::boot(files, self.binaries, &job, log_name) {
            Ok(machine) => {
                let steps = u32::try_from(scenarios.len() + 1).unwrap_or(u32::MAX);
                let limit = PACE.saturating_mul(steps);
                follow(machine, &files.version, self.width, limit)
            }
            Err(error) => Boot {
                outcomes: Vec::new(),
                death: Some(format!("{error:#}")),
            },
        }
    }
}

/// Follows a guest to its end and prints each outcome as it comes.
pub(crate) fn follow(mut machine: Machine, version: &str, width: usize, limit: Duration) -> Boot {
    let mut transcript = Transcript::default();
    let patience = Patience {
        silence: SILENCE,
        whole: limit,
    };
    let ended = machine.follow(patience, |line| {
        if let Some(outcome) = transcript.feed(line) {
            progress::print(&outcome.shown(version, width));
        }
        transcript.is_over().then_some(())
    });
    if ended.is_ok() {
        let patience = Patience {
            silence: END,
            whole: END,
        };
        // It ends, or it is ended: all is said.
        let _ = machine.follow(patience, |line| {
            transcript.feed(line);
            None::<()>
        });
    }
    let lost = ended.err().map(|lost| lost.to_string());
    let death = transcript.trouble().map(|trouble| {
        let reason = lost.unwrap_or(trouble);
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

/// The scenarios that a guest which died has no outcome for. If it died after
/// all of them, its last outcome does not count.
fn take_missing(scenarios: &[String], outcomes: &mut Vec<Outcome>) -> Vec<String> {
    if missing(scenarios, outcomes).is_empty() {
        outcomes.pop();
    }
    missing(scenarios, outcomes)
}

/// Scenarios that have no outcome yet.
fn missing(scenarios: &[String], outcomes: &[Outcome]) -> Vec<String> {
    let is_missing = |name: &&String| outcomes.iter().all(|outcome| outcome.name != **name);
    scenarios.iter().filter(is_missing).cloned().collect()
}
