//! What is longer than the screen: a diagnosis in full, wrapped to the width that there is.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::looks::{DIM, HEADING, Looks};
use crate::top::{
    detail::{self, Look},
    kept::{Row, concerned},
    state::State,
};

/// Columns that a line is at least wrapped to.
const LEAST: usize = 10;

pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &mut State,
    number: u64,
    looks: Looks,
) {
    let Some(row) = state.kept.row(number) else {
        let gone = Paragraph::new("It was let go: too many came after it.");
        frame.render_widget(gone, area);
        return;
    };
    let width = usize::from(area.width);
    let mut lines = heading(row, width, looks);
    lines.extend(wrapped(&detail::lines(row), width, looks));
    scrolled(frame, area, state, lines);
}

/// Who, when and where, as heads a diagnosis in text.
fn heading(row: &Row, width: usize, looks: Looks) -> Vec<Line<'static>> {
    let entry = &row.entry;
    let diagnosis = &entry.diagnosis;
    let words = format!(
        "{} {}  {}  {}  {}",
        entry.time,
        diagnosis.severity.label(),
        diagnosis.cause.code(),
        concerned(entry),
        row.of
    );
    wrap(&words, 0, width, looks.severity(diagnosis.severity))
}

/// Lines of any length in the width that there is.
pub(super) fn wrapped(lines: &[detail::Line], width: usize, looks: Looks) -> Vec<Line<'static>> {
    let lines = lines.iter().flat_map(|(look, indent, text)| {
        let style = match look {
            Look::Plain => Style::new(),
            Look::Heading => HEADING,
            Look::Command => looks.command(),
            Look::Remark => DIM,
        };
        wrap(text, *indent, width, style)
    });
    lines.collect()
}

fn wrap(text: &str, indent: usize, width: usize, style: Style) -> Vec<Line<'static>> {
    if text.is_empty() {
        return vec![Line::default()];
    }
    let room = width.saturating_sub(indent).max(LEAST);
    let lines = textwrap::wrap(text, room).into_iter();
    let indent = " ".repeat(indent);
    lines
        .map(|line| Line::from(Span::styled(format!("{indent}{line}"), style)))
        .collect()
}

/// As much of the lines as there is room for; nobody scrolls beyond the last.
pub(super) fn scrolled(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &mut State,
    lines: Vec<Line<'static>>,
) {
    state.furthest = lines.len().saturating_sub(usize::from(area.height));
    state.scroll = state.scroll.min(state.furthest);
    let shown: Vec<Line<'_>> = lines.into_iter().skip(state.scroll).collect();
    frame.render_widget(Paragraph::new(shown), area);
}
