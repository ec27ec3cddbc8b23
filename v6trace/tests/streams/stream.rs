//! Records made up → a report of them.

use serde_json::Value;
use v6trace::{
    coverage::{HookCoverage, Status},
    record::Record,
    record::SessionInfo,
    render::Json,
    render::Text,
    render::time::TimeDisplay,
    report::Options,
    report::Report,
};
use v6trace_common::{Context, Hook, Payload, RecordHeader, WIRE_VERSION};
use zerocopy::{Immutable, IntoBytes};

use crate::schema;

/// The namespace that v6trace runs in.
pub(crate) const HOST: u32 = 4_026_531_840;
/// Another one.
pub(crate) const GUEST: u32 = 4_026_532_201;
/// When events happen, nanoseconds since boot.
pub(crate) const EVENT_NS: u64 = 3_482_000_000;

/// The opening of every stream.
pub(crate) fn session() -> Record {
    Record::Session(SessionInfo {
        version: "0.1.0".to_owned(),
        kernel: "6.1.0".to_owned(),
        hostname: "router".to_owned(),
        boot_ns: 1_000_000_000,
        boot_to_wall_ns: 1_700_000_000_000_000_000,
        utc_offset_s: 3600,
        own_netns: HOST,
        ..SessionInfo::default()
    })
}

/// The same where this became of these hooks.
pub(crate) fn covering(hooks: &[Hook], status: Status) -> Record {
    let Record::Session(mut info) = session() else {
        unreachable!("it opens the stream");
    };
    let covered = |hook: &Hook| HookCoverage {
        hook: hook.info().name.to_owned(),
        function: String::new(),
        status,
        via: None,
        note: None,
    };
    info.coverage.hooks = hooks.iter().map(covered).collect();
    Record::Session(info)
}

/// The header of a record with the payload `P`, on behalf of radvd.
pub(crate) fn header<P: Payload>(hook: Hook, netns: u32) -> RecordHeader {
    RecordHeader {
        size: u16::try_from(size_of::<RecordHeader>() + size_of::<P>()).unwrap(),
        kind: P::KIND.0,
        version: WIRE_VERSION,
        context: Context::Task as u8,
        hook: hook.0,
        boot_ns: EVENT_NS,
        cgroup_id: 1,
        cpu: 0,
        netns,
        pid: 812,
        tid: 812,
        comm: *b"radvd\0\0\0\0\0\0\0\0\0\0\0",
    }
}

/// A record as the kernel side sends it.
pub(crate) fn kernel(header: RecordHeader, payload: &(impl IntoBytes + Immutable)) -> Record {
    Record::kernel([header.as_bytes(), payload.as_bytes()].concat())
}

/// Text on standard output and standard error.
pub(crate) fn text(options: Options, records: Vec<Record>) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut report = Report::new(
        options,
        Text::new(&mut out, &mut err, TimeDisplay::Local, false),
    );
    for record in records {
        let _ = report.feed(&record).unwrap();
    }
    drop(report);
    let plain = |bytes: Vec<u8>| anstream::adapter::strip_bytes(&bytes).into_vec();
    (
        String::from_utf8(plain(out)).unwrap(),
        String::from_utf8(plain(err)).unwrap(),
    )
}

/// Everything that is said of a stream, as JSON.
pub(crate) fn objects(options: Options, records: impl IntoIterator<Item = Record>) -> Vec<Value> {
    let mut out = Vec::new();
    let mut report = Report::new(options, Json::new(&mut out, Vec::new()));
    for record in records {
        let _ = report.feed(&record).unwrap();
    }
    drop(report);
    out.split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let value: Value = serde_json::from_slice(line).unwrap();
            // However a line is made, it is what serde_json makes of its value.
            assert_eq!(serde_json::to_vec(&value).unwrap(), line);
            schema::check(&value);
            value
        })
        .collect()
}

/// The diagnoses of a session with these records.
pub(crate) fn diagnoses(records: impl IntoIterator<Item = Record>) -> Vec<Value> {
    let objects = objects(Options::default(), [session()].into_iter().chain(records));
    let is_diagnosis = |object: &Value| object["type"] == "diagnosis";
    objects.into_iter().filter(is_diagnosis).collect()
}

/// The one diagnosis of a session with these records; null if there is none.
pub(crate) fn diagnosis(records: impl IntoIterator<Item = Record>) -> Value {
    let mut diagnoses = diagnoses(records);
    assert!(diagnoses.len() <= 1, "more than one: {diagnoses:?}");
    diagnoses.pop().unwrap_or_default()
}
