//! The state as it is drawn, on terminals of any size.

mod families;
mod full;
mod help;
mod list;
mod looks;
mod status;

use ratatui::{
    Frame,
    layout::{Constraint, Layout},
};

pub(super) use looks::Looks;

use super::state::{Shown, State};

/// Draws all of it: a line of what is traced, what is looked at, and a line of what keys do.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State, looks: Looks) {
    let rows = [
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ];
    let [head, body, foot] = Layout::vertical(rows).areas(frame.area());
    state.page = usize::from(body.height);
    status::head(frame, head, state, looks);
    match state.shown {
        Shown::List => list::draw(frame, body, state, looks),
        Shown::One(number) => full::draw(frame, body, state, number, looks),
        Shown::Families(place) => families::draw(frame, body, state, place),
        Shown::Help => help::draw(frame, body, state, looks),
    }
    status::foot(frame, foot, state);
}
