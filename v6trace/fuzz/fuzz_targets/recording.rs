//! Any file, replayed in every form: nothing may panic, hang, or fill the
//! memory.

#![no_main]

use std::io::sink;

use libfuzzer_sys::fuzz_target;
use v6trace::{
    recording::Contents, render::Csv, render::Json, render::Pcapng, render::Text,
    render::time::TimeDisplay,
};
use v6trace_fuzz::replay;

fuzz_target!(|file: &[u8]| {
    replay(file, Text::new(sink(), sink(), TimeDisplay::Local, false));
    replay(file, Json::new(sink(), sink()));
    replay(file, Csv::new(sink(), sink()));
    replay(file, Pcapng::new(sink(), sink()));
    replay(file, Contents::default());
});
