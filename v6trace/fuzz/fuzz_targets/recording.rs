//! Any file, replayed in every form: nothing may panic, hang, or fill the
//! memory.

#![no_main]

use std::io::sink;

use libfuzzer_sys::fuzz_target;
use v6trace::{
    recording::{Contents, Reader, Replay},
    render::{Csv, Json, Pcapng, Render, Text, time::TimeDisplay},
    report::{Options, Report},
};

fuzz_target!(|file: &[u8]| {
    replay(file, Text::new(sink(), sink(), TimeDisplay::Local, false));
    replay(file, Json::new(sink(), sink()));
    replay(file, Csv::new(sink(), sink()));
    replay(file, Pcapng::new(sink(), sink()));
    replay(file, Contents::default());
});

fn replay(file: &[u8], render: impl Render) {
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
