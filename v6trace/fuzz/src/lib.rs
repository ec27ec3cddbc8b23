//! What several targets do with what they are given.

use v6trace::{
    recording::Reader, recording::Replay, render::Render, report::Options, report::Report,
};

/// Replays a file as `v6trace replay` does, with `--events` or without; gives what was
/// rendered into where nothing kept it from that.
pub fn replay<R: Render>(file: &[u8], render: R, events: bool) -> Option<R> {
    let options = Options {
        events,
        ..Options::default()
    };
    let mut feed = Replay::new(Report::new(options, render));
    let mut reader = Reader::new(file).expect("a reader");
    while let Ok(Some(item)) = reader.next_item() {
        if feed.take(item).is_err() {
            return None;
        }
    }
    while let Ok(Some(item)) = reader.finish() {
        if feed.take(item).is_err() {
            return None;
        }
    }
    feed.finish().ok().map(|(_, render)| render)
}
