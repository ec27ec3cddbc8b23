//! The families, each shown or hidden.

use ratatui::{
    Frame,
    layout::Rect,
    widgets::{List, ListItem, ListState},
};

use super::looks::REVERSED;
use crate::top::{keys::families, state::State};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State, place: usize) {
    let items = families().map(|family| {
        let shown = !state.wanted.without_families.contains(family);
        let count = state.kept.rows();
        let count = count.filter(|row| row.entry.family() == family).count();
        let mark = if shown { 'x' } else { ' ' };
        ListItem::new(format!("[{mark}] {family:<18} {count:>5}"))
    });
    let list = List::new(items).highlight_style(REVERSED);
    let mut position = ListState::default().with_selected(Some(place));
    frame.render_stateful_widget(list, area, &mut position);
}
