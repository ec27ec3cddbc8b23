//! The answer to why a command failed: of all diagnoses those of the processes that are
//! followed, in the order of how much they decide, when it has ended.

use crate::{
    catalogue::Severity,
    explain::{Confidence, Diagnosis},
    families::process::Followed,
};

/// Diagnoses of which the answer is made at most: a command may try for weeks.
const MOST: usize = 256;

/// Diagnoses that wait for the end.
#[derive(Debug, Default)]
pub struct Answer {
    diagnoses: Vec<Diagnosis>,
}

impl Answer {
    /// Keeps one more, unless it says what another one said of the same process.
    pub fn take(&mut self, diagnosis: Diagnosis) {
        let known = self
            .diagnoses
            .iter()
            .any(|other| is_same(other, &diagnosis));
        if !known && self.diagnoses.len() < MOST {
            self.diagnoses.push(diagnosis);
        }
    }

    /// The answer, most decisive first. A command that ended well got over what was worth
    /// a notice at most.
    pub fn give(&mut self, followed: &Followed) -> Vec<Diagnosis> {
        let mut answer = std::mem::take(&mut self.diagnoses);
        if followed.ended_well() {
            answer.retain(|diagnosis| diagnosis.severity != Severity::Notice);
        }
        answer.sort_by_key(|diagnosis| {
            let severity = match diagnosis.severity {
                Severity::Failure => 0,
                Severity::Hazard => 1,
                Severity::Notice => 2,
            };
            let is_likely = diagnosis.confidence == Confidence::Likely;
            (severity, is_likely, diagnosis.boot_ns)
        });
        answer
    }
}

/// Whether two say the same but for when, and for values that went on changing.
fn is_same(one: &Diagnosis, other: &Diagnosis) -> bool {
    let process = |diagnosis: &Diagnosis| diagnosis.task.as_ref().map(|task| task.pid);
    let about = |diagnosis: &Diagnosis| {
        (
            diagnosis.cause,
            diagnosis.severity,
            diagnosis.operation,
            diagnosis.errno,
            diagnosis.netns,
            diagnosis.ifindex,
            diagnosis.address,
        )
    };
    process(one) == process(other) && about(one) == about(other)
}
