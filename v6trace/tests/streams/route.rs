//! What is said of refused routes where values could not be read, where nothing was
//! looked up, or where names are hostile: no guest produces that on demand.

use std::net::Ipv6Addr;

use serde_json::{Value, json};
use v6trace::families::{
    outgoing::Own,
    route::{Known, Paths},
};
use v6trace_common::families::route::{
    self as wire, INTERFACE_ABSENT, INTERFACE_FOUND, REQUEST_READ, RouteRefused, SAID_READ,
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, HOST, diagnoses, diagnosis};

const ENOENT: i32 = -2;
const ESRCH: i32 = -3;
const ENOMEM: i32 = -12;
const EACCES: i32 = -13;
const EEXIST: i32 = -17;
const ENODEV: i32 = -19;
const EINVAL: i32 = -22;
const ENETDOWN: i32 = -100;
const EHOSTUNREACH: i32 = -113;

const REPLACE: u32 = 0x100;
const NEW: u32 = 24;
const DELETE: u32 = 25;
const DESTINATION: u16 = 1;
const OIF: u16 = 4;
const GATEWAY: u16 = 5;
const PREFSRC: u16 = 7;

fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    bytes.extend(u16::try_from(4 + value.len()).unwrap().to_le_bytes());
    bytes.extend(kind.to_le_bytes());
    bytes.extend(value);
}

/// A request for 2001:db8::/32 by way of a gateway and interface 2.
fn refused(ret: i32, gateway: &str, known: u32) -> RouteRefused {
    let mut bytes = vec![10, 32, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
    attribute(&mut bytes, DESTINATION, &address("2001:db8::").octets());
    attribute(&mut bytes, GATEWAY, &address(gateway).octets());
    attribute(&mut bytes, OIF, &2_u32.to_le_bytes());
    let mut refused = RouteRefused {
        request_len: u32::try_from(bytes.len()).unwrap(),
        message_type: NEW,
        message_flags: 0x600,
        ret,
        ifindex: 2,
        known,
        ..RouteRefused::new_zeroed()
    };
    refused.request[..bytes.len()].copy_from_slice(&bytes);
    refused
}

fn said(refused: &RouteRefused) -> Value {
    let header = stream::header::<RouteRefused>(wire::ADD, HOST);
    diagnosis([stream::kernel(header, refused)])
}

fn beside(refused: &RouteRefused, paths: Paths) -> Value {
    let header = stream::header::<RouteRefused>(wire::ADD, HOST);
    diagnosis([paths.into(), stream::kernel(header, refused)])
}

fn paths() -> Paths {
    Paths {
        boot_ns: EVENT_NS,
        netns: HOST,
        to_gateways: Some(Vec::new()),
        same_prefix: Some(Vec::new()),
        addresses: Vec::new(),
        interfaces: vec![(2, "eth0; reboot".to_owned(), true)],
    }
}

#[test]
fn what_could_not_be_read_is_not_made_up() {
    let causes = [
        (EHOSTUNREACH, "route-unexplained", "likely"),
        (EINVAL, "route-unexplained", "likely"),
        (ENOMEM, "route-unexplained", "likely"),
        (ENODEV, "route-unexplained", "likely"),
        (EACCES, "route-unexplained", "likely"),
        (ENETDOWN, "route-interface-down", "certain"),
        (EEXIST, "route-exists", "likely"),
    ];
    for (ret, cause, confidence) in causes {
        let said = said(&refused(ret, "fe80::1", 0));
        assert_eq!(said["cause"], cause, "{said}");
        assert_eq!(said["confidence"], confidence, "{said}");
        assert_eq!(said["evidence"]["request"], Value::Null);
        assert_eq!(said["address"], Value::Null);
        assert_eq!(said["fix"], json!([]), "{said}");
    }
}

#[test]
fn without_the_kernels_words_the_request_decides_as_likely() {
    let mut own = paths();
    own.addresses.push(Own {
        address: address("2001:db8:1::1"),
        prefix_len: 64,
        ifindex: 2,
        interface: "eth0".to_owned(),
        flags: 0,
    });
    let said = beside(&refused(EINVAL, "2001:db8:1::1", REQUEST_READ), own);
    assert_eq!(said["cause"], "route-gateway-own-address");
    assert_eq!(said["confidence"], "likely");
    let said = beside(&refused(EINVAL, "ff02::1", REQUEST_READ), paths());
    assert_eq!(said["cause"], "route-gateway-invalid");
    // The kernel has words for that: where it says none, it is something else.
    let said = beside(
        &refused(EINVAL, "ff02::1", REQUEST_READ | SAID_READ),
        paths(),
    );
    assert_eq!(said["cause"], "route-unexplained");
    assert_eq!(said["confidence"], "likely");
}

#[test]
fn words_that_only_begin_alike_are_another_reason() {
    for (words, cause, confidence) in [
        (
            "Invalid source address",
            "route-source-not-local",
            "certain",
        ),
        (
            "Invalid source address length",
            "route-unexplained",
            "likely",
        ),
        (
            "Gateway can not be a local address",
            "route-gateway-own-address",
            "certain",
        ),
        ("Something new", "route-unexplained", "likely"),
    ] {
        let mut refused = refused(EINVAL, "fe80::1", REQUEST_READ | SAID_READ);
        refused.said[..words.len()].copy_from_slice(words.as_bytes());
        let said = said(&refused);
        assert_eq!(said["cause"], cause, "{said}");
        assert_eq!(said["confidence"], confidence, "{said}");
        assert_eq!(said["evidence"]["extack"], words);
    }
}

#[test]
fn a_source_that_is_tested_is_told_apart() {
    let mut tested = paths();
    tested.addresses.push(Own {
        address: address("2001:db8:1::1"),
        prefix_len: 64,
        ifindex: 2,
        interface: "eth0".to_owned(),
        flags: 0x40,
    });
    let mut refused = refused(EINVAL, "fe80::1", REQUEST_READ | SAID_READ);
    let words = b"Invalid source address";
    refused.said[..words.len()].copy_from_slice(words);
    let mut bytes = refused.request[..usize::try_from(refused.request_len).unwrap()].to_vec();
    attribute(&mut bytes, PREFSRC, &address("2001:db8:1::1").octets());
    refused.request[..bytes.len()].copy_from_slice(&bytes);
    refused.request_len = u32::try_from(bytes.len()).unwrap();
    let said = beside(&refused, tested);
    assert_eq!(said["cause"], "route-source-not-local");
    assert!(
        said["summary"].as_str().unwrap().contains("tentative"),
        "{said}"
    );
    assert!(!said["fix"].to_string().contains("address add"), "{said}");
}

#[test]
fn what_is_to_be_pasted_is_quoted() {
    let said = beside(
        &refused(EHOSTUNREACH, "2001:db8:9::1", REQUEST_READ),
        paths(),
    );
    assert_eq!(said["cause"], "route-gateway-not-on-link");
    let fixes = said["fix"].as_array().unwrap();
    assert_eq!(fixes.len(), 2);
    for fix in fixes {
        let words = shlex::split(fix.as_str().unwrap()).unwrap();
        assert!(words.contains(&"eth0; reboot".to_owned()), "{fix}");
    }
}

#[test]
fn a_route_to_the_gateway_that_is_there_now_makes_it_likely() {
    let mut there = paths();
    there.to_gateways = Some(vec![Known {
        prefix: address("2001:db8:9::"),
        prefix_len: 64,
        table: 254,
        kind: 1,
        protocol: 2,
        metric: 256,
        gateway: None,
        interface: Some("eth0; reboot".to_owned()),
        hops: 1,
        is_dead: false,
    }]);
    let said = beside(&refused(EHOSTUNREACH, "2001:db8:9::1", REQUEST_READ), there);
    assert_eq!(said["confidence"], "likely");
    assert!(
        said["summary"].as_str().unwrap().contains("a moment later"),
        "{said}"
    );
}

#[test]
fn a_request_that_has_more_is_not_asked_for_again() {
    let mut cut = refused(EHOSTUNREACH, "2001:db8:9::1", REQUEST_READ);
    cut.request_len = 4096;
    let said = beside(&cut, paths());
    assert_eq!(said["cause"], "route-gateway-not-on-link");
    let fixes = said["fix"].as_array().unwrap();
    assert!(
        fixes
            .iter()
            .all(|fix| !fix.as_str().unwrap().contains("ip -6")),
        "{said}"
    );
}

#[test]
fn an_index_that_nobody_has_is_certain() {
    let absent = said(&refused(ENODEV, "fe80::1", REQUEST_READ | INTERFACE_ABSENT));
    assert_eq!(absent["cause"], "route-no-such-device");
    assert_eq!(absent["confidence"], "certain");
    let there = said(&refused(ENODEV, "fe80::1", REQUEST_READ | INTERFACE_FOUND));
    assert_eq!(there["cause"], "route-unexplained");
}

#[test]
fn only_a_deletion_finds_nothing() {
    let mut delete = refused(ESRCH, "fe80::1", REQUEST_READ);
    assert_eq!(said(&delete)["cause"], "route-unexplained");
    delete.message_type = DELETE;
    let said = beside(&delete, paths());
    assert_eq!(said["cause"], "route-absent");
    assert_eq!(said["operation"], "route-delete");
    assert_eq!(said["severity"], "notice");
    // A route that is added needs none that is there.
    let mut add = refused(ENOENT, "fe80::1", REQUEST_READ);
    assert_eq!(self::said(&add)["cause"], "route-unexplained");
    add.message_flags = REPLACE;
    assert_eq!(self::said(&add)["cause"], "route-absent");
}

#[test]
fn what_ipv4_refuses_by_itself_is_not_told() {
    let mut ipv4 = refused(EINVAL, "fe80::1", REQUEST_READ);
    ipv4.request[..12].copy_from_slice(&[2, 8, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]);
    let words = b"Invalid scope";
    ipv4.said[..words.len()].copy_from_slice(words);
    let header = stream::header::<RouteRefused>(wire::ADD4, HOST);
    assert_eq!(diagnoses([stream::kernel(header, &ipv4)]), [Value::Null; 0]);
}
