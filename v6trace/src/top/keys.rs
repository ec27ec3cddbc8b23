//! What keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::state::{Shown, State, Wish};
use crate::{catalogue::Severity, families::FAMILIES};

/// Each key with what it does, for the help.
pub(super) const KEYS: [(&str, &str); 11] = [
    ("↑ ↓ j k PgUp PgDn Home End", "choose, scroll"),
    ("Enter", "the diagnosis in full, with its page"),
    ("Esc Backspace", "back"),
    ("/", "filter by words as you type; Esc takes it back"),
    ("1 2 3", "failures, hazards, notices: hide, show"),
    ("f", "families: hide, show"),
    ("a", "show all again"),
    ("c", "copy the first fix (OSC 52, also over ssh)"),
    ("w", "write a recording of what is held"),
    ("?", "this"),
    ("q Ctrl-C", "end"),
];

/// Longest filter.
const LONGEST: usize = 200;

pub(super) fn take(state: &mut State, key: KeyEvent) -> Option<Wish> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Wish::End);
    }
    if state.typing.is_some() {
        typed(state, key.code);
        return None;
    }
    match key.code {
        KeyCode::Char('q') => return Some(Wish::End),
        KeyCode::Char('c') => return copy(state),
        KeyCode::Char('w') => return Some(Wish::Write),
        KeyCode::Char('?') if state.shown == Shown::Help => show(state, Shown::List),
        KeyCode::Char('?') => show(state, Shown::Help),
        KeyCode::Esc | KeyCode::Backspace | KeyCode::Left => show(state, Shown::List),
        _ => match state.shown {
            Shown::List => in_list(state, key.code),
            Shown::Families(place) => in_families(state, place, key.code),
            Shown::One(_) if key.code == KeyCode::Enter => show(state, Shown::List),
            Shown::One(_) | Shown::Help => {
                let moved = moved(state.scroll, state.page, key.code);
                state.scroll = moved.unwrap_or(state.scroll).min(state.furthest);
            }
        },
    }
    None
}

fn show(state: &mut State, shown: Shown) {
    state.shown = shown;
    state.scroll = 0;
}

/// Typing a filter.
fn typed(state: &mut State, key: KeyCode) {
    match key {
        KeyCode::Char(c) if state.wanted.typed.len() < LONGEST => state.wanted.typed.push(c),
        KeyCode::Backspace => {
            state.wanted.typed.pop();
        }
        KeyCode::Enter => state.typing = None,
        KeyCode::Esc => state.wanted.typed = state.typing.take().unwrap_or_default(),
        KeyCode::Up | KeyCode::Down => in_list(state, key),
        _ => {}
    }
}

fn in_list(state: &mut State, key: KeyCode) {
    match key {
        KeyCode::Char('/') => state.typing = Some(state.wanted.typed.clone()),
        KeyCode::Char('1') => state.wanted.toggle(Severity::Failure),
        KeyCode::Char('2') => state.wanted.toggle(Severity::Hazard),
        KeyCode::Char('3') => state.wanted.toggle(Severity::Notice),
        KeyCode::Char('f') => show(state, Shown::Families(0)),
        KeyCode::Char('a') => state.wanted = super::wanted::Wanted::default(),
        KeyCode::Enter | KeyCode::Right => {
            if let Some(number) = state.looked_at().map(|row| row.number) {
                show(state, Shown::One(number));
            }
        }
        _ => {
            if let Some(place) = moved(state.place(), state.page, key) {
                state.choose(place);
            }
        }
    }
}

fn in_families(state: &mut State, place: usize, key: KeyCode) {
    match key {
        KeyCode::Char(' ' | 'x') => {
            if let Some(family) = families().nth(place) {
                state.wanted.toggle_family(family);
            }
        }
        KeyCode::Enter | KeyCode::Char('f') => show(state, Shown::List),
        KeyCode::Char('a') => state.wanted.without_families.clear(),
        _ => {
            let last = families().count().saturating_sub(1);
            let moved = moved(place, state.page, key).unwrap_or(place);
            state.shown = Shown::Families(moved.min(last));
        }
    }
}

/// The families whose diagnoses can be hidden.
pub(super) fn families() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|family| family.wire.name)
}

/// Where a key leads from a place; it may be beyond the last.
fn moved(place: usize, page: usize, key: KeyCode) -> Option<usize> {
    let page = page.max(2) - 1;
    Some(match key {
        KeyCode::Up | KeyCode::Char('k') => place.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => place.saturating_add(1),
        KeyCode::PageUp => place.saturating_sub(page),
        KeyCode::PageDown | KeyCode::Char(' ') => place.saturating_add(page),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => usize::MAX,
        _ => return None,
    })
}

fn copy(state: &mut State) -> Option<Wish> {
    let fix = state.looked_at()?.entry.diagnosis.fix.first();
    let Some(fix) = fix else {
        state.tell("it has no fix to copy".to_owned());
        return None;
    };
    Some(Wish::Copy(fix.action.clone()))
}
