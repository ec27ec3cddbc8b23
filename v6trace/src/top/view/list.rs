//! The list: a line for each diagnosis, the newest first.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{List, ListItem, Paragraph, Wrap},
};

use super::looks::{DIM, HEADING, Looks, REVERSED};
use crate::top::{
    kept::{Row, concerned},
    state::State,
};

/// Columns below which times have no milliseconds and severities one letter.
const NARROW: u16 = 70;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State, looks: Looks) {
    let items: Vec<ListItem<'_>> = state
        .rows()
        .map(|row| {
            ListItem::new(line(
                row,
                state.seen.sessions > 1,
                area.width < NARROW,
                looks,
            ))
        })
        .collect();
    if items.is_empty() {
        let nothing = Paragraph::new(nothing(state)).style(DIM);
        frame.render_widget(nothing.wrap(Wrap { trim: true }), area);
        return;
    }
    let place = state.place();
    let list = List::new(items).highlight_style(REVERSED);
    state.list.select(Some(place));
    let mut position = state.list;
    frame.render_stateful_widget(list, area, &mut position);
    state.list = position;
}

/// `14:02:11.482  FAILURE  ×35  optmem-exhausted  radvd[812]  tap366  netns blue`
fn line(row: &Row, is_of_several: bool, is_narrow: bool, looks: Looks) -> Line<'static> {
    let entry = &row.entry;
    let diagnosis = &entry.diagnosis;
    let (time, label) = if is_narrow {
        let seconds = row.newest.split('.').next().unwrap_or_default();
        (seconds, &diagnosis.severity.label()[..1])
    } else {
        (row.newest.as_str(), diagnosis.severity.label())
    };
    let width = if is_narrow { 1 } else { 7 };
    let mut spans = vec![
        Span::styled(format!("{time} "), DIM),
        Span::styled(
            format!("{label:<width$} "),
            looks.severity(diagnosis.severity),
        ),
    ];
    if entry.repeated > 0 {
        let more = if row.held_back { "+" } else { "" };
        let count = format!("×{}{more} ", entry.repeated + 1);
        spans.push(Span::styled(count, HEADING));
    }
    spans.push(Span::raw(diagnosis.cause.code()));
    spans.push(Span::raw(format!("  {}", concerned(entry))));
    if is_of_several {
        spans.push(Span::styled(format!("  {}", row.of), DIM));
    }
    Line::from(spans)
}

/// Why there is nothing in the list.
fn nothing(state: &State) -> String {
    if state.kept.rows().next().is_some() {
        return "Nothing is left of the diagnoses; a shows all again.".to_owned();
    }
    let said: Vec<String> = state.seen.said().collect();
    let said = said.join("\n");
    match (state.seen.is_live, said.is_empty()) {
        (true, true) => "Nothing to explain so far.".to_owned(),
        (true, false) => format!("Nothing to explain so far.\n{said}"),
        (false, true) => "Nothing to explain.".to_owned(),
        (false, false) => said,
    }
}
