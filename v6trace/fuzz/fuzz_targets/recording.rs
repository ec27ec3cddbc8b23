//! Any file, replayed in every form: nothing may panic, hang, or fill the
//! memory.

#![no_main]

use std::io::sink;

use libfuzzer_sys::fuzz_target;
use v6trace::{
    recording::Contents, render::Csv, render::Document, render::DocumentFormat, render::Json,
    render::Pcapng, render::Text, render::time::TimeDisplay,
};
use v6trace_fuzz::replay;

fuzz_target!(|file: &[u8]| {
    let text = || Text::new(sink(), sink(), TimeDisplay::Local, false);
    replay(file, text(), true);
    replay(file, text(), false);
    replay(file, Json::new(sink(), sink()), true);
    replay(file, Csv::new(sink(), sink()), true);
    replay(file, Pcapng::new(sink(), sink()), true);
    replay(file, Contents::default(), true);
    for format in [DocumentFormat::Html, DocumentFormat::Markdown] {
        let document = replay(file, Document::new(sink(), sink(), format), false);
        document.map(Document::finish);
    }
});
