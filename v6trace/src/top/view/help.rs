//! What keys do, what of the sessions was not seen, and what counts mean.

use ratatui::{Frame, layout::Rect};

use super::{full, looks::Looks};
use crate::top::{
    detail::{Line, Look},
    keys::KEYS,
    state::State,
};

/// What the counts of the list mean.
const REPEATS: [&str; 3] = [
    "×4 is one and three more like it, ×4+ and others that the kernel side counted and did not \
     report each; the time is that of the newest.",
    "They are counted now and then: the first after a second, later with up to a minute's delay.",
    "Not all that changes in repeats is kept, so a filter word with a digit leaves all whose \
     repeats have something else.",
];

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
    lines.push((Look::Plain, 0, String::new()));
    lines.push((Look::Heading, 0, "Repeats".to_owned()));
    lines.extend(REPEATS.map(|sentence| (Look::Plain, 2, sentence.to_owned())));
    let lines = full::wrapped(&lines, usize::from(area.width), looks);
    full::scrolled(frame, area, state, lines);
}
