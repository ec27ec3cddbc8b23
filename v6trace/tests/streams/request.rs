//! What is said of refused requests where values could not be read, where names and
//! bytes are hostile, and of sorts that `ip` does not ask for.

use std::net::Ipv6Addr;

use proptest::prelude::*;
use serde_json::{Value, json};
use v6trace_common::families::{
    neighbour::{self, NeighbourTableFull},
    request::{
        self as wire, ATTRIBUTE_FOUND, INTERFACE_ABSENT, INTERFACE_FOUND, REQUEST_READ,
        RequestRefused, SAID_READ, TASK_READ,
    },
};
use zerocopy::FromZeros as _;

use crate::stream::{self, HOST, diagnoses, diagnosis};

const EPERM: i32 = -1;
const ENOENT: i32 = -2;
const EEXIST: i32 = -17;
const ENODEV: i32 = -19;
const EINVAL: i32 = -22;
const ENOBUFS: i32 = -105;
const EOPNOTSUPP: i32 = -95;

const NEW_LINK: u32 = 16;
const NEW_ADDRESS: u32 = 20;
const NEW_NEIGHBOUR: u32 = 28;
const NEW_RULE: u32 = 32;
const NEW_LABEL: u32 = 72;
const NEW_NEXT_HOP: u32 = 104;

const EVERYTHING: u32 = REQUEST_READ | SAID_READ | INTERFACE_FOUND | ATTRIBUTE_FOUND | TASK_READ;
/// `CAP_NET_ADMIN`
const NET_ADMIN: u32 = 1 << 12;

fn address(text: &str) -> [u8; 16] {
    text.parse::<Ipv6Addr>().unwrap().octets()
}

fn attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    bytes.extend(u16::try_from(4 + value.len()).unwrap().to_le_bytes());
    bytes.extend(kind.to_le_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn refused(message_type: u32, ret: i32, bytes: &[u8]) -> RequestRefused {
    let mut refused = RequestRefused {
        request_len: u32::try_from(bytes.len()).unwrap(),
        message_type,
        message_flags: 0x600,
        ret,
        found: REQUEST_READ | SAID_READ,
        ..RequestRefused::new_zeroed()
    };
    let read = bytes.len().min(refused.request.len());
    refused.request[..read].copy_from_slice(&bytes[..read]);
    refused
}

fn said(refused: &RequestRefused) -> Value {
    let header = stream::header::<RequestRefused>(wire::ANSWER, HOST);
    diagnosis([stream::kernel(header, refused)])
}

/// A rule of everything that there is.
fn rule() -> Vec<u8> {
    let mut bytes = vec![10, 48, 64, 4, 0, 0, 0, 1, 2, 0, 0, 0];
    attribute(&mut bytes, 1, &address("2001:db8:1::"));
    attribute(&mut bytes, 2, &address("2001:db8:2::"));
    attribute(&mut bytes, 3, b"eth0\0");
    attribute(&mut bytes, 17, b"eth1; reboot\0");
    attribute(&mut bytes, 6, &77_u32.to_le_bytes());
    attribute(&mut bytes, 10, &16_u32.to_le_bytes());
    attribute(&mut bytes, 16, &255_u32.to_le_bytes());
    attribute(&mut bytes, 20, &[0xe8, 3, 0, 0, 0xe9, 3, 0, 0]);
    attribute(&mut bytes, 22, &[6]);
    attribute(&mut bytes, 23, &[0, 4, 255, 4]);
    attribute(&mut bytes, 24, &[80, 0, 80, 0]);
    attribute(&mut bytes, 14, &0_u32.to_le_bytes());
    attribute(&mut bytes, 15, &1000_u32.to_le_bytes());
    bytes
}

#[test]
fn rules_are_put_in_the_words_of_ip() {
    let said = said(&refused(NEW_RULE, EINVAL, &rule()));
    assert_eq!(
        said["evidence"]["request"],
        "pref 77 not from 2001:db8:2::/64 to 2001:db8:1::/48 iif eth0 oif 'eth1; reboot' \
         uidrange 1000-1001 ipproto 6 sport 1024-1279 dport 80 fwmark 0x10/0xff tos 0x4 \
         lookup 1000 suppress_prefixlength 0"
    );
    assert_eq!(said["cause"], "request-refused");
    assert_eq!(said["confidence"], "likely");
    assert_eq!(said["severity"], "failure");
    assert_eq!(said["address"], "2001:db8:2::");
}

#[test]
fn what_could_not_be_read_is_not_made_up() {
    for message_type in [
        NEW_LINK,
        NEW_ADDRESS,
        NEW_NEIGHBOUR,
        NEW_RULE,
        NEW_LABEL,
        99,
        0,
    ] {
        let mut refused = refused(message_type, EINVAL, &[]);
        refused.found = 0;
        let said = said(&refused);
        assert_eq!(said["cause"], "request-refused", "{said}");
        assert_eq!(said["confidence"], "likely", "{said}");
        for unknown in ["request", "extack", "attribute"] {
            assert_eq!(said["evidence"][unknown], Value::Null, "{said}");
        }
        assert_eq!(said["fix"], json!([]), "{said}");
    }
}

#[test]
fn a_capability_decides_where_it_was_read() {
    let mut rule = refused(NEW_RULE, EPERM, &rule());
    assert_eq!(said(&rule)["confidence"], "likely");
    rule.found |= TASK_READ;
    assert_eq!(said(&rule)["confidence"], "certain");
    rule.capabilities = NET_ADMIN;
    let has = said(&rule);
    assert_eq!(has["confidence"], "likely");
    assert!(
        has["summary"]
            .as_str()
            .unwrap()
            .contains("another user namespace")
    );
    assert_eq!(has["fix"], json!([]));
}

/// systemd asks for it in each container.
#[test]
fn the_loopback_address_is_there_without() {
    let mut bytes = vec![10, 128, 0, 0, 1, 0, 0, 0];
    attribute(&mut bytes, 2, &address("::1"));
    let mut loopback = refused(NEW_ADDRESS, EPERM, &bytes);
    loopback.found |= TASK_READ;
    assert_eq!(said(&loopback)["severity"], "notice");
    let mut bytes = vec![10, 128, 0, 0, 1, 0, 0, 0];
    attribute(&mut bytes, 2, &address("::2"));
    let mut other = refused(NEW_ADDRESS, EPERM, &bytes);
    other.found |= TASK_READ;
    assert_eq!(said(&other)["severity"], "failure");
}

#[test]
fn what_the_kernel_cannot_do_is_a_notice() {
    let said = said(&refused(
        NEW_NEXT_HOP,
        EOPNOTSUPP,
        &[10, 0, 0, 0, 0, 0, 0, 0],
    ));
    assert_eq!(said["severity"], "notice");
}

#[test]
fn an_index_that_nobody_has_is_certain() {
    let bytes = [10, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0];
    let mut neighbour = refused(NEW_NEIGHBOUR, ENODEV, &bytes);
    neighbour.ifindex = 7;
    assert_eq!(said(&neighbour)["confidence"], "likely");
    neighbour.found |= INTERFACE_ABSENT;
    assert_eq!(said(&neighbour)["confidence"], "certain");
}

#[test]
fn the_attribute_that_the_kernel_points_at_has_its_name() {
    let mut rule = refused(NEW_RULE, EINVAL, &rule());
    rule.found |= ATTRIBUTE_FOUND;
    for (place, name) in [
        (12, json!("FRA_DST")),
        (32, json!("FRA_SRC")),
        (40, json!("something in FRA_SRC")),
        (0, Value::Null),
        (4000, Value::Null),
    ] {
        rule.bad_attribute = place;
        assert_eq!(said(&rule)["evidence"]["attribute"], name, "{place}");
    }
    let mut token = Vec::new();
    attribute(&mut token, 7, &address("::1"));
    let mut of_ipv6 = Vec::new();
    attribute(&mut of_ipv6, 10, &token);
    let mut bytes = vec![0; 16];
    bytes[4] = 2;
    attribute(&mut bytes, 26, &of_ipv6);
    let mut settings = refused(NEW_LINK, EINVAL, &bytes);
    settings.found |= ATTRIBUTE_FOUND | INTERFACE_FOUND;
    settings.ifindex = 2;
    settings.interface[..4].copy_from_slice(b"eth0");
    for (place, name) in [
        (16, "IFLA_AF_SPEC"),
        (20, "IFLA_AF_SPEC"),
        (24, "IFLA_INET6_TOKEN"),
    ] {
        settings.bad_attribute = place;
        let said = said(&settings);
        assert_eq!(said["evidence"]["attribute"], name, "{place}");
        assert_eq!(said["evidence"]["request"], "dev eth0 token ::1");
    }
}

#[test]
fn groups_have_their_members_and_weights() {
    let mut group = Vec::new();
    for (id, weight) in [(1_u32, 0_u16), (2, 260), (3, 0), (4, 0), (5, 0)] {
        group.extend(id.to_le_bytes());
        group.extend(weight.to_le_bytes());
        group.extend([0, 0]);
    }
    let said = |group: &[u8]| {
        let mut bytes = vec![0; 8];
        attribute(&mut bytes, 1, &9_u32.to_le_bytes());
        attribute(&mut bytes, 2, group);
        said(&refused(NEW_NEXT_HOP, EEXIST, &bytes))
    };
    let many = said(&group);
    assert_eq!(
        many["evidence"]["request"],
        "id 9 group 1/2,261/3/4/… (5 in all)"
    );
    assert_eq!(many["fix"], json!([]));
    assert_eq!(many["severity"], "notice");
    let few = said(&group[..16]);
    let fix = few["fix"][0].as_str().unwrap();
    assert!(
        fix.starts_with("ip nexthop replace id 9 group 1/2,261 "),
        "{fix}"
    );
}

/// Such an entry is no more than one that stays, which `ip` would make of it.
#[test]
fn an_entry_that_ages_is_not_asked_for_again() {
    for (state, flags, is_offered) in [(0x80, 0, true), (0x04, 0, false), (0x80, 0x10, false)] {
        let mut bytes = vec![10, 0, 0, 0, 2, 0, 0, 0, state, 0, flags, 0];
        attribute(&mut bytes, 1, &address("2001:db8::1"));
        let mut exists = refused(NEW_NEIGHBOUR, EEXIST, &bytes);
        exists.ifindex = 2;
        // Without the interface's name there is no command.
        assert_eq!(said(&exists)["fix"], json!([]));
        exists.found |= INTERFACE_FOUND;
        exists.interface[..4].copy_from_slice(b"eth0");
        let exists = said(&exists);
        let fixes = exists["fix"].as_array().unwrap();
        assert_eq!(!fixes.is_empty(), is_offered, "{exists}");
        // Only what the table's limit counts is refused for that.
        let full = said(&refused(NEW_NEIGHBOUR, ENOBUFS, &bytes));
        let says_so = full["summary"].as_str().unwrap().contains("gc_thresh3");
        assert_eq!(says_so, state == 0x04, "{full}");
    }
}

/// The family of neighbours knows more of a full table, and tells it first.
#[test]
fn a_full_table_is_told_once() {
    let bytes = [10, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0];
    let refused = refused(NEW_NEIGHBOUR, ENOBUFS, &bytes);
    let full = NeighbourTableFull {
        ifindex: 2,
        ret: ENOBUFS,
        entries: 1024,
        gc_thresh3: 1024,
        ..NeighbourTableFull::new_zeroed()
    };
    let told = |full_by: u32, passed: u64| {
        let mut first = stream::header::<NeighbourTableFull>(neighbour::CREATE, HOST);
        first.tid = full_by;
        let mut then = stream::header::<RequestRefused>(wire::ANSWER, HOST);
        then.boot_ns += passed;
        let records = [stream::kernel(first, &full), stream::kernel(then, &refused)];
        let diagnoses = diagnoses(records);
        let causes = diagnoses.iter().map(|one| one["cause"].clone());
        causes.collect::<Vec<_>>()
    };
    assert_eq!(told(812, 5000), ["neighbour-table-full"]);
    let both = ["neighbour-table-full", "request-refused"];
    assert_eq!(told(813, 5000), both);
    assert_eq!(told(812, 2_000_000_000), both);
}

#[test]
fn a_question_that_is_not_taken_is_no_missing_way() {
    let mut bytes = vec![10, 128, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    attribute(&mut bytes, 1, &address("2001:db8::1"));
    let mut way = refused(26, EINVAL, &bytes);
    let blackhole = said(&way);
    assert!(blackhole["summary"].as_str().unwrap().contains("blackhole"));
    let words = b"Invalid values in header for get route request";
    way.said[..words.len()].copy_from_slice(words);
    let invalid = said(&way);
    let summary = invalid["summary"].as_str().unwrap();
    assert!(
        !summary.contains("blackhole") && summary.contains("was not answered"),
        "{summary}"
    );
}

/// No command is offered for what is asked for in part only.
#[test]
fn a_request_that_is_cut_is_not_asked_for_again() {
    let mut bytes = vec![10, 0, 0, 0, 2, 0, 0, 0, 0x80, 0, 0, 0];
    attribute(&mut bytes, 1, &address("2001:db8::1"));
    let neighbour = |bytes: &[u8]| {
        let mut refused = refused(NEW_NEIGHBOUR, ENOENT, bytes);
        refused.message_flags = 0;
        let said = said(&refused);
        let fixes = said["fix"].as_array().unwrap().clone();
        let replaces = |fix: &Value| fix.as_str().unwrap().contains("replace");
        (fixes.iter().any(replaces), said)
    };
    assert!(neighbour(&bytes).0);
    attribute(&mut bytes, 200, &[0; 300]);
    let (is_offered, said) = neighbour(&bytes);
    assert!(!is_offered, "{said}");
    let request = said["evidence"]["request"].as_str().unwrap();
    assert!(request.ends_with(" …"), "{request}");
}

proptest! {
    #[test]
    fn whatever_is_asked_for_is_told_in_one_line(
        bytes in prop::collection::vec(any::<u8>(), 0..256),
        message_type in prop::sample::select(vec![
            NEW_LINK, NEW_ADDRESS, 24, 26, NEW_NEIGHBOUR, NEW_RULE, NEW_LABEL, NEW_NEXT_HOP,
        ]),
        place in 0..300_u32,
        ret in -140..0,
    ) {
        let mut refused = refused(message_type, ret, &bytes);
        refused.found = EVERYTHING;
        refused.bad_attribute = place;
        let said = said(&refused);
        let summary = said["summary"].as_str().unwrap();
        prop_assert!(!summary.chars().any(char::is_control), "{summary:?}");
    }
}
