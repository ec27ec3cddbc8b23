//! What is said of neighbours where nothing was looked up, where numbers are beyond what
//! is sensible, or where names are hostile: no guest produces that on demand.

use serde_json::{Value, json};
use v6trace::families::neighbour::{
    Beside, Counts, Holder, LinkState, Others, Route, Share, Snooping, TableUse,
};
use v6trace_common::families::neighbour::{
    self as wire, NUD_INCOMPLETE, NUD_PROBE, NeighbourSilent, NeighbourTableFull,
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, GUEST, HOST, diagnoses, diagnosis};

const ENOBUFS: i32 = -105;
/// An interface's name, which whoever is root in a container may choose.
const HOSTILE: &[u8; 16] = b"v0; reboot\0\0\0\0\0\0";

fn address() -> [u8; 16] {
    let address: std::net::Ipv6Addr = "2001:db8::7".parse().unwrap();
    address.octets()
}

fn full(entries: u32, thresh3: i32) -> NeighbourTableFull {
    NeighbourTableFull {
        address: address(),
        interface: *HOSTILE,
        ifindex: 2,
        ret: ENOBUFS,
        entries,
        gc_thresh1: 128,
        gc_thresh2: 512,
        gc_thresh3: thresh3,
        ..NeighbourTableFull::new_zeroed()
    }
}

/// Looked for in vain three times.
fn silent() -> NeighbourSilent {
    NeighbourSilent {
        address: address(),
        interface: *HOSTILE,
        ifindex: 2,
        nud_state: NUD_INCOMPLETE,
        probes: 6,
        ucast_solicit: 3,
        mcast_solicit: 3,
        waiting: 1,
        ..NeighbourSilent::new_zeroed()
    }
}

fn beside() -> Beside {
    Beside {
        unconfirmed_ms: None,
        boot_ns: EVENT_NS,
        netns: HOST,
        is_there: Some(false),
        others: Some(Others::default()),
        routes: Some(Vec::new()),
        route_count: 0,
        needed: 0,
        sources: Some(vec!["fe80::7".parse().unwrap()]),
        link: Some(LinkState {
            is_up: true,
            has_carrier: true,
            addr_gen_mode: Some(0),
        }),
        snooping: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

fn default_route() -> Route {
    Route {
        destination: "::/0".to_owned(),
        table: 254,
        metric: 1024,
        others: Vec::new(),
        is_second: false,
    }
}

fn told(neighbour: &NeighbourSilent, beside: Beside) -> Value {
    let header = stream::header::<NeighbourSilent>(wire::TIMER, HOST);
    diagnosis([beside.into(), stream::kernel(header, neighbour)])
}

#[test]
fn without_a_look_up_it_is_said_that_nothing_is_known() {
    let header = stream::header::<NeighbourSilent>(wire::TIMER, HOST);
    let found = diagnosis([stream::kernel(header, &silent())]);
    assert_eq!(found["severity"], "notice");
    assert_eq!(found["confidence"], "likely");
    let summary = found["summary"].as_str().unwrap();
    assert!(summary.contains("could not be looked up"), "{summary}");
    let header = stream::header::<NeighbourTableFull>(wire::CREATE, HOST);
    let found = diagnosis([stream::kernel(header, &full(1024, 1024))]);
    assert_eq!(found["evidence"]["namespaces"], Value::Null);
    let summary = found["summary"].as_str().unwrap();
    assert!(summary.contains("could not be looked up"), "{summary}");
}

#[test]
fn what_is_there_after_all_or_was_not_wanted_is_no_news() {
    let silence = |neighbour: &NeighbourSilent, beside: Beside| {
        let header = stream::header::<NeighbourSilent>(wire::TIMER, HOST);
        diagnoses([beside.into(), stream::kernel(header, neighbour)])
    };
    let there = Beside {
        is_there: Some(true),
        ..beside()
    };
    assert!(silence(&silent(), there).is_empty());
    let unwanted = NeighbourSilent {
        waiting: 0,
        ..silent()
    };
    assert!(silence(&unwanted, beside()).is_empty());
    // Of a gateway it is worth knowing, and no more.
    let gateway = Beside {
        routes: Some(vec![default_route()]),
        route_count: 1,
        needed: 1,
        ..beside()
    };
    assert_eq!(told(&unwanted, gateway.clone())["severity"], "notice");
    assert_eq!(told(&silent(), gateway)["severity"], "failure");
}

#[test]
fn a_route_that_another_goes_ahead_of_is_not_in_use() {
    let second = Beside {
        routes: Some(vec![Route {
            is_second: true,
            ..default_route()
        }]),
        route_count: 1,
        ..beside()
    };
    assert_eq!(told(&silent(), second.clone())["severity"], "notice");
    let first = Beside {
        routes: Some(vec![default_route()]),
        needed: 1,
        ..second
    };
    assert_eq!(told(&silent(), first)["severity"], "failure");
}

#[test]
fn a_packet_for_somebody_else_shows_that_the_gateway_is_used() {
    let mut beyond = silent();
    beyond.waiting_for = "2001:db8:9::1"
        .parse::<std::net::Ipv6Addr>()
        .unwrap()
        .octets();
    let found = told(&beyond, beside());
    assert_eq!(found["severity"], "failure");
    assert_eq!(found["evidence"]["waiting_for"], "2001:db8:9::1");
    // Of IPv4, by way of it.
    beyond.waiting_for = "::ffff:10.1.2.3"
        .parse::<std::net::Ipv6Addr>()
        .unwrap()
        .octets();
    assert_eq!(
        told(&beyond, beside())["evidence"]["waiting_for"],
        "10.1.2.3"
    );
    let itself = NeighbourSilent {
        waiting_for: address(),
        ..silent()
    };
    assert_eq!(told(&itself, beside())["severity"], "notice");
}

#[test]
fn what_could_not_be_asked_is_not_said_to_have_left_it_unanswered() {
    let without = Beside {
        sources: Some(vec!["2001:db8::1".parse().unwrap()]),
        ..beside()
    };
    let found = told(&silent(), without.clone());
    assert_eq!(found["evidence"]["could_ask"], false);
    let summary = found["summary"].as_str().unwrap();
    assert!(!summary.contains("unanswered"), "{summary}");
    // The source of what waits would do.
    let mut from_own = silent();
    from_own.waiting_for = address();
    from_own.waiting_from = "2001:db8::1"
        .parse::<std::net::Ipv6Addr>()
        .unwrap()
        .octets();
    assert_eq!(told(&from_own, without)["evidence"]["could_ask"], true);
    let unknown = Beside {
        sources: None,
        ..beside()
    };
    assert_eq!(told(&silent(), unknown)["confidence"], "likely");
}

#[test]
fn an_optimistic_address_answers() {
    let flags = |flags| Beside {
        holders: vec![Holder {
            netns: GUEST,
            interface: "p0".to_owned(),
            link: LinkState {
                is_up: true,
                has_carrier: true,
                addr_gen_mode: None,
            },
            flags,
        }],
        ..beside()
    };
    let says = |found: Beside| {
        told(&silent(), found)["summary"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(says(flags(0x40)).contains("tentative"));
    assert!(!says(flags(0x44)).contains("tentative"));
}

#[test]
fn solicitations_are_counted_as_the_kernel_sends_them() {
    let sent = |neighbour: NeighbourSilent| {
        told(&neighbour, beside())["evidence"]["solicitations"].clone()
    };
    assert_eq!(sent(silent()), 3);
    // A program was asked twice in between.
    let by_program = NeighbourSilent {
        probes: 8,
        app_solicit: 2,
        ..silent()
    };
    assert_eq!(sent(by_program), 3);
    let known = NeighbourSilent {
        nud_state: NUD_PROBE,
        probes: 3,
        ..silent()
    };
    assert_eq!(sent(known), 3);
    // The sysctls were changed meanwhile.
    let changed = NeighbourSilent {
        probes: 2,
        ucast_solicit: u32::MAX,
        app_solicit: u32::MAX,
        ..silent()
    };
    assert_eq!(sent(changed), 0);
}

#[test]
fn hostile_names_are_quoted_in_commands() {
    let holder = Holder {
        netns: GUEST,
        interface: "p0; reboot".to_owned(),
        link: LinkState {
            is_up: false,
            has_carrier: false,
            addr_gen_mode: None,
        },
        flags: 0x80,
    };
    let elsewhere = Beside {
        holders: vec![holder],
        processes: vec![(GUEST, 77)],
        ..beside()
    };
    let found = told(&silent(), elsewhere);
    assert_eq!(
        found["fix"][0],
        "nsenter -t 77 -n ip link set dev 'p0; reboot' up  # where the address is"
    );
    let found = told(&silent(), beside());
    let fix = found["fix"][0].as_str().unwrap();
    assert!(
        fix.starts_with("ping -6 -c 2 ff02::1%'v0; reboot'"),
        "{fix}"
    );
}

#[test]
fn what_fills_the_table_decides_what_comes_first() {
    let table = |unanswered, answered| TableUse {
        boot_ns: EVENT_NS,
        netns: HOST,
        shares: vec![Share {
            netns: GUEST,
            counts: Counts {
                unanswered,
                answered,
                other: 0,
            },
            fullest: Some(("p0; reboot".to_owned(), Counts::default())),
        }],
        all: Counts {
            unanswered,
            answered,
            other: 0,
        },
        complete: false,
        processes: vec![(GUEST, 77)],
    };
    let header = stream::header::<NeighbourTableFull>(wire::CREATE, HOST);
    let told =
        |found: TableUse| diagnosis([found.into(), stream::kernel(header, &full(u32::MAX, -1))]);
    let scan = told(table(u32::MAX, u32::MAX / 4));
    assert_eq!(
        scan["fix"][0]
            .as_str()
            .unwrap()
            .split("  #")
            .next()
            .unwrap(),
        "nsenter -t 77 -n ip -6 neigh show nud incomplete nud failed dev 'p0; reboot'"
    );
    assert_eq!(scan["evidence"]["namespaces_complete"], json!(false));
    let hosts = told(table(3, 4000));
    assert!(hosts["fix"][0].as_str().unwrap().contains("gc_thresh3="));
    assert_eq!(hosts["fix"].as_array().unwrap().len(), 1);
}

#[test]
fn an_answer_is_told_where_nothing_came_of_it() {
    let mut asked = silent();
    asked.answer_seen = 1;
    asked.answer_hop_limit = 255;
    asked.answer_boot_ns = EVENT_NS - 20_000_000;
    let what =
        |asked: &NeighbourSilent| told(asked, beside())["evidence"]["answer_dropped"].clone();
    assert_eq!(what(&asked), Value::Null);
    asked.answer_hop_limit = 64;
    assert_eq!(what(&asked), "hop-limit");
    let said = told(&asked, beside());
    assert!(
        said["summary"]
            .as_str()
            .unwrap()
            .contains("came 20 ms before")
    );
    // Later than the record: of another time.
    asked.answer_boot_ns = EVENT_NS + 1;
    assert_eq!(what(&asked), Value::Null);
}

#[test]
fn a_bridge_that_snoops_is_no_reason_where_another_is_known() {
    let kept = Beside {
        snooping: Some(Snooping {
            netns: HOST,
            bridge: "br0".to_owned(),
            ports: Vec::new(),
        }),
        ..beside()
    };
    let says_so = |beside: Beside| {
        let found = told(&silent(), beside);
        assert_eq!(found["evidence"]["snooping_bridge"], "br0");
        let summary = found["summary"].as_str().unwrap();
        (
            summary.contains("The bridge br0"),
            found["confidence"] == "likely",
        )
    };
    assert_eq!(says_so(kept.clone()), (true, true));
    let mut down = kept.clone();
    down.holders.push(Holder {
        netns: HOST,
        interface: "p0".to_owned(),
        link: LinkState {
            is_up: false,
            has_carrier: false,
            addr_gen_mode: Some(0),
        },
        flags: 0,
    });
    assert_eq!(says_so(down), (false, false));
    let mut listed = kept.clone();
    let snooping = listed.snooping.as_mut().unwrap();
    snooping.ports.push("p1".to_owned());
    assert_eq!(says_so(listed), (false, false));
    let mut unplugged = kept;
    unplugged.link.as_mut().unwrap().has_carrier = false;
    assert_eq!(says_so(unplugged), (false, false));
}
