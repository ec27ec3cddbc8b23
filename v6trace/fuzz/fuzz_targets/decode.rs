//! Any bytes in place of a kernel record: decoded, explained and shown without
//! a panic.

#![no_main]

use std::io::sink;

use libfuzzer_sys::fuzz_target;
use v6trace::{
    record::Record, record::SessionInfo, render::Json, render::Render, render::Text,
    render::time::TimeDisplay, report::Options, report::Report,
};

fuzz_target!(|bytes: &[u8]| {
    report(bytes, Text::new(sink(), sink(), TimeDisplay::Utc, false));
    report(bytes, Json::new(sink(), sink()));
});

fn report(bytes: &[u8], render: impl Render) {
    let options = Options {
        events: true,
        ..Options::default()
    };
    let mut report = Report::new(options, render);
    for record in [
        Record::Session(SessionInfo::default()),
        Record::kernel(bytes.to_vec()),
        Record::End { boot_ns: 0 },
    ] {
        let _ = report.feed(&record).expect("a sink takes everything");
    }
}
