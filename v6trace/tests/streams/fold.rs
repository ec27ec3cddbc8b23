//! What repeats is told once in full, and counted then.

use v6trace::{record::Lost, record::Quiet, record::Record, report::Options};
use v6trace_common::families::multicast_join::{JOIN, MulticastJoin};

use crate::{
    joins::exhausted,
    stream::{self, EVENT_NS, GUEST, HOST, objects, session, text},
};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1000 * MS;

/// A failure of radvd's on an interface, so long into the stream.
fn failed(interface: &str, at: u64) -> Record {
    record(interface, at, HOST, |_| {})
}

/// The same with something else.
fn record(interface: &str, at: u64, netns: u32, with: impl Fn(&mut MulticastJoin)) -> Record {
    let mut join = exhausted();
    join.interface = [0; 16];
    join.interface[..interface.len()].copy_from_slice(interface.as_bytes());
    with(&mut join);
    let mut header = stream::header::<MulticastJoin>(JOIN, netns);
    header.boot_ns = EVENT_NS + at;
    stream::kernel(header, &join)
}

fn quiet(at: u64) -> Record {
    Record::from(Quiet {
        boot_ns: EVENT_NS + at,
    })
}

fn end() -> Record {
    Record::End {
        boot_ns: EVENT_NS + 100 * SECOND,
    }
}

/// The first line of each block of text.
fn heads_of(options: Options, records: Vec<Record>) -> Vec<String> {
    let all = [session()].into_iter().chain(records);
    let (out, _) = text(options, all.collect());
    let blocks = out.split("\n\n").filter(|block| !block.is_empty());
    let head = |block: &str| block.lines().next().map(str::to_owned);
    blocks.filter_map(head).collect()
}

fn heads(records: Vec<Record>) -> Vec<String> {
    heads_of(Options::default(), records)
}

/// A storm: 35 interfaces within 0.7 s.
fn storm() -> Vec<Record> {
    (0..35)
        .map(|n| failed(&format!("swp{}", 366 + n), n * 20 * MS))
        .collect()
}

#[test]
fn a_storm_is_one_in_full_and_a_line() {
    let mut records = storm();
    let first = "23:13:23.482  FAILURE  optmem-exhausted  radvd[812]  swp366";
    assert_eq!(heads(records.clone()), [first]);
    records.push(quiet(SECOND));
    let line = "23:13:24.162  FAILURE  optmem-exhausted  radvd[812]  … 34 more like it in 0.6 s: \
                swp367 … swp400";
    assert_eq!(heads(records.clone()), [first, line]);
    // No more is to be told at the end.
    records.push(end());
    assert_eq!(heads(records), [first, line]);
    // Whatever shows that time has passed brings the line: another event, a loss, the end.
    let other = record("eth0", SECOND, GUEST, |_| {});
    let lost = Record::Lost(Lost {
        boot_ns: EVENT_NS + SECOND,
        hook: None,
        cpu: None,
        count: 1,
    });
    for later in [other, lost, end()] {
        let told = heads([storm(), vec![later]].concat());
        assert_eq!(told[..2], [first, line]);
    }
}

#[test]
fn each_is_told_by_itself_on_request() {
    let singly = Options {
        singly: true,
        ..Options::default()
    };
    let events = Options {
        events: true,
        ..Options::default()
    };
    for options in [singly, events] {
        let (out, err) = text(
            options,
            [vec![session()], storm(), vec![quiet(SECOND), end()]].concat(),
        );
        assert_eq!(out.matches("  FAILURE  ").count(), 35);
        assert!(!out.contains("more like it"), "{out}");
        assert!(err.contains("35  optmem-exhausted"), "{err}");
    }
}

#[test]
fn what_reads_otherwise_is_not_the_same() {
    let with = |with: fn(&mut MulticastJoin), netns| record("eth1", MS, netns, with);
    for other in [
        with(|_| {}, GUEST),
        // Another cause, another interface gone, and another sentence.
        with(|join| join.ret = -98, HOST),
        with(|join| join.stale_memberships = 0, HOST),
        with(|join| join.flags = 0, HOST),
    ] {
        let told = heads(vec![failed("eth0", 0), other, end()]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(!told[1].contains("more like it"), "{told:?}");
    }
}

#[test]
fn different_failures_that_come_in_turn_are_counted_apart() {
    let records = (0..6).map(|n| {
        let netns = if n % 2 == 0 { HOST } else { GUEST };
        record("eth0", n * 10 * MS, netns, |_| {})
    });
    let told = heads(records.chain([end()]).collect());
    assert_eq!(told.len(), 4, "{told:?}");
    for (line, namespace) in [(&told[2], false), (&told[3], true)] {
        assert!(line.contains("eth0") && line.contains("… 2 more like it"));
        assert_eq!(line.contains("netns 4026532201"), namespace, "{line}");
    }
}

#[test]
fn a_value_that_changed_is_told() {
    let fuller = |n: u32| record("eth0", u64::from(n), HOST, |join| join.memberships = n);
    let changed = |records: Vec<Record>| {
        let records = [vec![session(), fuller(400)], records, vec![end()]].concat();
        let (out, _) = text(Options::default(), records);
        let changed = out.lines().find(|line| line.starts_with("    changed"));
        changed.map(str::to_owned)
    };
    assert_eq!(changed(vec![fuller(400), fuller(400)]), None);
    let line = |values: &str| Some(format!("    changed    memberships {values}"));
    assert_eq!(changed(vec![fuller(400), fuller(401)]), line("401"));
    let few = vec![fuller(401), fuller(410), fuller(401)];
    assert_eq!(changed(few), line("401 or 410"));
    assert_eq!(changed((401..420).map(fuller).collect()), line("401 … 419"));
    let group = |n: u8| record("eth0", n.into(), HOST, |join| join.group[15] = n);
    let records = [session(), group(1), group(2), group(3), end()];
    let (out, _) = text(Options::default(), records.into());
    assert!(
        out.contains("changed    address ff02::2 or ff02::3\n"),
        "{out}"
    );
}

#[test]
fn what_goes_on_is_told_of_less_and_less_often() {
    let every_100_ms = (0..3000).map(|n| failed("eth0", n * 100 * MS));
    let told = heads(every_100_ms.chain([end()]).collect());
    // After 1, 2, 4 … and 60 seconds, each occurrence in one line.
    assert_eq!(told.len(), 11, "{told:?}");
    let counted = told[1..].iter().map(|line| {
        let (_, counted) = line.split_once("… ").unwrap();
        counted.split(' ').next().unwrap().parse::<u32>().unwrap()
    });
    assert_eq!(counted.sum::<u32>(), 2999);
}

#[test]
fn after_a_while_it_is_news_again() {
    let soon = heads(vec![failed("eth0", 0), failed("eth0", 14 * SECOND), end()]);
    assert!(soon[1].contains("… 1 more like it in 14.0 s"), "{soon:?}");
    let later = heads(vec![failed("eth0", 0), failed("eth0", 16 * SECOND), end()]);
    assert!(!later[1].contains("more like it"), "{later:?}");
}

#[test]
fn programs_are_told_each_with_its_group() {
    let mut records = storm();
    records.insert(1, record("eth0", MS, GUEST, |_| {}));
    records.push(failed("swp1", 20 * SECOND));
    let all = [session()].into_iter().chain(records).chain([end()]);
    let objects = objects(Options::default(), all);
    let diagnoses: Vec<_> = objects
        .iter()
        .filter(|object| object["type"] == "diagnosis")
        .map(|object| (object["group"].as_u64(), object["repeat"].as_u64()))
        .collect();
    let one = |group, repeat| (Some(group), Some(repeat));
    let mut expected = vec![one(1, 0), one(2, 0)];
    expected.extend((1..35).map(|repeat| one(1, repeat)));
    expected.push(one(3, 0));
    assert_eq!(diagnoses, expected);
}

#[test]
fn many_kinds_at_once_make_room_and_none_is_lost() {
    let netns = |n| GUEST + n;
    let failing =
        |n| [0, 1].map(|again| record("eth0", 2 * u64::from(n) + again, netns(n), |_| {}));
    let told = heads((0..200).flat_map(failing).chain([end()]).collect());
    let lines = told.iter().filter(|head| head.contains("… 1 more like it"));
    assert_eq!((told.len(), lines.count()), (400, 200));
}

#[test]
fn a_clock_that_was_damaged_hides_nothing() {
    let records = vec![
        failed("eth0", u64::MAX - EVENT_NS),
        failed("eth0", 0),
        failed("eth0", 1),
        end(),
    ];
    let (out, err) = text(Options::default(), [vec![session()], records].concat());
    assert!(out.contains("2 more like it"), "{out}");
    assert!(err.contains("3 diagnoses"), "{err}");
}
