//! What several targets do with what they are given.

use v6trace::{
    recording::Reader, recording::Replay, render::Render, report::Options, report::Report,
};

/// Replays a file as `v6trace replay --events` does.
pub fn replay(file: &[u8], render: impl Render) {
    let options = Options {
        events: true,
        ..Options::default()
    };
    let mut feed = Replay::new(Report::new(options, render));
    let mut reader = Reader::new(file).expect("a reader");
    while let Ok(Some(item)) = reader.next_item() {
        if feed.take(item).is_err() {
            return;
        }
    }
    while let Ok(Some(item)) = reader.finish() {
        if feed.take(item).is_err() {
            return;
        }
    }
    let _ = feed.finish();
}
