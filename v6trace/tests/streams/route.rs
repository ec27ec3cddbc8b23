//! What is said of refused routes where values could not be read, where nothing was
//! looked up, or where names are hostile: no guest produces that on demand.

use std::net::Ipv6Addr;

use serde_json::{Value, json};
use v6trace::families::{
    outgoing::Own,
    route::{Interface, Known, Paths},
};
use v6trace_common::families::route::{
    self as wire, DEVICE_FLAGS_READ, DISABLE_READ, HELD_BACK, INTERFACE_ABSENT, INTERFACE_FOUND,
    REQUEST_READ, RouteRefused, SAID_READ,
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, HOST, diagnosis};

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
const PRIORITY: u16 = 6;
const PREFSRC: u16 = 7;
const MULTIPATH: u16 = 9;
const VIA: u16 = 18;

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
        interfaces: vec![Interface {
            ifindex: 2,
            name: "eth0; reboot".to_owned(),
            is_up: true,
            vrf_table: None,
        }],
    }
}

/// A route on the link of interface 2.
fn route(prefix: &str, prefix_len: u8) -> Known {
    Known {
        prefix: address(prefix),
        prefix_len,
        source: None,
        table: 254,
        kind: 1,
        protocol: 4,
        metric: 1024,
        gateway: None,
        interface: Some("eth0; reboot".to_owned()),
        prefsrc: None,
        nexthop_id: None,
        hops: 1,
        is_dead: false,
        is_linkdown: false,
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
    let said = beside(&refused, tested.clone());
    assert_eq!(said["cause"], "route-source-not-local");
    assert!(
        said["summary"].as_str().unwrap().contains("tentative"),
        "{said}"
    );
    assert!(!said["fix"].to_string().contains("address add"), "{said}");
    assert_eq!(said["fix"].as_array().unwrap().len(), 2, "{said}");
    // Another node has it.
    tested.addresses[0].flags = 0x48;
    let said = beside(&refused, tested);
    assert!(
        said["summary"].as_str().unwrap().contains("dadfailed"),
        "{said}"
    );
    assert_eq!(said["fix"].as_array().unwrap().len(), 1, "{said}");
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
    there.to_gateways = Some(vec![route("2001:db8:9::", 64)]);
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
    delete.ret = ENOENT;
    assert_eq!(said(&delete)["cause"], "route-absent");
    delete.ret = ESRCH;
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
fn an_interface_that_is_off_comes_before_its_gateway() {
    let mut off = refused(
        EHOSTUNREACH,
        "2001:db8:9::1",
        REQUEST_READ | INTERFACE_FOUND | DEVICE_FLAGS_READ | DISABLE_READ,
    );
    off.interface[..4].copy_from_slice(b"eth0");
    off.disable_ipv6 = 1;
    let said = beside(&off, paths());
    assert_eq!(said["cause"], "route-gateway-not-on-link");
    let fixes = said["fix"].as_array().unwrap();
    assert!(fixes[0].as_str().unwrap().contains("eth0 up"), "{said}");
    assert!(
        fixes[1].as_str().unwrap().contains("disable_ipv6=0"),
        "{said}"
    );
    let summary = said["summary"].as_str().unwrap();
    assert!(
        summary.contains("eth0 is not up") && summary.contains("disable_ipv6 is 1"),
        "{said}"
    );
    assert!(!said["fix"].to_string().contains("onlink"), "{said}");
    assert!(!said["fix"].to_string().contains("/128"), "{said}");
}

/// Next hops beyond what a record has room for.
#[test]
fn a_request_that_is_cut_names_what_was_not_read() {
    let mut cut = refused(ENODEV, "fe80::1", REQUEST_READ);
    cut.request = [0; wire::REQUEST_LEN];
    let mut bytes = vec![10, 32, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
    attribute(&mut bytes, MULTIPATH, &[0; 280]);
    cut.request_len = u32::try_from(bytes.len()).unwrap();
    cut.request.copy_from_slice(&bytes[..wire::REQUEST_LEN]);
    cut.ifindex = 0;
    assert_eq!(said(&cut)["cause"], "route-unexplained");
    cut.ret = EHOSTUNREACH;
    let said = said(&cut);
    assert_eq!(said["cause"], "route-gateway-not-on-link");
    assert_eq!(said["evidence"]["gateway"], Value::Null);
    assert_eq!(said["evidence"]["request"], "::/32 (and more)");
}

/// Metrics end, and the kernel's own is not replaced by way of another.
#[test]
fn what_may_be_beside_or_in_place_of_a_route() {
    let exists = |metric: u32, routes: Vec<Known>| {
        let mut refused = refused(EEXIST, "fe80::1", REQUEST_READ);
        let mut bytes = refused.request[..usize::try_from(refused.request_len).unwrap()].to_vec();
        attribute(&mut bytes, PRIORITY, &metric.to_le_bytes());
        refused.request[..bytes.len()].copy_from_slice(&bytes);
        refused.request_len = u32::try_from(bytes.len()).unwrap();
        let mut there = paths();
        there.same_prefix = Some(routes);
        beside(&refused, there)
    };
    let with = |metric: u32| Known {
        metric,
        ..route("2001:db8::", 32)
    };
    for (metric, fixes) in [(5, 2), (u32::MAX - 1, 2), (u32::MAX, 1)] {
        let said = exists(metric, vec![with(metric)]);
        assert_eq!(said["cause"], "route-exists");
        assert_eq!(said["fix"].as_array().unwrap().len(), fixes, "{said}");
        assert!(!said["fix"].to_string().contains("metric 0"), "{said}");
    }
    let advertised = Known {
        protocol: 9,
        ..with(5)
    };
    let said = exists(5, vec![with(5), advertised]);
    assert!(!said["fix"].to_string().contains("replace"), "{said}");
    // For some sources only it is another route.
    let of_sources = Known {
        source: Some((address("2001:db8:1::"), 48)),
        ..with(5)
    };
    let said = exists(5, vec![of_sources]);
    assert_eq!(said["evidence"]["existing"], Value::Null, "{said}");
    assert_eq!(said["confidence"], "likely");
}

/// A default route of another table is another network's.
#[test]
fn not_every_other_route_is_offered_for_deletion() {
    for (prefix_len, asked, table, is_offered) in [
        (32, 100, 100, true),
        (32, 254, 100, true),
        (32, 100, 254, false),
        (0, 254, 254, true),
        (0, 254, 100, false),
        (0, 100, 254, false),
    ] {
        let mut delete = refused(ESRCH, "fe80::1", REQUEST_READ);
        delete.message_type = DELETE;
        delete.request[1] = prefix_len;
        delete.request[4] = asked;
        let mut there = paths();
        there.same_prefix = Some(vec![Known {
            table,
            ..route("2001:db8::", prefix_len)
        }]);
        let said = beside(&delete, there);
        assert_eq!(said["cause"], "route-absent");
        let offers = said["fix"].to_string().contains("route del");
        assert_eq!(offers, is_offered, "{said}");
    }
}

#[test]
fn what_ipv4_refuses_of_its_own_gateways_is_not_told() {
    let ipv4 = |gateways: &[&[u8]]| {
        let mut bytes = vec![2, 8, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        let mut hops = Vec::new();
        for gateway in gateways {
            let mut hop = Vec::new();
            attribute(&mut hop, VIA, gateway);
            hop.resize(hop.len().next_multiple_of(4), 0);
            hops.extend(u16::try_from(8 + hop.len()).unwrap().to_le_bytes());
            hops.extend([0, 0, 2, 0, 0, 0]);
            hops.extend(hop);
        }
        attribute(&mut bytes, MULTIPATH, &hops);
        let mut refused = RouteRefused {
            request: [0; wire::REQUEST_LEN],
            request_len: u32::try_from(bytes.len()).unwrap(),
            ..refused(EINVAL, "fe80::1", REQUEST_READ)
        };
        refused.request[..bytes.len()].copy_from_slice(&bytes);
        let words = b"Invalid scope";
        refused.said[..words.len()].copy_from_slice(words);
        let header = stream::header::<RouteRefused>(wire::ADD4, HOST);
        diagnosis([stream::kernel(header, &refused)])
    };
    let inet6 = [&[10, 0][..], &address("fe80::1").octets()].concat();
    let inet = [2, 0, 10, 90, 0, 9];
    for gateways in [&[&inet[..]][..], &[&inet, &inet6], &[&inet6, &inet]] {
        assert_eq!(ipv4(gateways), Value::Null);
    }
    // Of these nobody else tells what was asked for.
    let said = ipv4(&[&inet6, &inet6]);
    assert_eq!(said["cause"], "route-unexplained");
    assert_eq!(said["confidence"], "likely");
    let hop = "nexthop via inet6 fe80::1 dev interface-2";
    assert_eq!(
        said["evidence"]["request"],
        format!("0.0.0.0/8 {hop} {hop}")
    );
    let summary = said["summary"].as_str().unwrap();
    assert!(summary.contains("Invalid scope"), "{summary}");
}

#[test]
fn what_waited_until_the_end_claims_no_more_than_the_errno() {
    for (before, says) in [(0, "It waited"), (2990, "the last of 2991 such requests")] {
        let waited = RouteRefused {
            suppressed: before,
            ..refused(EEXIST, "fe80::9", REQUEST_READ | SAID_READ | HELD_BACK)
        };
        let said = said(&waited);
        assert_eq!(said["cause"], "route-exists");
        assert_eq!(said["confidence"], "likely");
        assert_eq!(said["fix"], json!([]));
        let summary = said["summary"].as_str().unwrap();
        assert!(summary.contains(says), "{summary}");
        assert!(!summary.contains("looked"), "{summary}");
    }
}
