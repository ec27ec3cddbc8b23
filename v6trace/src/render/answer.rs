//! What is said around the answer to why a command failed, as sentences.

use v6trace_common::families::process::CALL;

use crate::{
    catalogue::Severity,
    explain::Diagnosis,
    families::process::{Begun, Call, Followed},
    report::Totals,
    session::Session,
};

/// How many of a sort are named.
const NAMED: usize = 4;

/// How it ended, and what to make of the diagnoses that follow, if any do.
pub(crate) fn heading(
    followed: &Followed,
    session: &Session,
    totals: &Totals,
    diagnoses: &[Diagnosis],
) -> String {
    let ended = ended(followed);
    if diagnoses.is_empty() {
        return nothing(followed, session, totals, ended);
    }
    let is_failure = |diagnosis: &Diagnosis| diagnosis.severity == Severity::Failure;
    let is_left = |diagnosis: &Diagnosis| is_failure(diagnosis) && !is_got_over(diagnosis);
    let what = if followed.ended_well() {
        if diagnoses.iter().any(is_failure) {
            "what failed on the way"
        } else {
            "what comes of it"
        }
    } else if diagnoses.iter().any(is_left) {
        "what failed of IPv6, the most decisive first"
    } else {
        "of IPv6 only this is worth knowing"
    };
    match ended {
        Some(ended) => format!("{ended}; {what}:"),
        None => format!("{what}:"),
    }
}

fn is_got_over(diagnosis: &Diagnosis) -> bool {
    let mut evidence = diagnosis.evidence.iter();
    evidence.any(|evidence| evidence.name == "got_over")
}

fn nothing(
    followed: &Followed,
    session: &Session,
    totals: &Totals,
    ended: Option<String>,
) -> String {
    let mut seen = "v6trace saw nothing of IPv6 fail".to_owned();
    if !session.info().coverage.has(CALL) {
        seen += ", and no system calls";
    }
    if totals.lost > 0 {
        seen += ", but events were lost";
    }
    match ended {
        Some(ended) if followed.ended_well() => format!("{ended}, and {seen}"),
        Some(ended) => format!("{ended}, but {seen}"),
        None => seen,
    }
}

/// What the answer leaves open.
pub(crate) fn notes(followed: &Followed, session: &Session, totals: &Totals) -> Vec<String> {
    let mut notes = Vec::new();
    let begun = followed.open().begun();
    let (connects, sent): (Vec<&Begun>, Vec<_>) =
        begun.iter().partition(|begun| begun.call == Call::Connect);
    if !followed.ended_well() {
        if !connects.is_empty() {
            let connects = listed(connects.iter().map(ToString::to_string));
            notes.push(format!("no outcome was seen of {connects}"));
        }
        if !sent.is_empty() {
            let sent = listed(sent.iter().map(ToString::to_string));
            notes.push(format!("whether an answer came is not seen of {sent}"));
        }
    }
    let coverage = &session.info().coverage;
    let missing = coverage.hooks.iter().filter(|hook| !hook.is_attached());
    let missing: Vec<_> = missing.map(|hook| hook.hook.clone()).collect();
    if !missing.is_empty() {
        let missing = listed(missing.into_iter());
        notes.push(format!("hooks that could not be attached: {missing}"));
    }
    if let Some(left_out) = coverage.left_out() {
        notes.push(format!("left out on request: {left_out}"));
    }
    if totals.dropped > 0 {
        let dropped = totals.dropped;
        notes.push(format!("there was no room for {dropped} more diagnoses"));
    }
    notes
}

/// The first few of them, and how many more there are.
fn listed(words: impl ExactSizeIterator<Item = String>) -> String {
    let more = words.len().saturating_sub(NAMED);
    let named: Vec<_> = words.take(NAMED).collect();
    match more {
        0 => named.join(", "),
        more => format!("{}, and {more} more", named.join(", ")),
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
