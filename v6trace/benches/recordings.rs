//! How fast recordings are written and read: a million joins of a burst, made up.
//!
//! `cargo bench -p v6trace` prints items a second of one core.

use std::{fs::File, hint::black_box, io, path::Path, sync::LazyLock};

use bytes::Bytes;
use divan::{Bencher, counter::ItemsCount};
use tempfile::TempDir;
use v6trace::{
    coverage::Coverage, observe::Observer, record::Record, record::SessionInfo,
    recording::Contents, recording::OutputFile, recording::PieceOptions, recording::Reader,
    recording::Replay, recording::Writer, render::Json, render::Render, report::Options,
    report::Report,
};
use v6trace_common::{
    Context, Payload as _, RecordHeader, WIRE_VERSION,
    families::multicast_join::{
        CHARGE_SEEN, DEVICE_FOUND, DEVICE_HAS_INET6, DEVICES_READ, GROUP_READ, INET6_READ, JOIN,
        LIMIT_OF_NETNS, LIMIT_READ, MTU_READ, MulticastJoin, OMEM_READ,
    },
};
use zerocopy::IntoBytes;

const JOINS: u32 = 1_000_000;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory for the recording");
    let mut writer = writer(&directory.path().join(NAME));
    for batch in joins().chunks(TOGETHER) {
        let records: Vec<Record> = batch.iter().cloned().map(Record::kernel).collect();
        writer.take(&records).expect("room for the recording");
    }
    finish(writer);
    directory
});
const NAME: &str = "burst.v6t";
/// How many records are handed over together, as by live tracing.
const TOGETHER: usize = 256;

fn main() {
    LazyLock::force(&DIRECTORY);
    divan::main();
}

/// What `v6trace info` does.
#[divan::bench(sample_count = 10)]
fn info(bencher: Bencher<'_, '_>) {
    measure(bencher, Contents::default);
}

/// What `v6trace replay --events --json` does, into nothing.
#[divan::bench(sample_count = 10)]
fn replay_events_json(bencher: Bencher<'_, '_>) {
    measure(bencher, || Json::new(io::sink(), io::sink()));
}

/// What `v6trace record --events --quiet` does with the records that it gets.
#[divan::bench(sample_count = 10)]
fn record(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(JOINS))
        .with_inputs(joins)
        .bench_values(|joins| {
            let mut writer = writer(&DIRECTORY.path().join("written.v6t"));
            let (mut observer, info) =
                Observer::start(Coverage::default(), Vec::new()).expect("an observer");
            let mut report = Report::new(Options::default(), Json::new(io::sink(), io::sink()));
            let _ = report.feed(&Record::Session(info));
            let mut joins = joins.into_iter().map(Record::kernel).peekable();
            while joins.peek().is_some() {
                let records = observer.around(joins.by_ref().take(TOGETHER).collect());
                writer.take(&records).expect("room for the recording");
                for record in records {
                    let _ = report.feed(&record).expect("output goes nowhere");
                }
            }
            finish(writer);
        });
}

/// Items alone, decoded.
#[divan::bench(sample_count = 10)]
fn read(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(JOINS)).bench(|| {
        let mut reader = Reader::new(recording()).expect("a reader");
        while let Some(item) = reader.next_item().expect("a whole recording") {
            black_box(item);
        }
    });
}

fn measure<R: Render>(bencher: Bencher<'_, '_>, render: impl Fn() -> R + Sync) {
    bencher.counter(ItemsCount::new(JOINS)).bench(|| {
        let options = Options {
            events: true,
            ..Options::default()
        };
        let mut replay = Replay::new(Report::new(options, render()));
        let mut input = Reader::new(recording()).expect("a reader");
        while let Some(item) = input.next_item().expect("a whole recording") {
            replay.take(item).expect("output goes nowhere");
        }
        let (whole, render) = replay.finish().expect("output goes nowhere");
        assert!(whole, "the recording is whole");
        render
    });
}

fn recording() -> File {
    File::open(DIRECTORY.path().join(NAME)).expect("the recording")
}

/// Opens a recording.
fn writer(path: &Path) -> Writer {
    let output = OutputFile::create(path, true, PieceOptions::default()).expect("a file");
    let mut writer = Writer::new(output).expect("a writer");
    let opening = [Record::Session(SessionInfo::default())];
    writer.take(&opening).expect("room for the recording");
    writer
}

/// Closes a recording.
fn finish(mut writer: Writer) {
    let end = [Record::End { boot_ns: 1 << 42 }];
    writer.take(&end).expect("room for the recording");
    let (_, finished) = writer.finish();
    finished.expect("room for the recording");
}

/// A burst as the perf buffers give it.
fn joins() -> Vec<Bytes> {
    (0..JOINS).map(join).collect()
}

/// The join number `number` of a program that joins many groups.
fn join(number: u32) -> Bytes {
    let header = RecordHeader {
        size: u16::try_from(size_of::<RecordHeader>() + size_of::<MulticastJoin>())
            .expect("a small record"),
        kind: MulticastJoin::KIND.0,
        version: WIRE_VERSION,
        context: Context::Task as u8,
        hook: JOIN.0,
        // Not evenly, as nothing is.
        boot_ns: 1_000_000_000
            + u64::from(number) * 2_000
            + u64::from(number.wrapping_mul(number) % 701),
        cgroup_id: 4711,
        cpu: number / 64 % 2,
        netns: 4_026_531_840,
        pid: 812,
        tid: 812,
        comm: *b"radvd\0\0\0\0\0\0\0\0\0\0\0",
    };
    let mut group = [0; 16];
    group[0] = 0xff;
    group[1] = 0x15;
    group[12..].copy_from_slice(&number.to_be_bytes());
    let payload = MulticastJoin {
        socket_inode: 40_000 + u64::from(number / 256),
        group,
        interface: *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0",
        requested_ifindex: 3,
        mtu: 1500,
        ret: 0,
        mode: 0,
        size: 56,
        sk_omem_alloc: (number % 256 * 56).cast_signed(),
        optmem_max: 131_072,
        memberships: 0,
        stale_memberships: 0,
        same_group_ifindex: 0,
        flags: DEVICES_READ
            | DEVICE_FOUND
            | DEVICE_HAS_INET6
            | INET6_READ
            | MTU_READ
            | GROUP_READ
            | OMEM_READ
            | LIMIT_READ
            | LIMIT_OF_NETNS
            | CHARGE_SEEN,
        sk_protocol: 17,
    };
    [header.as_bytes(), payload.as_bytes()].concat().into()
}
