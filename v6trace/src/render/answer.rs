//! What heads the answer to why a command failed, as a sentence.

use crate::{catalogue::Severity, explain::Diagnosis, families::process::Followed, report::Totals};

/// How it ended, and what to make of the diagnoses that follow, if any do.
pub(super) fn heading(followed: &Followed, totals: &Totals, diagnoses: &[Diagnosis]) -> String {
    let ended = ended(followed);
    if diagnoses.is_empty() {
        return nothing(followed, totals, ended);
    }
    let is_failure = |diagnosis: &Diagnosis| diagnosis.severity == Severity::Failure;
    let what = match (followed.ended_well(), diagnoses.iter().any(is_failure)) {
        (true, true) => "what failed on the way",
        (true, false) => "what comes of it",
        (false, _) => "what failed of IPv6, the most decisive first",
    };
    match ended {
        Some(ended) => format!("{ended}; {what}:"),
        None => format!("{what}:"),
    }
}

fn nothing(followed: &Followed, totals: &Totals, ended: Option<String>) -> String {
    let seen = if totals.lost > 0 {
        "of IPv6 nothing was seen to fail, but events were lost"
    } else {
        "nothing of IPv6 failed"
    };
    match ended {
        Some(ended) if followed.ended_well() => format!("{ended}, {seen}"),
        Some(ended) => format!("{ended}, but {seen} that v6trace knows of: the reason is another"),
        None => format!("{seen} that v6trace knows of"),
    }
}

/// `ip ended with status 2`
fn ended(followed: &Followed) -> Option<String> {
    let command = followed.command()?;
    let ended = followed.ended()?;
    Some(match (ended.status, ended.signal) {
        (Some(0), _) => format!("{command} ended well"),
        (Some(status), _) => format!("{command} ended with status {status}"),
        (None, Some(signal)) => format!("{command} was ended by signal {signal}"),
        (None, None) => format!("{command} ended"),
    })
}
