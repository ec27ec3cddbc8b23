//! What is said of refused and lost addresses where values could not be read, do
//! not decide, or are more than a record has room for: no guest produces that on
//! demand.

use serde_json::{Value, json};
use v6trace_common::{
    families,
    families::address::{
        ADDRESS_READ, ADDRESSES, AddressRequest, AddressesLost, DEVICE_FOUND, DISABLE_IPV6_READ,
        DISABLED, HOST_READ, LostAddress, LostRoute, MTU, ROUTES, WRITER_KNOWN, WROTE_ALL,
    },
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, GUEST, HOST, diagnosis};

const EACCES: i32 = -13;
const EEXIST: i32 = -17;
const ENODEV: i32 = -19;
const EINVAL: i32 = -22;
const EADDRINUSE: i32 = -98;
const ENOBUFS: i32 = -105;
const MCAUTOJOIN: u32 = 0x400;
const PERMANENT: u32 = 0x80;

const ADDRESS: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
const ETH0: [u8; 16] = *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0";

/// A request for eth0.
fn request(ret: i32, read: u32) -> AddressRequest {
    AddressRequest {
        address: ADDRESS,
        interface: ETH0,
        ifindex: 2,
        ret,
        prefix_len: 64,
        mtu: 1500,
        read,
        ..AddressRequest::new_zeroed()
    }
}

/// What is said; null if nothing is.
fn said(request: &AddressRequest) -> Value {
    let header = stream::header::<AddressRequest>(families::address::REQUEST, HOST);
    diagnosis([stream::kernel(header, request)])
}

fn lost(trigger: u32) -> AddressesLost {
    AddressesLost {
        interface: ETH0,
        ifindex: 2,
        trigger,
        interfaces: 1,
        ..AddressesLost::new_zeroed()
    }
}

fn said_of(lost: &AddressesLost, netns: u32) -> Value {
    let header = stream::header::<AddressesLost>(families::address::DISABLE, netns);
    diagnosis([stream::kernel(header, lost)])
}

#[test]
fn what_no_condition_refuses_is_unexplained() {
    for ret in [EINVAL, EACCES, ENODEV, EADDRINUSE] {
        let said = said(&request(
            ret,
            ADDRESS_READ | DEVICE_FOUND | DISABLE_IPV6_READ,
        ));
        assert_eq!(said["cause"], "address-unexplained", "{ret}");
        assert_eq!(said["confidence"], "likely");
        assert_eq!(said["address"], "fd00::7");
        assert_eq!(said["fix"], json!([]));
        let summary = said["summary"].as_str().unwrap();
        assert!(summary.contains("none of the conditions"), "{summary}");
    }
}

#[test]
fn what_could_not_be_read_is_not_taken_for_zero() {
    // An address of zeros would be `::`, a valid lifetime of 0 none.
    for ret in [EINVAL, EACCES, -99] {
        let said = said(&request(ret, 0));
        assert_eq!(said["cause"], "address-unexplained", "{ret}");
        assert_eq!(said["interface"], Value::Null);
        assert_eq!(said["address"], Value::Null);
        let summary = said["summary"].as_str().unwrap();
        assert!(summary.contains("could be read"), "{summary}");
    }
}

#[test]
fn an_address_that_was_not_found_is_there_by_the_errno() {
    let said = said(&request(EEXIST, ADDRESS_READ | DEVICE_FOUND));
    assert_eq!(said["cause"], "address-exists");
    assert_eq!(said["confidence"], "likely");
    assert_eq!(said["severity"], "notice");
}

#[test]
fn memory_is_told_by_the_errno() {
    let said = said(&request(ENOBUFS, ADDRESS_READ | DEVICE_FOUND));
    assert_eq!(said["cause"], "address-out-of-memory");
    assert_eq!(said["errno"], "ENOBUFS");
}

/// That is a join that failed.
#[test]
fn a_group_that_the_kernel_cannot_join_is_left_to_joins() {
    for ret in [EINVAL, ENOBUFS, -12, ENODEV] {
        let mut request = request(ret, ADDRESS_READ | DEVICE_FOUND);
        request.flags = MCAUTOJOIN;
        assert_eq!(said(&request), Value::Null, "{ret}");
    }
}

#[test]
fn a_writer_from_the_future_wrote_no_time_before() {
    let read = ADDRESS_READ | DEVICE_FOUND | DISABLE_IPV6_READ | HOST_READ | WRITER_KNOWN;
    let mut request = request(EACCES, read);
    request.disable_ipv6 = 1;
    request.writer_boot_ns = EVENT_NS + 5;
    request.wrote = WROTE_ALL;
    request.writer_comm = *b"sysctl\0\0\0\0\0\0\0\0\0\0";
    let said = said(&request);
    assert_eq!(said["cause"], "address-ipv6-disabled");
    assert_eq!(said["evidence"]["set_by"]["ns_before"], 0);
    assert_eq!(said["evidence"]["set_by"]["comm"], "sysctl");
}

#[test]
fn more_than_a_record_has_room_for_is_counted() {
    let mut many = lost(DISABLED);
    many.wrote = WROTE_ALL;
    many.interfaces = 3;
    many.address_count = u32::MAX;
    many.set_count = u32::MAX;
    many.learned_count = u32::MAX;
    many.route_count = u32::MAX;
    many.addresses = [LostAddress {
        address: ADDRESS,
        interface: ETH0,
        prefix_len: 64,
        flags: PERMANENT,
        ..LostAddress::new_zeroed()
    }; ADDRESSES];
    many.routes = [LostRoute::new_zeroed(); ROUTES];
    let said = said_of(&many, HOST);
    assert_eq!(said["interface"], Value::Null);
    let evidence = &said["evidence"];
    assert_eq!(evidence["addresses"], u32::MAX);
    let listed = |name: &str| evidence[name].as_array().unwrap().len();
    assert_eq!(listed("lost_addresses"), ADDRESSES);
    assert_eq!(listed("lost_routes"), ROUTES);
    let summary = said["summary"].as_str().unwrap();
    assert!(summary.contains("4294967292 more"), "{summary}");
    // A route whose interface could not be read has no command.
    let fixes = said["fix"].as_array().unwrap();
    assert!(
        !fixes
            .iter()
            .any(|fix| fix.as_str().unwrap().contains("route"))
    );
}

/// Whoever may name an interface must not choose what is run.
#[test]
fn names_do_not_run() {
    let mut evil = lost(MTU);
    evil.interface = *b"a;rm$IFS*\0\0\0\0\0\0\0";
    evil.mtu = 1000;
    evil.address_count = 1;
    evil.set_count = 1;
    evil.addresses[0] = LostAddress {
        address: ADDRESS,
        interface: evil.interface,
        prefix_len: 64,
        flags: PERMANENT,
        ..LostAddress::new_zeroed()
    };
    let said = said_of(&evil, GUEST);
    let fixes = said["fix"].as_array().unwrap();
    assert_eq!(fixes.len(), 2);
    for fix in fixes {
        assert!(fix.as_str().unwrap().contains("'a;rm$IFS*'"), "{fix}");
    }
}

#[test]
fn a_trigger_of_a_later_version_is_not_explained() {
    let mut unknown = lost(99);
    unknown.address_count = 1;
    assert_eq!(said_of(&unknown, HOST), Value::Null);
}
