//! Which of the diagnoses are shown.

use std::collections::BTreeSet;

use super::kept::Row;
use crate::catalogue::Severity;

/// What the user wants to see: all, at first.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// What was typed; each of its words has to be there.
    pub(super) typed: String,
    /// Severities that are not shown.
    pub(super) without: BTreeSet<Severity>,
    /// Families that are not shown.
    pub(super) without_families: BTreeSet<&'static str>,
}

impl Wanted {
    /// Whether this one is shown.
    pub(super) fn admits(&self, row: &Row) -> bool {
        let typed = self.typed.to_lowercase();
        !self.without.contains(&row.entry.diagnosis.severity)
            && !self.without_families.contains(row.entry.family())
            && typed.split_whitespace().all(|word| may_have(row, word))
    }

    /// Shows or hides a severity.
    pub(super) fn toggle(&mut self, severity: Severity) {
        if !self.without.remove(&severity) {
            self.without.insert(severity);
        }
    }

    /// Shows or hides a family.
    pub(super) fn toggle_family(&mut self, family: &'static str) {
        if !self.without_families.remove(family) {
            self.without_families.insert(family);
        }
    }

    /// What it leaves out, in words; nothing where it shows all.
    pub(super) fn told(&self) -> Option<String> {
        let mut parts = Vec::new();
        if !self.typed.is_empty() {
            parts.push(format!("/{}", self.typed));
        }
        let without = self.without.iter().map(|severity| match severity {
            Severity::Failure => "failures",
            Severity::Hazard => "hazards",
            Severity::Notice => "notices",
        });
        let without: Vec<_> = without
            .chain(self.without_families.iter().copied())
            .collect();
        if !without.is_empty() {
            parts.push(format!("without {}", without.join(", ")));
        }
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// Whether it has the word. Of repeats not every interface and value is known, so one with
/// such repeats may have any word with a digit.
fn may_have(row: &Row, word: &str) -> bool {
    row.text.contains(word) || row.varies && word.contains(|c: char| c.is_ascii_digit())
}
