//! The results of the scenario matrix: what each kernel's guests said, and
//! the closing table.

use std::time::Duration;

use crate::transcript::Outcome;

/// The results on one kernel, or of what needs none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    /// The kernel's version, or the suite when it could not be had.
    pub(crate) kernel: String,
    /// Names of the scenarios that passed.
    pub(crate) passed: Vec<String>,
    /// Names of the scenarios that failed, or have no result.
    pub(crate) failed: Vec<String>,
    /// What the failed ones said, as it was printed when it came.
    pub(crate) failures: Vec<String>,
    /// How long it took, all guests together.
    pub(crate) time: Duration,
}

impl Report {
    /// Judges what was to be done by its outcomes: each must have passed, every
    /// time that it ended.
    pub(crate) fn of(
        kernel: String,
        wanted: &[String],
        outcomes: &[&Outcome],
        time: Duration,
    ) -> Self {
        let passed = |name: &&String| {
            let mut all = outcomes.iter().filter(|outcome| outcome.name == **name);
            let first = all
                .next()
                .is_some_and(|outcome| outcome.passed_in.is_some());
            first && all.all(|outcome| outcome.passed_in.is_some())
        };
        let (passed, failed) = wanted.iter().partition(passed);
        let cloned = |names: Vec<&String>| names.into_iter().cloned().collect();
        let failures = outcomes
            .iter()
            .filter(|outcome| outcome.passed_in.is_none());
        Self {
            failures: failures.map(|outcome| outcome.shown(&kernel, 0)).collect(),
            kernel,
            passed: cloned(passed),
            failed: cloned(failed),
            time,
        }
    }
}

/// Passed and failed scenarios, over all kernels.
pub(crate) fn totals(reports: &[Report]) -> (usize, usize) {
    reports.iter().fold((0, 0), |(passed, failed), report| {
        (passed + report.passed.len(), failed + report.failed.len())
    })
}

/// What failed, said again for those who only see the end of a long log, and
/// the closing table, which ends with the line that sums it up.
pub(crate) fn table(reports: &[Report]) -> String {
    let width = reports
        .iter()
        .map(|report| report.kernel.len())
        .chain(["kernel".len()])
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for failure in reports.iter().flat_map(|report| &report.failures) {
        text += &format!("\n{failure}\n");
    }
    text += &format!("\n{:<width$}  passed  failed    time\n", "kernel");
    for report in reports {
        text += &format!(
            "{:<width$}  {:>6}  {:>6}  {:>4} s",
            report.kernel,
            report.passed.len(),
            report.failed.len(),
            report.time.as_secs()
        );
        if !report.failed.is_empty() {
            text += &format!("  failed: {}", report.failed.join(", "));
        }
        text.push('\n');
    }
    let (passed, failed) = totals(reports);
    text + &format!("\n{passed} passed, {failed} failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_a_failure() {
        let report = |kernel: &str, passed: &[&str], failed: &[&str]| Report {
            kernel: kernel.into(),
            passed: passed.iter().map(ToString::to_string).collect(),
            failed: failed.iter().map(ToString::to_string).collect(),
            failures: failed.iter().map(|name| format!("FAILED {name}")).collect(),
            time: Duration::from_secs(12),
        };
        let reports = [
            report("6.1.192", &["a", "b"], &[]),
            report("6.12.107", &["a"], &["b"]),
        ];
        assert_eq!(
            table(&reports),
            "\nFAILED b\n\n\
             kernel    passed  failed    time\n\
             6.1.192        2       0    12 s\n\
             6.12.107       1       1    12 s  failed: b\n\n\
             3 passed, 1 failed"
        );
    }
}
