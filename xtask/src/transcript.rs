//! Follows a guest that runs scenarios, line by line, and judges whether the
//! run as a whole can be trusted.

use crate::console::{self, Line};

/// The result of one scenario.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// The scenario.
    pub(crate) name: String,
    /// How long it took, in seconds, if it passed.
    pub(crate) passed_in: Option<f64>,
    /// What it said.
    pub(crate) text: Vec<String>,
}

impl Outcome {
    /// As a line of results, with what it said where it failed.
    pub(crate) fn shown(&self, label: &str, width: usize) -> String {
        let name = &self.name;
        match self.passed_in {
            Some(seconds) => format!("{label:<9} ok      {name:<width$} {seconds:>5.1} s"),
            None => format!("{label:<9} FAILED  {name}{}", indented(&self.text)),
        }
    }
}

/// Lines below a line of results.
pub(crate) fn indented(text: &[String]) -> String {
    let lines: Vec<String> = text.iter().map(|line| format!("\n    {line}")).collect();
    lines.concat()
}

/// What has been seen of a run so far.
#[derive(Default)]
pub(crate) struct Transcript {
    /// The scenario that runs and what it has said.
    current: Option<(String, Vec<String>)>,
    /// Finished scenarios.
    pub(crate) outcomes: Vec<Outcome>,
    verdict: Option<(usize, usize)>,
    crash: Option<String>,
}

impl Transcript {
    /// Takes a line; returns the outcome if it finished a scenario.
    pub(crate) fn feed(&mut self, line: &str) -> Option<&Outcome> {
        match console::parse(line) {
            Line::Start(name) => self.current = Some((name, Vec::new())),
            Line::Ok(name, seconds) => return Some(self.finish(name, Some(seconds))),
            Line::Failed(name) => return Some(self.finish(name, None)),
            Line::Verdict { passed, failed } => self.verdict = Some((passed, failed)),
            Line::Fatal(message) => {
                self.note(line);
                self.crash.get_or_insert(message);
            }
            Line::Text(_)
            | Line::Kernel
            | Line::Exit(_)
            | Line::Figure { .. }
            | Line::File { .. } => self.note(line),
        }
        None
    }

    fn note(&mut self, line: &str) {
        if let Some((_, text)) = &mut self.current {
            text.push(line.trim_end().to_owned());
        }
    }

    fn finish(&mut self, name: String, passed_in: Option<f64>) -> &Outcome {
        let text = match self.current.take() {
            Some((started, text)) if started == name => text,
            _ => vec!["(it ended without having started)".to_owned()],
        };
        self.outcomes.push(Outcome {
            name,
            passed_in,
            text,
        });
        let last = self.outcomes.len() - 1;
        &self.outcomes[last]
    }

    /// Whether the run is over: by its verdict or by a crash.
    pub(crate) fn is_over(&self) -> bool {
        self.verdict.is_some() || self.crash.is_some()
    }

    /// The scenario that runs, with what it has said so far.
    pub(crate) fn current(&self) -> Option<(&str, &[String])> {
        let (name, text) = self.current.as_ref()?;
        Some((name, text))
    }

    /// Why the run can't be trusted to be complete, if so.
    pub(crate) fn trouble(&self) -> Option<String> {
        if let Some(crash) = &self.crash {
            return Some(format!("the kernel crashed: {crash}"));
        }
        let Some(verdict) = self.verdict else {
            return Some("the guest ended without a verdict".to_owned());
        };
        let passed = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.passed_in.is_some())
            .count();
        let seen = (passed, self.outcomes.len() - passed);
        (verdict != seen).then(|| {
            format!(
                "the guest counts {} passed and {} failed, but {} and {} were seen",
                verdict.0, verdict.1, seen.0, seen.1
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(lines: &[&str]) -> Transcript {
        let mut transcript = Transcript::default();
        for line in lines {
            transcript.feed(line);
        }
        transcript
    }

    #[test]
    fn a_complete_run() {
        let run = transcript(&[
            "boot noise",
            "::start a",
            "::ok a 1.5",
            "::start b",
            "expected x",
            "[    1.5] dummy0: up",
            "::failed b",
            "::verdict passed=1 failed=1",
        ]);
        assert!(run.is_over());
        assert_eq!(run.trouble(), None);
        assert_eq!(run.outcomes[0].passed_in, Some(1.5));
        assert_eq!(run.outcomes[1].passed_in, None);
        assert_eq!(run.outcomes[1].text, ["expected x", "[    1.5] dummy0: up"]);
    }

    #[test]
    fn a_crash_is_trouble_even_after_a_verdict() {
        let run = transcript(&[
            "::verdict passed=0 failed=0",
            "[ 2.0] Kernel panic - not syncing: x",
        ]);
        assert!(run.trouble().unwrap().contains("Kernel panic"));
    }

    #[test]
    fn a_missing_or_wrong_verdict_is_trouble() {
        let run = transcript(&["::start a", "::ok a 1.0"]);
        assert!(!run.is_over());
        assert!(run.trouble().unwrap().contains("without a verdict"));
        let run = transcript(&["::start a", "::ok a 1.0", "::verdict passed=2 failed=0"]);
        assert!(run.trouble().unwrap().contains("counts 2"));
    }

    #[test]
    fn the_scenario_in_progress_is_known() {
        let run = transcript(&["::start a", "so far"]);
        assert_eq!(run.current(), Some(("a", &["so far".to_owned()][..])));
    }

    #[test]
    fn an_end_without_a_start_is_kept() {
        let run = transcript(&["::start a", "::failed b"]);
        assert_eq!(run.outcomes[0].name, "b");
    }
}
