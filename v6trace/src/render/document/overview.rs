//! The first paragraph: what went wrong, since when, and what to do first.

use std::cmp::Reverse;

use super::{Part, entry::Entry};
use crate::{
    catalogue::Severity,
    explain::{Confidence, Fix},
};

/// What the paragraph says.
pub(super) struct Overview<'a> {
    /// What there was, in a few words.
    pub(super) counted: String,
    /// What went wrong and since when.
    pub(super) said: String,
    /// Where that is told in full: its number, from 1 on.
    pub(super) number: Option<usize>,
    /// What to do first.
    pub(super) first: Option<&'a Fix>,
}

/// Of one session.
pub(super) fn overview(part: &Part) -> Overview<'_> {
    let seconds = seconds(part.duration_ns);
    let all = part.entries.iter().enumerate();
    let worst = all.min_by_key(|(_, entry)| {
        let likely = entry.diagnosis.confidence == Confidence::Likely;
        (entry.diagnosis.severity, entry.diagnosis.boot_ns, likely)
    });
    // An answer begins with what decides the most.
    let worst = match &part.answer {
        Some(_) => part.entries.first().map(|entry| (0, entry)),
        None => worst,
    };
    let Some((index, worst)) = worst else {
        let seen = match part.totals.events {
            0 => "no event was seen".to_owned(),
            1 => "1 event was seen".to_owned(),
            events => format!("{events} events were seen"),
        };
        return Overview {
            counted: "Nothing to explain".to_owned(),
            said: match &part.answer {
                Some(answer) => format!("{answer}."),
                None => format!("In {seconds} {seen}, none of which had to be explained."),
            },
            number: None,
            first: None,
        };
    };
    let cause = worst.diagnosis.cause;
    let like: Vec<&Entry> = part
        .entries
        .iter()
        .filter(|entry| entry.diagnosis.cause == cause)
        .collect();
    let times: u64 = like.iter().map(|entry| 1 + entry.repeated).sum();
    let what = match worst.diagnosis.severity {
        _ if part.answer.is_some() => "What decides the most",
        Severity::Failure => "The first failure",
        Severity::Hazard => "Nothing failed, but something else may break. The first of that",
        Severity::Notice => "Nothing failed. The first thing worth knowing",
    };
    let interface = worst.diagnosis.interface.as_ref();
    let on = interface.map_or_else(String::new, |interface| format!(" on {interface}"));
    let netns = worst.netns.as_ref();
    let within = netns.map_or_else(String::new, |netns| {
        format!(" in network namespace {netns}")
    });
    let sure = match worst.diagnosis.confidence {
        Confidence::Certain => "",
        Confidence::Likely => "most likely ",
    };
    let mut said = format!(
        "{what} was at {}, by {}{on}{within}: {sure}{}.",
        worst.time,
        worst.who().unwrap_or_else(|| "the kernel".to_owned()),
        cause.title()
    );
    if times > 1 {
        said += &format!(" That came {times} times in {seconds}.");
    }
    if let Some(answer) = &part.answer {
        said = format!("{answer}. {said}");
    }
    Overview {
        counted: counted(part),
        said,
        number: Some(index + 1),
        first: worst.diagnosis.fix.first(),
    }
}

/// "2 failures, 1 hazard"
fn counted(part: &Part) -> String {
    let mut counts: Vec<(Severity, u64)> = Vec::new();
    let told = part.entries.iter();
    let told = told.map(|entry| (entry.diagnosis.severity, 1 + entry.repeated));
    let left_out = part
        .left_out
        .iter()
        .map(|(cause, count)| (cause.severity(), *count));
    for (severity, count) in told.chain(left_out) {
        match counts.iter_mut().find(|(of, _)| *of == severity) {
            Some((_, counted)) => *counted += count,
            None => counts.push((severity, count)),
        }
    }
    counts.sort_by_key(|(severity, count)| (*severity, Reverse(*count)));
    let words = counts.into_iter().map(|(severity, count)| {
        let name = severity.label().to_lowercase();
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {name}{plural}")
    });
    words.collect::<Vec<_>>().join(", ")
}

/// "10.1 s"
pub(super) fn seconds(ns: u64) -> String {
    let tenths = ns / 100_000_000;
    format!("{}.{} s", tenths / 10, tenths % 10)
}
