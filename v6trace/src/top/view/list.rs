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
        .map(|row| ListItem::new(line(row, area.width < NARROW, looks)))
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
fn line(row: &Row, is_narrow: bool, looks: Looks) -> Line<'static> {
    let entry = &row.entry;
    let diagnosis = &entry.diagnosis;
    let (time, label) = if is_narrow {
        let seconds = entry.time.split('.').next().unwrap_or_default();
        (seconds, &diagnosis.severity.label()[..1])
    } else {
        (entry.time.as_str(), diagnosis.severity.label())
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
        spans.push(Span::styled(format!("×{} ", entry.repeated + 1), HEADING));
    }
    spans.push(Span::raw(diagnosis.cause.code()));
    spans.push(Span::raw(format!("  {}", concerned(entry))));
    Line::from(spans)
}

/// Why there is nothing in the list.
fn nothing(state: &State) -> String {
    match (state.kept.rows().next(), state.is_live) {
        (Some(_), _) => "Nothing is left of the diagnoses; a shows all again.".to_owned(),
        (None, true) => "Nothing to explain so far.".to_owned(),
        (None, false) => "Nothing to explain.".to_owned(),
    }
}
