//! The first paragraph: what went wrong, since when, and what to do first.

use std::cmp::Reverse;

use super::Part;
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
        return Overview {
            counted: if part.left_out() > 0 {
                counted(part)
            } else {
                "Nothing to explain was found".to_owned()
            },
            said: match &part.answer {
                Some(answer) => format!("{answer}.{}", reserve(part)),
                None => format!("{}{}", nothing(part), reserve(part)),
            },
            number: None,
            first: None,
        };
    };
    let cause = worst.diagnosis.cause;
    let told = part.entries.iter();
    let told = told.filter(|entry| entry.diagnosis.cause == cause);
    let told: u64 = told.map(|entry| 1 + entry.repeated).sum();
    let left_out = part.left_out.iter().filter(|((of, _), _)| *of == cause);
    let times = told + left_out.map(|(_, count)| count).sum::<u64>();
    let what = match worst.diagnosis.severity {
        _ if part.answer.is_some() => "What decides the most",
        Severity::Failure => "The first failure",
        Severity::Hazard => "No failure was seen, but something may break. The first of that",
        Severity::Notice => "No failure was seen. The first thing worth knowing",
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
        said += &format!(
            " This cause was found {times} times in {seconds}, of all processes and interfaces."
        );
    }
    said += &reserve(part);
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

/// Of a session of which nothing is told in full.
fn nothing(part: &Part) -> String {
    let seconds = seconds(part.duration_ns);
    if part.left_out() > 0 {
        return format!("In {seconds} there were {}.", counted(part));
    }
    let seen = match part.totals.events {
        0 => "no event was seen".to_owned(),
        1 => "1 event was seen".to_owned(),
        events => format!("{events} events were seen"),
    };
    let which = match &part.asked {
        Some(_) => ", and nothing that was asked for had to be explained".to_owned(),
        None if part.totals.events > 0 => ", none of which had to be explained".to_owned(),
        None => String::new(),
    };
    format!("In {seconds} {seen}{which}.")
}

/// What is not in it.
fn reserve(part: &Part) -> String {
    let mut said = String::new();
    match part.left_out() {
        0 => {}
        1 => said += " 1 is not told in full.",
        count => said += &format!(" {count} are not told in full."),
    }
    if let Some(asked) = &part.asked {
        said += &format!(" Only {asked} was asked for.");
    }
    if !part.saw_all() {
        said += " Not everything could be seen, as is told below.";
    }
    said
}

/// "2 failures, 1 hazard"
fn counted(part: &Part) -> String {
    let mut counts: Vec<(Severity, u64)> = Vec::new();
    let told = part.entries.iter();
    let told = told.map(|entry| (entry.diagnosis.severity, 1 + entry.repeated));
    let left_out = part
        .left_out
        .iter()
        .map(|((_, severity), count)| (*severity, *count));
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
