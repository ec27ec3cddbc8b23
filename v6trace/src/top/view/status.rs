//! The lines above and below: what is traced and what was lost; what keys do, or what
//! became of the last one.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::looks::{DIM, HEADING, Looks, REVERSED};
use crate::{
    catalogue::Severity,
    top::state::{Shown, State},
};

/// What matters most comes first, for narrow terminals cut the rest off.
pub(super) fn head(frame: &mut Frame<'_>, area: Rect, state: &State, looks: Looks) {
    let all = state.kept.rows().count();
    let shown = state.rows().count();
    let mut spans = vec![Span::styled("v6trace  ", HEADING)];
    spans.push(if shown == all {
        Span::raw(format!("{all} held"))
    } else {
        Span::raw(format!("{shown} of {all}"))
    });
    let mut say = |text: String, style: Style| spans.push(Span::styled(format!("  {text}"), style));
    match state.seen.lost() {
        0 => say("none lost".to_owned(), Style::new()),
        lost => say(format!("{lost} LOST"), looks.severity(Severity::Failure)),
    }
    // Of several sessions, what one had says nothing of the others.
    let only = state.seen.session.as_ref();
    let only = only.filter(|_| state.seen.sessions == 1);
    if let Some(session) = only {
        let coverage = &session.coverage;
        let attached = coverage.attached().count();
        let hooks = coverage.hooks.len();
        let style = if attached == hooks {
            Style::new()
        } else {
            looks.severity(Severity::Hazard)
        };
        say(format!("{attached}/{hooks} hooks"), style);
    }
    if state.seen.is_partial() {
        say("? tells more".to_owned(), looks.severity(Severity::Hazard));
    }
    if state.kept.let_go() > 0 {
        say(format!("{} let go", state.kept.let_go()), Style::new());
    }
    if let Some(wanted) = state.wanted.told().filter(|_| state.typing.is_none()) {
        say(wanted, HEADING);
    }
    if let Some(session) = only {
        say(
            format!("{} {}", session.hostname, session.kernel),
            Style::new(),
        );
        if state.seen.is_live && state.seen.ended {
            say("ended".to_owned(), Style::new());
        }
    } else if state.seen.sessions > 1 {
        say(format!("{} sessions", state.seen.sessions), Style::new());
    }
    let line = Paragraph::new(Line::from(spans));
    frame.render_widget(line.style(REVERSED), area);
}

pub(super) fn foot(frame: &mut Frame<'_>, area: Rect, state: &State) {
    if state.typing.is_some() {
        let typed = &state.wanted.typed;
        frame.render_widget(Paragraph::new(format!("/{typed}")), area);
        let column = Span::raw(typed.as_str()).width() + 1;
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        let column = column.min(area.width.saturating_sub(1));
        frame.set_cursor_position((area.x + column, area.y));
        return;
    }
    let line = match &state.told {
        Some(told) => Paragraph::new(told.as_str()),
        None => Paragraph::new(keys(state.shown)).style(DIM),
    };
    frame.render_widget(line, area);
}

fn keys(shown: Shown) -> &'static str {
    match shown {
        Shown::List => {
            "? help  q end  / filter  Enter more  1 2 3 severity  f family  c copy  w write"
        }
        Shown::One(_) => "Esc back  ↑↓ scroll  c copy the first fix  ? help  q end",
        Shown::Families(_) => "Space hide, show  a all  Enter back",
        Shown::Help => "Esc back  ↑↓ scroll  q end",
    }
}
