//! What keys do, and what of the session was not seen.

use ratatui::{Frame, layout::Rect};

use super::{full, looks::Looks};
use crate::top::{
    detail::{Line, Look},
    keys::KEYS,
    state::State,
};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &mut State, looks: Looks) {
    let mut lines: Vec<Line> = vec![(Look::Heading, 0, "Keys".to_owned())];
    for (keys, what) in KEYS {
        lines.push((Look::Plain, 2, format!("{keys}: {what}")));
    }
    lines.push((Look::Plain, 0, String::new()));
    lines.push((Look::Heading, 0, "What was seen".to_owned()));
    let sentences = state.seen.sentences().into_iter();
    lines.extend(sentences.map(|sentence| (Look::Plain, 2, sentence)));
    if state.kept.let_go() > 0 {
        let gone = format!("{} diagnoses were let go: the oldest.", state.kept.let_go());
        lines.push((Look::Plain, 2, gone));
    }
    let lines = full::wrapped(&lines, usize::from(area.width), looks);
    full::scrolled(frame, area, state, lines);
}
