//! What is said of sockets without a way out where values could not be read, do
//! not decide, or are hostile: no guest produces that on demand.

use serde_json::{Value, json};
use v6trace::{
    families::outgoing::{Own, Reach, Rule, Way},
    record::Record,
};
use v6trace_common::{
    families,
    families::outgoing::{
        ASKED_FOUND, CONNECT, CUSTOM_RULES, CUSTOM_RULES_READ, NO_ROUTE, OutgoingLookup,
        ROUTE_FOUND, RULE_REJECTS, SEND, WAY_OUT,
    },
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, HOST, diagnosis};

const EPERM: i32 = -1;
const EINVAL: i32 = -22;
const EAFNOSUPPORT: i32 = -97;
const EADDRNOTAVAIL: i32 = -99;
const ENETUNREACH: i32 = -101;
const EHOSTUNREACH: i32 = -113;
const STREAM: u32 = 1;
const TCP: u32 = 6;
/// `IFA_F_DADFAILED` and `IFA_F_TENTATIVE`
const DADFAILED: u8 = 0x48;
/// `IFA_F_PERMANENT`: somebody set it.
const PERMANENT: u8 = 0x80;

const BEYOND: &str = "2001:db8:7::9";
const OWN: &str = "2001:db8:9::2";

fn bytes(address: &str) -> [u8; 16] {
    address.parse::<std::net::Ipv6Addr>().unwrap().octets()
}

/// A TCP connection, from a host with an address.
fn lookup(ret: i32, found: u32) -> OutgoingLookup {
    OutgoingLookup {
        destination: bytes(BEYOND),
        source: bytes(OWN),
        ret,
        operation: CONNECT,
        socket_type: STREAM,
        protocol: TCP,
        port: 443,
        found,
        ..OutgoingLookup::new_zeroed()
    }
}

fn record(lookup: &OutgoingLookup) -> Record {
    let header = stream::header::<OutgoingLookup>(families::outgoing::LOOKUP, HOST);
    stream::kernel(header, lookup)
}

/// What is said; null if nothing is.
fn said(lookup: &OutgoingLookup) -> Value {
    diagnosis([record(lookup)])
}

fn reach(destination: &str) -> Reach {
    Reach {
        boot_ns: EVENT_NS,
        netns: HOST,
        destination: destination.parse().unwrap(),
        addresses: Vec::new(),
        ways: Some(Vec::new()),
        rules: Some(Vec::new()),
    }
}

fn own(address: &str, interface: &str, flags: u8) -> Own {
    Own {
        address: address.parse().unwrap(),
        prefix_len: 64,
        ifindex: 2,
        interface: interface.to_owned(),
        flags,
    }
}

fn said_with(reach: Reach, lookup: &OutgoingLookup) -> Value {
    diagnosis([reach.into(), record(lookup)])
}

fn summary(said: &Value) -> &str {
    said["summary"].as_str().unwrap()
}

#[test]
fn an_errno_that_nothing_accounts_for_is_unexplained() {
    for (ret, errno) in [
        (EPERM, "EPERM"),
        (EAFNOSUPPORT, "EAFNOSUPPORT"),
        (ENETUNREACH, "ENETUNREACH"),
        (EHOSTUNREACH, "EHOSTUNREACH"),
    ] {
        let said = said(&lookup(ret, 0));
        assert_eq!(said["cause"], "outgoing-unexplained", "{errno}");
        assert_eq!(said["confidence"], "likely");
        assert_eq!(said["errno"], errno);
        assert_eq!(said["fix"], json!([]));
    }
}

#[test]
fn without_a_look_nothing_is_said_to_be_missing() {
    let said = said(&lookup(ENETUNREACH, NO_ROUTE | CUSTOM_RULES_READ));
    assert_eq!(said["cause"], "no-route");
    assert_eq!(said["severity"], "failure");
    assert_eq!(said["confidence"], "certain");
    assert_eq!(said["evidence"]["routes"], Value::Null);
    assert!(summary(&said).contains("could not be looked up"), "{said}");
    assert_eq!(said["fix"], json!([]));
}

#[test]
fn a_rule_that_may_have_said_so_is_not_ruled_out() {
    // Whether there are rules was not read, or they could not be listed.
    for found in [NO_ROUTE, NO_ROUTE | CUSTOM_RULES | CUSTOM_RULES_READ] {
        let said = said(&lookup(ENETUNREACH, found));
        assert_eq!(said["cause"], "no-route");
        assert_eq!(said["confidence"], "likely");
    }
    let mut listed = reach(BEYOND);
    listed.rules = Some(vec![Rule {
        priority: 40,
        action: 1,
    }]);
    let found = NO_ROUTE | CUSTOM_RULES | CUSTOM_RULES_READ;
    let said = said_with(listed, &lookup(ENETUNREACH, found));
    assert_eq!(said["confidence"], "certain");
    assert_eq!(said["evidence"]["rules"], json!([40]));
}

#[test]
fn a_look_for_another_destination_or_of_another_time_does_not_count() {
    let with = |change: fn(&mut Reach)| {
        let mut reach = reach(BEYOND);
        change(&mut reach);
        said_with(reach, &lookup(ENETUNREACH, NO_ROUTE | CUSTOM_RULES_READ))
    };
    let counts = with(|_| ());
    assert!(summary(&counts).contains("Not even"), "{counts}");
    for said in [
        with(|reach| reach.destination = "2001:db8:8::9".parse().unwrap()),
        with(|reach| reach.netns += 1),
        with(|reach| reach.boot_ns -= 1),
    ] {
        assert!(summary(&said).contains("could not be looked up"), "{said}");
    }
}

#[test]
fn a_route_that_came_afterwards_is_said_to() {
    let mut reach = reach(BEYOND);
    reach.ways = Some(vec![Way {
        prefix: "::".parse().unwrap(),
        prefix_len: 0,
        table: 254,
        kind: 1,
        gateway: Some("fe80::1".parse().unwrap()),
        interface: Some("eth0".to_owned()),
        is_dead: false,
        of_sources: false,
    }]);
    let said = said_with(reach, &lookup(ENETUNREACH, NO_ROUTE | CUSTOM_RULES_READ));
    assert!(summary(&said).contains("came a moment later"), "{said}");
}

#[test]
fn several_rules_that_reject_are_not_told_apart() {
    let rules = |actions: &[u8]| {
        let mut reach = reach(BEYOND);
        let rules = (40..).zip(actions);
        let rules = rules.map(|(priority, &action)| Rule { priority, action });
        reach.rules = Some(rules.collect());
        said_with(reach, &lookup(EINVAL, RULE_REJECTS))
    };
    let one = rules(&[Rule::BLACKHOLE, 1]);
    assert_eq!(one["cause"], "route-rejects");
    assert_eq!(one["evidence"]["rule"], 40);
    // The other gives another errno.
    let other = rules(&[Rule::PROHIBIT, Rule::BLACKHOLE]);
    assert_eq!(other["evidence"]["rule"], 41);
    let two = rules(&[Rule::BLACKHOLE, Rule::BLACKHOLE]);
    assert_eq!(two["evidence"]["rule"], Value::Null);
    assert_eq!(two["fix"].as_array().unwrap().len(), 1);
}

#[test]
fn a_route_whose_table_is_not_known_is_not_to_be_deleted() {
    let mut lookup = lookup(EHOSTUNREACH, ROUTE_FOUND);
    lookup.route_type = 7;
    lookup.route_protocol = 3;
    lookup.metric = 1024;
    let unknown = said(&lookup);
    assert_eq!(unknown["cause"], "route-rejects");
    assert_eq!(unknown["evidence"]["table"], Value::Null);
    assert_eq!(unknown["fix"], json!([]));
    lookup.table = 254;
    let fix = said(&lookup)["fix"][0].as_str().unwrap().to_owned();
    assert!(
        fix.starts_with("ip -6 route del unreachable ::/0 table 254 metric 1024"),
        "{fix}"
    );
    // What the kernel made itself is no fault of anybody's.
    lookup.route_protocol = 2;
    assert_eq!(said(&lookup)["fix"], json!([]));
}

#[test]
fn an_address_that_failed_its_test_is_to_be_tried_again() {
    let mut given = reach("fe80::1");
    given.addresses = vec![own("fd00::7", "eth0", DADFAILED)];
    let mut reach = reach("fe80::1");
    let set = DADFAILED | PERMANENT;
    reach.addresses = vec![own("fd00::7", "eth0", set), own("fd00::8", "eth1", set)];
    reach.addresses[1].ifindex = 3;
    let mut lookup = lookup(EADDRNOTAVAIL, ASKED_FOUND);
    lookup.destination = bytes("fe80::1");
    lookup.source = [0; 16];
    lookup.asked = 2;
    lookup.interface = *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0";
    let said = said_with(reach, &lookup);
    assert_eq!(said["cause"], "no-source-address-ipv6");
    assert_eq!(said["severity"], "failure");
    assert_eq!(
        said["evidence"]["unusable"],
        json!([{"kind": "dadfailed", "detail": "fd00::7 on eth0"}])
    );
    let fix = said["fix"][0].as_str().unwrap();
    assert!(fix.contains("address del fd00::7/64 dev eth0"), "{fix}");
    assert!(fix.contains("address add fd00::7/64 dev eth0"), "{fix}");
    // What a router gave is the router's to give again.
    assert_eq!(said_with(given, &lookup)["fix"], json!([]));
}

#[test]
fn names_of_interfaces_run_nothing() {
    let mut lookup = lookup(0, WAY_OUT);
    lookup.operation = SEND;
    lookup.source = bytes("fe80::2");
    lookup.gateway = bytes("fe80::1");
    lookup.interface = *b"$(reboot)\0\0\0\0\0\0\0";
    let said = said(&lookup);
    assert_eq!(said["cause"], "source-cannot-be-answered");
    let fix = said["fix"][0].as_str().unwrap();
    assert!(fix.contains("dev '$(reboot)'"), "{fix}");
}

#[test]
fn a_source_of_no_use_passes_where_a_better_one_is_tested() {
    let mut lookup = lookup(0, WAY_OUT);
    lookup.source = bytes("fe80::2");
    lookup.gateway = bytes("fe80::1");
    lookup.interface = *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0";
    let with = |flags| {
        let mut reach = reach(BEYOND);
        reach.addresses = vec![own("fe80::2", "eth0", 0), own(OWN, "eth0", flags)];
        said_with(reach, &lookup)
    };
    let tested = with(0x40);
    assert_eq!(tested["severity"], "notice");
    assert_eq!(tested["fix"], json!([]));
    assert!(summary(&tested).contains("still tested"), "{tested}");
    for (flags, listed) in [
        (0, json!([format!("{OWN} on eth0")])),
        (DADFAILED, json!([])),
    ] {
        let said = with(flags);
        assert_eq!(said["severity"], "hazard");
        assert_eq!(said["evidence"]["addresses"], listed);
    }
}
