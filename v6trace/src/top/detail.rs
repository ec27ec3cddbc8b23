//! A diagnosis in full, as lines that are not wrapped yet: what text output has of it, then
//! the page of its cause.

use super::kept::Row;
use crate::render::entry::LIKELY;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As text.
    Plain,
    /// As what heads others.
    Heading,
    /// As what is to be typed.
    Command,
    /// As what matters less.
    Remark,
}

/// A line, and how far it is indented.
pub(super) type Line = (Look, usize, String);

/// All of it, below the heading.
pub(super) fn lines(row: &Row) -> Vec<Line> {
    let entry = &row.entry;
    let diagnosis = &entry.diagnosis;
    let mut lines = vec![(Look::Plain, 0, diagnosis.summary.clone())];
    if diagnosis.is_likely() {
        lines.push((Look::Remark, 0, LIKELY.to_owned()));
    }
    repeats(row, &mut lines);
    if !diagnosis.fix.is_empty() {
        heading("Fix", &mut lines);
    }
    for fix in &diagnosis.fix {
        lines.push((Look::Command, 2, fix.action.clone()));
        if let Some(remark) = fix.remark {
            lines.push((Look::Remark, 4, format!("# {remark}")));
        }
    }
    if !entry.evidence.is_empty() {
        heading("Evidence", &mut lines);
    }
    let evidence = entry.evidence.iter();
    lines.extend(evidence.map(|(name, value)| (Look::Plain, 2, format!("{name} {value}"))));
    if let Some(frame) = &entry.frame {
        heading(frame.name, &mut lines);
        let fields = frame.fields.iter();
        lines.extend(fields.map(|(name, value)| (Look::Plain, 2, format!("{name} {value}"))));
    }
    lines.push((Look::Plain, 0, String::new()));
    for line in diagnosis.cause.page().lines() {
        let title = line.trim_start_matches('#');
        if title.len() < line.len() {
            lines.push((Look::Heading, 0, title.trim_start().to_owned()));
        } else {
            lines.push((Look::Plain, 0, line.to_owned()));
        }
    }
    lines
}

fn repeats(row: &Row, lines: &mut Vec<Line>) {
    let entry = &row.entry;
    if !entry.repeats.is_empty() {
        heading("Repeats", lines);
        lines.push((Look::Plain, 2, format!("the newest at {}", row.newest)));
    }
    let told = entry.repeats.iter();
    lines.extend(told.map(|line| (Look::Plain, 2, line.clone())));
    if entry.more_lines > 0 {
        let more = format!("and so on, {} in all", entry.repeated);
        lines.push((Look::Plain, 2, more));
    }
}

fn heading(text: &str, lines: &mut Vec<Line>) {
    lines.push((Look::Plain, 0, String::new()));
    lines.push((Look::Heading, 0, text.to_owned()));
}
