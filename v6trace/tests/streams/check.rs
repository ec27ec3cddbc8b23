//! What a check says of snapshots that no guest gives: with hostile names, beyond all
//! bounds, of namespaces that could not all be seen.

use std::{
    net::Ipv6Addr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use v6trace::{
    check::{
        Address, Checked, Choice, Interface, Ipv6, Joined, Question, Settings, Snapshot, Sources,
        Unread,
    },
    families::source_selection::{self, Addresses, Extent, Route},
    record::Record,
    report::Options,
};

use crate::stream::{self, GUEST, HOST, session};

const DADFAILED: u32 = 0xc8;
const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);
const UP_WITH_CARRIER: u32 = 0x1_0001;

/// One with an address that failed its test, on an interface with that name.
fn snapshot(netns: u32, name: &str) -> Snapshot {
    Snapshot {
        boot_ns: 1_500_000_000,
        netns,
        interfaces: vec![Interface {
            ifindex: 2,
            name: name.to_owned(),
            device_type: 1,
            flags: UP_WITH_CARRIER,
            mtu: 1500,
            ipv6: Some(Ipv6 {
                enhanced_dad: 1,
                ..Ipv6::default()
            }),
            ..Interface::default()
        }],
        addresses: vec![failed(7)],
        all: Settings {
            enhanced_dad: Some(1),
            forwarding: Some(0),
            proxy_ndp: Some(0),
            ..Settings::default()
        },
        ..Snapshot::default()
    }
}

fn failed(last: u16) -> Address {
    Address {
        ifindex: 2,
        address: format!("2001:db8::{last:x}").parse().unwrap(),
        has_peer: false,
        prefix_len: 64,
        flags: DADFAILED,
    }
}

/// What a check says of these snapshots: findings, and the summary.
fn checked(snapshots: Vec<Snapshot>, closing: Checked) -> (Vec<Value>, Value) {
    let options = Options {
        check: Some(Question::Now),
        ..Options::default()
    };
    let mut records = vec![session()];
    records.extend(snapshots.into_iter().map(Record::from));
    records.push(closing.into());
    records.push(Record::End {
        boot_ns: 2_000_000_000,
    });
    let mut objects = stream::objects(options, records);
    let summary = objects.pop().unwrap();
    let findings = objects.split_off(1);
    (findings, summary)
}

#[test]
fn names_are_no_commands() {
    let (findings, _) = checked(vec![snapshot(HOST, "v0; reboot")], Checked::default());
    let [found] = &findings[..] else {
        panic!("{findings:#?}");
    };
    assert_eq!(found["type"], "finding");
    assert_eq!(found["cause"], "address-dadfailed");
    assert_eq!(found["pid"], Value::Null);
    let fixes: Vec<_> = found["fix"].as_array().unwrap().iter().collect();
    assert!(!fixes.is_empty());
    for fix in fixes {
        let fix = fix.as_str().unwrap();
        assert!(
            !fix.contains("v0; reboot") || fix.contains("'v0; reboot'"),
            "{fix}"
        );
    }
}

#[test]
fn who_has_the_address_elsewhere_is_named_and_who_lives_there_is_a_way_in() {
    let mut other = snapshot(GUEST, "eth0");
    other.addresses[0].flags = 0x80;
    other.processes = vec![(GUEST, 77)];
    let mut own = snapshot(HOST, "v0");
    own.processes = vec![(HOST, 1)];
    let (findings, _) = checked(vec![own, other.clone()], Checked::default());
    let held_by = json!([format!("eth0 of network namespace {GUEST}")]);
    assert_eq!(findings[0]["evidence"]["held_by"], held_by);
    // The other way round the commands lead into the namespace.
    other.addresses[0].flags = DADFAILED;
    let (findings, _) = checked(vec![other], Checked::default());
    let fixes = findings[0]["fix"].to_string();
    assert!(fixes.contains("nsenter -t 77 -n"), "{fixes}");
}

#[test]
fn what_could_not_be_seen_is_said() {
    let closing = Checked {
        unseen: 2,
        hidden: true,
        ..Checked::default()
    };
    let (findings, summary) = checked(Vec::new(), closing);
    assert_eq!(findings.len(), 0);
    assert_eq!(summary["findings"], 0);
    let unseen = summary["unseen"].as_str().unwrap();
    assert!(unseen.contains("2 network namespaces"), "{unseen}");
    assert!(unseen.contains("CAP_SYS_PTRACE"), "{unseen}");
}

/// A namespace on whose interface 2 nothing is the matter, with a socket that has joined.
fn with_socket(netns: u32, optmem_max: Option<u32>, socket: Joined) -> Snapshot {
    let mut joined = snapshot(netns, "v0");
    joined.addresses.clear();
    joined.all.optmem_max = optmem_max;
    joined.joined = Some(vec![socket]);
    joined
}

fn socket(sk_omem_alloc: u32, interfaces: &[(u32, u32)]) -> Joined {
    Joined {
        inode: 33,
        owner: Some((77, "radvd".to_owned())),
        unit: Some("radvd.service".to_owned()),
        sk_omem_alloc,
        size: 56,
        complete: false,
        interfaces: interfaces.to_vec(),
    }
}

#[test]
fn a_service_that_leaks_memberships_is_to_be_restarted() {
    let leaks = with_socket(HOST, Some(20480), socket(20384, &[(2, 4), (7, 360)]));
    let (findings, _) = checked(vec![leaks], Checked::default());
    let [found] = &findings[..] else {
        panic!("{findings:#?}");
    };
    assert_eq!(found["cause"], "stale-memberships");
    assert_eq!(found["comm"], "radvd");
    assert_eq!(found["evidence"]["stale_memberships"], 360);
    let fix = found["fix"][0].as_str().unwrap();
    assert!(fix.starts_with("systemctl restart radvd.service"), "{fix}");
    let summary = found["summary"].as_str().unwrap();
    assert!(summary.contains("there are more"), "{summary}");
}

#[test]
fn the_limit_of_the_first_namespace_holds_where_there_is_no_other() {
    let leaks = |optmem_max| with_socket(GUEST, optmem_max, socket(10240, &[(7, 182)]));
    let first = |optmem_max| with_socket(HOST, optmem_max, socket(0, &[]));
    let found = |snapshots| checked(snapshots, Checked::default()).0.len();
    assert_eq!(found(vec![leaks(None), first(Some(20480))]), 1);
    assert_eq!(found(vec![leaks(None), first(Some(20482))]), 0);
    assert_eq!(found(vec![leaks(Some(131_072)), first(Some(20480))]), 0);
    assert_eq!(found(vec![leaks(None), first(None)]), 0);
    // An interface that was not listed may be the one.
    let cut = Snapshot {
        cut: true,
        ..leaks(Some(20480))
    };
    assert_eq!(found(vec![cut]), 0);
}

#[test]
fn what_sockets_joined_may_be_missing() {
    let closing = Checked {
        joined: Unread::NotPermitted,
        ..Checked::default()
    };
    let (_, summary) = checked(Vec::new(), closing);
    let unseen = summary["unseen"].as_str().unwrap();
    assert!(unseen.contains("CAP_BPF"), "{unseen}");
}

#[test]
fn routes_that_lack_a_source_alike_are_told_once() {
    let choice = |prefix_len, source| Choice {
        route: Route {
            prefix: Some(([203, 0, 112, 0].into(), prefix_len)),
            next_hop: "fe80::1".parse().unwrap(),
            onlink: false,
            prefsrc: None,
            table: Some(254),
            metric: 0,
            nexthop_id: None,
            extent: Extent::Plain,
            protocol: Some(3),
        },
        ifindex: 2,
        vrf: None,
        destination: [203, 0, 112, 1].into(),
        source,
    };
    let lent = [192, 0, 2, 7].into();
    let mut host = snapshot(HOST, "v0");
    host.addresses.clear();
    host.all.ip_forward = Some(0);
    host.sources = Some(Box::new(Sources {
        addresses: Addresses {
            boot_ns: 1,
            netns: HOST,
            interfaces: Vec::new(),
            addresses: vec![source_selection::Address {
                ifindex: 3,
                address: lent,
                scope: 0,
            }],
        },
        choices: vec![choice(22, None), choice(24, None), choice(25, Some(lent))],
    }));
    let (findings, _) = checked(vec![host], Checked::default());
    let [found] = &findings[..] else {
        panic!("{findings:#?}");
    };
    assert_eq!(found["cause"], "no-source-address");
    assert_eq!(found["severity"], "hazard");
    let alike = json!(["203.0.112.0/24 via fe80::1"]);
    assert_eq!(found["evidence"]["routes_alike"], alike);
}

#[test]
fn each_piece_has_the_host_again_and_it_is_told_once() {
    let told = || vec![snapshot(HOST, "v0").into(), Checked::default().into()];
    let end = Record::End {
        boot_ns: 2_000_000_000,
    };
    let records = [vec![session()], told(), told(), vec![end]].concat();
    let objects = stream::objects(Options::default(), records);
    assert_eq!(objects.last().unwrap()["findings"], 1);
    // The first piece broke off.
    let mut damaged = vec![snapshot(HOST, "v0"); 2];
    damaged.push(snapshot(GUEST, "v0"));
    assert_eq!(checked(damaged, Checked::default()).0.len(), 2);
}

#[test]
fn a_stream_without_snapshots_has_no_answer() {
    let end = Record::End {
        boot_ns: 2_000_000_000,
    };
    let objects = stream::objects(Options::default(), [session(), end]);
    assert_eq!(objects.last().unwrap()["findings"], Value::Null);
}

#[test]
fn tracing_counts_what_a_check_shows() {
    let records = [
        session(),
        snapshot(HOST, "v0").into(),
        Checked::default().into(),
        Record::End {
            boot_ns: 2_000_000_000,
        },
    ];
    let objects = stream::objects(Options::default(), records);
    let [_, summary] = &objects[..] else {
        panic!("findings are not shown: {objects:#?}");
    };
    assert_eq!(summary["findings"], 1);
}

#[test]
fn any_number_takes_little_time() {
    let many = (0..64).map(|netns| {
        let mut many = snapshot(HOST + netns, "v0");
        many.interfaces = (0..2048)
            .map(|ifindex| Interface {
                ifindex,
                hairpin: true,
                other_end: Some(ifindex),
                master: Some(ifindex),
                ..many.interfaces[0].clone()
            })
            .collect();
        many.proxied = Some((0..4096).map(|n| (n % 2048, ADDRESS)).collect());
        many.addresses = (0..2048).map(|_| failed(7)).collect();
        many
    });
    let mut beyond = snapshot(GUEST, "v0");
    beyond.addresses = (0..40_000).map(|_| failed(7)).collect();
    let began = Instant::now();
    let (findings, summary) = checked(many.chain([beyond]).collect(), Checked::default());
    // What was too much is not passed over in silence.
    assert!(summary["unseen"].is_string(), "{summary}");
    assert!(findings.iter().all(|found| found["netns"] != GUEST));
    assert!(!findings.is_empty());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "it took {took:?}");
}
