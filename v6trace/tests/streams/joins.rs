//! Multicast joins, and what holds for events of every kind: filters, losses,
//! records that cannot be decoded.

use std::ops::ControlFlow;

use serde_json::Value;
use v6trace::{
    filter::Filter, filter::NetnsFilter, record::Lost, record::Namespace, record::Process,
    record::Record, render::Json, report::Options, report::Report,
};
use v6trace_common::{
    Context, RecordHeader, families, families::multicast_join as wire,
    families::multicast_join::MulticastJoin,
};

use crate::stream::{self, GUEST, HOST, diagnosis, objects, session, text};

fn header(netns: u32) -> RecordHeader {
    stream::header::<MulticastJoin>(families::multicast_join::JOIN, netns)
}

/// The join of the story: 365 memberships fill the default limit, 361 of them
/// on taps that are gone.
pub(crate) fn exhausted() -> MulticastJoin {
    MulticastJoin {
        socket_inode: 21_345,
        group: "ff02::2".parse::<std::net::Ipv6Addr>().unwrap().octets(),
        interface: *b"tap366\0\0\0\0\0\0\0\0\0\0",
        requested_ifindex: 370,
        mtu: 1500,
        ret: -12,
        mode: wire::MODE_EXCLUDE,
        size: 56,
        sk_omem_alloc: 20_440,
        optmem_max: 20_480,
        memberships: 365,
        stale_memberships: 361,
        same_group_ifindex: 0,
        flags: wire::DEVICES_READ
            | wire::DEVICE_FOUND
            | wire::DEVICE_HAS_INET6
            | wire::INET6_READ
            | wire::MTU_READ
            | wire::GROUP_READ
            | wire::OMEM_READ
            | wire::LIMIT_READ
            | wire::CHARGE_SEEN
            | wire::WALKED
            | wire::WALK_COMPLETE,
        sk_protocol: 58,
    }
}

fn kernel(header: RecordHeader, join: MulticastJoin) -> Record {
    stream::kernel(header, &join)
}

fn end() -> Record {
    Record::End {
        boot_ns: 5_000_000_000,
    }
}

#[test]
fn the_story_reads_as_a_sentence_with_proof_and_fix() {
    let unit = Some("radvd.service".to_owned());
    let (out, err) = text(
        Options::default(),
        vec![
            session(),
            Record::from(Process {
                boot_ns: 0,
                pid: 812,
                unit,
                container: None,
                netns: None,
            }),
            kernel(header(HOST), exhausted()),
            end(),
        ],
    );
    assert_eq!(
        out,
        "\
23:13:23.482  FAILURE  optmem-exhausted  radvd[812]  tap366
  radvd could not join ff02::2 on tap366 (ENOMEM): its socket's option memory is full, 20440 + 56
  bytes reach net.core.optmem_max = 20480. 361 of its 365 memberships are on interfaces that no
  longer exist: radvd never left the groups of interfaces that went away.
    evidence   sk_omem_alloc 20440, size 56, optmem_max 20480, optmem_scope global, memberships 365,
               stale_memberships 361, memberships_complete yes, socket 21345, kernel_socket no
    fix        systemctl restart radvd.service       # frees the stale memberships
               sysctl -w net.core.optmem_max=65536   # only postpones it; set on the host
    more       v6trace explain optmem-exhausted

"
    );
    assert_eq!(
        err,
        "\
v6trace: 1 diagnosis in 4.0 s, 1 event seen, no events lost
      1  optmem-exhausted  a multicast join got ENOMEM: the socket's option memory is full
"
    );
}

#[test]
fn memory_that_ran_out_elsewhere_is_not_blamed_on_the_socket() {
    let join = MulticastJoin {
        sk_omem_alloc: 20_423,
        ..exhausted()
    };
    let found = diagnosis([kernel(header(HOST), join)]);
    assert_eq!(found["cause"], "out-of-memory");
    assert_eq!(found["errno"], "ENOMEM");
    let summary = found["summary"].as_str().unwrap();
    assert!(
        summary.contains("20423 + 56 bytes are below net.core.optmem_max = 20480"),
        "{summary}"
    );
}

#[test]
fn a_limit_that_could_not_be_read_leaves_it_open() {
    let mut join = exhausted();
    join.flags &= !wire::LIMIT_READ;
    let found = diagnosis([kernel(header(HOST), join)]);
    assert_eq!(found["cause"], "join-unexplained");
    assert_eq!(found["confidence"], "likely");
    assert_eq!(found["evidence"]["optmem_max"], Value::Null);
    assert!(found["summary"].as_str().unwrap().contains("is not known"));
}

#[test]
fn a_walk_that_was_cut_says_so() {
    let mut join = exhausted();
    join.flags &= !wire::WALK_COMPLETE;
    let found = diagnosis([kernel(header(HOST), join)]);
    assert_eq!(found["evidence"]["memberships_complete"], false);
    assert!(
        found["summary"]
            .as_str()
            .unwrap()
            .contains("stopped after 365")
    );
}

#[test]
fn devices_that_could_not_be_read_are_not_called_gone() {
    let mut join = exhausted();
    join.flags &= !(wire::DEVICES_READ | wire::DEVICE_FOUND | wire::DEVICE_HAS_INET6);
    join.stale_memberships = 0;
    let found = diagnosis([kernel(header(HOST), join)]);
    assert_eq!(found["evidence"]["stale_memberships"], Value::Null);
    let summary = found["summary"].as_str().unwrap();
    assert!(
        summary.contains("interface index 370") && !summary.contains("exist"),
        "{summary}"
    );
}

/// What is refused with EINVAL, with all but one of the values read.
fn refused_without(flag: u32) -> Value {
    let mut join = MulticastJoin {
        ret: -22,
        mtu: 1279,
        ..exhausted()
    };
    join.flags &= !(wire::DEVICE_HAS_INET6 | wire::WALKED | flag);
    diagnosis([kernel(header(HOST), join)])
}

#[test]
fn what_could_not_be_read_decides_nothing() {
    assert_eq!(refused_without(0)["cause"], "ipv6-disabled-on-device");
    assert_eq!(
        refused_without(wire::INET6_READ)["cause"],
        "join-unexplained"
    );
    assert_eq!(
        refused_without(wire::GROUP_READ)["cause"],
        "join-unexplained"
    );
    let without_mtu = refused_without(wire::MTU_READ);
    assert_eq!(without_mtu["evidence"]["mtu"], Value::Null);
    let summary = without_mtu["summary"].as_str().unwrap();
    assert!(
        summary.contains("is not known") && !summary.contains("1280"),
        "{summary}"
    );
}

#[test]
fn an_interface_that_loses_ipv6_meanwhile_is_going() {
    let mut join = MulticastJoin {
        ret: -19,
        ..exhausted()
    };
    join.flags &= !wire::WALKED;
    for flag in [wire::DEVICE_DEAD, 0] {
        let mut going = join;
        if flag == 0 {
            going.flags &= !wire::DEVICE_HAS_INET6;
        }
        going.flags |= flag;
        let found = diagnosis([kernel(header(HOST), going)]);
        assert_eq!(found["cause"], "no-such-device");
        assert_eq!(found["evidence"]["reason"], "device-going");
    }
    // It was there all the time, as far as can be told.
    let found = diagnosis([kernel(header(HOST), join)]);
    assert_eq!(found["cause"], "join-unexplained");
}

#[test]
fn commands_name_the_namespace_they_are_for() {
    let mut join = exhausted();
    join.flags |= wire::LIMIT_OF_NETNS;
    let named = Namespace {
        boot_ns: 0,
        inode: GUEST,
        name: Some("blue".to_owned()),
    };
    let found = diagnosis([Record::from(named), kernel(header(GUEST), join)]);
    let fixes = found["fix"].to_string();
    assert!(
        fixes.contains("ip netns exec blue sysctl -w net.core.optmem_max="),
        "{fixes}"
    );
    assert_eq!(found["netns_name"], "blue");

    let in_it = |netns| {
        let process = Process {
            boot_ns: 0,
            pid: 812,
            unit: None,
            container: None,
            netns,
        };
        let found = diagnosis([Record::from(process), kernel(header(GUEST), join)]);
        found["fix"].to_string()
    };
    let fixes = in_it(Some(GUEST));
    assert!(fixes.contains("\"nsenter -t 812 -n sysctl"), "{fixes}");
    // The socket's namespace is not the process's: nothing to paste leads there.
    let fixes = in_it(Some(HOST));
    assert!(
        fixes.contains(&format!("\"in network namespace {GUEST}: sysctl")),
        "{fixes}"
    );
}

#[test]
fn a_kernel_worker_is_nobody_in_particular() {
    for context in [Context::KernelThread, Context::Softirq] {
        let header = RecordHeader {
            context: context as u8,
            ..header(HOST)
        };
        let found = diagnosis([kernel(header, exhausted())]);
        for field in ["pid", "tid", "comm"] {
            assert_eq!(found[field], Value::Null);
        }
        assert!(!found["summary"].as_str().unwrap().contains("radvd"));
    }
}

#[test]
fn filters_look_at_the_stream() {
    let shown = |filter| {
        let named = Namespace {
            boot_ns: 0,
            inode: GUEST,
            name: Some("blue".to_owned()),
        };
        let records = vec![
            session(),
            Record::from(named),
            kernel(header(GUEST), exhausted()),
            end(),
        ];
        let options = Options {
            filter,
            ..Options::default()
        };
        objects(options, records)
            .iter()
            .filter(|object| object["type"] == "diagnosis")
            .count()
    };
    let none = Filter::default;
    let name = |name: &str| Some(NetnsFilter::Name(name.to_owned()));
    assert_eq!(shown(none()), 1);
    assert_eq!(
        shown(Filter {
            pid: Some(812),
            comm: Some("radvd".into()),
            ..none()
        }),
        1
    );
    assert_eq!(
        shown(Filter {
            pid: Some(813),
            ..none()
        }),
        0
    );
    assert_eq!(
        shown(Filter {
            comm: Some("rad".into()),
            ..none()
        }),
        0
    );
    assert_eq!(
        shown(Filter {
            interface: Some("tap366".into()),
            ..none()
        }),
        1
    );
    assert_eq!(
        shown(Filter {
            interface: Some("tap36".into()),
            ..none()
        }),
        0
    );
    assert_eq!(
        shown(Filter {
            netns: name("blue"),
            ..none()
        }),
        1
    );
    assert_eq!(
        shown(Filter {
            netns: name("red"),
            ..none()
        }),
        0
    );
    assert_eq!(
        shown(Filter {
            netns: Some(NetnsFilter::Inode(HOST)),
            ..none()
        }),
        0
    );
}

#[test]
fn losses_and_damage_are_counted() {
    let lost = |hook, cpu| {
        Record::Lost(Lost {
            boot_ns: 4_000_000_000,
            hook,
            cpu,
            count: 7,
        })
    };
    let damaged = RecordHeader {
        kind: 999,
        ..header(HOST)
    };
    let records = || {
        vec![
            session(),
            lost(Some(families::multicast_join::JOIN), Some(1)),
            lost(None, Some(1)),
            lost(Some(families::multicast_join::OPTION_MEMORY), None),
            kernel(damaged, exhausted()),
            Record::kernel(&b"short"[..]),
            end(),
        ]
    };
    let objects = objects(Options::default(), records());
    let summary = objects.last().unwrap();
    assert_eq!(
        (&summary["type"], &summary["lost"]),
        (&"summary".into(), &21.into())
    );
    assert_eq!(summary["undecoded"], 2);
    assert_eq!(objects[1]["hook"], "multicast-join");
    assert_eq!(objects[2]["hook"], Value::Null);
    assert_eq!(objects[3]["cpu"], Value::Null);
    let (_, err) = text(Options::default(), records());
    assert!(
        err.contains("lost 7 events of multicast-join on CPU 1"),
        "{err}"
    );
    assert!(
        err.contains("lost 7 events of option-memory: the kernel left them out"),
        "{err}"
    );
    assert!(err.contains("unknown record kind 999"), "{err}");
    assert!(err.contains("21 events lost"), "{err}");
}

#[test]
fn a_count_ends_the_report() {
    let options = Options {
        count: Some(1),
        ..Options::default()
    };
    let mut report = Report::new(options, Json::new(Vec::new(), Vec::new()));
    assert_eq!(report.feed(&session()).unwrap(), ControlFlow::Continue(()));
    let join = || kernel(header(HOST), exhausted());
    assert_eq!(report.feed(&join()).unwrap(), ControlFlow::Break(()));
}

#[test]
fn numbers_that_no_kernel_gives_do_no_harm() {
    for extreme in [u32::MAX, i32::MAX.cast_unsigned(), 1 << 31] {
        let join = MulticastJoin {
            size: extreme,
            sk_omem_alloc: extreme.cast_signed(),
            optmem_max: extreme.cast_signed(),
            memberships: extreme,
            stale_memberships: extreme,
            mtu: extreme,
            ..exhausted()
        };
        let (out, _) = text(
            Options::default(),
            vec![session(), kernel(header(HOST), join), end()],
        );
        assert!(out.contains("ENOMEM"), "{out}");
    }
}
