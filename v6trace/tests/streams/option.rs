//! What is said of refused socket options where values could not be read, do not
//! decide, or are hostile: no guest produces that on demand.

use serde_json::{Value, json};
use v6trace::families::option::Multicasts;
use v6trace_common::families::option::{
    self as wire, INTERFACE_ABSENT, INTERFACE_FOUND, IPV6ONLY_READ, OptionRefused, ROUTED,
    ROUTER_READ, STATE_READ, SWAPPED_FOUND, TABLE_FOUND, TABLE_READ, TABLES_READ, TASK_READ,
    VALUE_READ,
};
use zerocopy::FromZeros as _;

use crate::stream::{self, HOST, diagnosis};

const EPERM: i32 = -1;
const ENOENT: i32 = -2;
const EACCES: i32 = -13;
const ENODEV: i32 = -19;
const EINVAL: i32 = -22;
const ENOPROTOOPT: i32 = -92;
const EADDRINUSE: i32 = -98;
const EADDRNOTAVAIL: i32 = -99;

const MULTICAST_IF: u32 = 17;
const V6ONLY: u32 = 26;
const TRANSPARENT: u32 = 75;
const UNICAST_IF: u32 = 76;
const INIT: u32 = 200;
const DONE: u32 = 201;
const ADD_MIF: u32 = 202;
const DEL_MIF: u32 = 203;
const ADD_MFC: u32 = 204;
const PIM: u32 = 208;

const ETH0: [u8; 16] = *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0";

fn refused(option: u32, ret: i32, read: u32) -> OptionRefused {
    OptionRefused {
        ret,
        option,
        value: 2,
        length: 4,
        ifindex: 2,
        sk_type: 2,
        sk_protocol: 17,
        sk_state: 7,
        read,
        ..OptionRefused::new_zeroed()
    }
}

fn said(refused: &OptionRefused) -> Value {
    let header = stream::header::<OptionRefused>(wire::SET, HOST);
    diagnosis([stream::kernel(header, refused)])
}

#[test]
fn what_could_not_be_read_is_not_taken_for_zero() {
    let causes = [
        (MULTICAST_IF, ENODEV, "multicast-interface-refused"),
        (MULTICAST_IF, EINVAL, "multicast-interface-refused"),
        (UNICAST_IF, EADDRNOTAVAIL, "unicast-interface-refused"),
        (UNICAST_IF, EINVAL, "unicast-interface-refused"),
        (INIT, EADDRINUSE, "multicast-routing-refused"),
        (INIT, ENOENT, "multicast-routing-refused"),
        (ADD_MIF, EACCES, "multicast-routing-refused"),
        (V6ONLY, EINVAL, "option-refused"),
        (TRANSPARENT, EPERM, "option-refused"),
        (9999, EINVAL, "option-refused"),
    ];
    for (option, ret, cause) in causes {
        let said = said(&refused(option, ret, 0));
        assert_eq!(said["cause"], cause);
        assert_eq!(said["confidence"], "likely", "{said}");
        assert_eq!(said["evidence"]["value"], Value::Null);
        assert_eq!(said["evidence"]["inet_num"], Value::Null);
    }
}

#[test]
fn an_interface_that_is_there_is_not_said_to_be_absent() {
    for (option, ret) in [(MULTICAST_IF, ENODEV), (UNICAST_IF, EADDRNOTAVAIL)] {
        let mut there = refused(option, ret, VALUE_READ | STATE_READ | INTERFACE_FOUND);
        there.interface = ETH0;
        let said = said(&there);
        assert_eq!(said["confidence"], "likely");
        assert_eq!(said["interface"], "eth0");
    }
    let absent = said(&refused(MULTICAST_IF, ENODEV, INTERFACE_ABSENT));
    assert_eq!(absent["confidence"], "certain");
}

#[test]
fn an_index_in_the_wrong_order_is_not_the_interface_that_was_asked_for() {
    let read = VALUE_READ | INTERFACE_ABSENT | SWAPPED_FOUND;
    let mut swapped = refused(UNICAST_IF, EADDRNOTAVAIL, read);
    swapped.ifindex = 2_u32.swap_bytes();
    swapped.interface = ETH0;
    let said = said(&swapped);
    assert_eq!(said["interface"], Value::Null);
    assert_eq!(said["ifindex"], 2_u32.swap_bytes());
    assert_eq!(said["confidence"], "certain");
    assert!(said["summary"].as_str().unwrap().contains("eth0"), "{said}");
}

#[test]
fn a_capability_of_another_user_namespace_is_likely_only() {
    let mut without = refused(TRANSPARENT, EPERM, TASK_READ);
    let missing = said(&without);
    assert_eq!(missing["confidence"], "certain");
    let fixes = missing["fix"].to_string();
    assert!(fixes.contains("AmbientCapabilities=CAP_NET_RAW"), "{fixes}");
    without.capabilities = 1 << 13;
    let has = said(&without);
    assert_eq!(has["confidence"], "likely");
    assert!(
        has["summary"].as_str().unwrap().contains("AppArmor"),
        "{has}"
    );
    assert!(!has["fix"].to_string().contains("Ambient"), "{has}");
}

#[test]
fn a_socket_without_a_port_is_refused_for_something_else() {
    let mut bound = refused(V6ONLY, EINVAL, STATE_READ | VALUE_READ);
    assert_eq!(said(&bound)["confidence"], "likely");
    bound.inet_num = 53;
    let known = said(&bound);
    assert_eq!(known["confidence"], "certain");
    assert_eq!(known["severity"], "failure");
    // Nothing would change.
    bound.value = 0;
    bound.read |= IPV6ONLY_READ;
    assert_eq!(said(&bound)["severity"], "notice");
}

#[test]
fn whoever_routes_is_named_where_found() {
    let read = TABLE_READ | TABLES_READ | TABLE_FOUND | ROUTED;
    let mut second = refused(INIT, EADDRINUSE, read);
    second.table = 254;
    second.router_inode = 77;
    let unknown = said(&second);
    assert_eq!(unknown["confidence"], "certain");
    assert!(unknown["summary"].as_str().unwrap().contains("not found"));
    let found = Multicasts {
        boot_ns: stream::EVENT_NS,
        inode: 77,
        pid: 9,
        comm: "pim6sd".to_owned(),
    };
    let header = stream::header::<OptionRefused>(wire::SET, HOST);
    let named = diagnosis([found.into(), stream::kernel(header, &second)]);
    assert!(
        named["summary"]
            .as_str()
            .unwrap()
            .contains("pim6sd (pid 9)")
    );
    // Of another socket that says nothing.
    let other = Multicasts {
        boot_ns: stream::EVENT_NS,
        inode: 78,
        pid: 9,
        comm: "pim6sd".to_owned(),
    };
    let header = stream::header::<OptionRefused>(wire::SET, HOST);
    let said = diagnosis([other.into(), stream::kernel(header, &second)]);
    assert_eq!(said["summary"], unknown["summary"]);
}

#[test]
fn what_the_kernel_does_not_know_is_a_notice() {
    let said = said(&refused(u32::MAX, ENOPROTOOPT, STATE_READ | VALUE_READ));
    assert_eq!(said["severity"], "notice");
    assert_eq!(said["confidence"], "likely");
    assert_eq!(said["evidence"]["option"], format!("option {}", u32::MAX));
    assert_eq!(said["fix"], json!([]));
}

#[test]
fn a_router_that_was_not_read_is_not_nobody() {
    let read = TABLE_READ | TABLES_READ | TABLE_FOUND | TASK_READ;
    for option in [DONE, ADD_MIF] {
        let unread = said(&refused(option, EACCES, read));
        assert_eq!(unread["confidence"], "likely", "{unread}");
        assert!(!unread["summary"].as_str().unwrap().contains("none does"));
        let nobody = said(&refused(option, EACCES, read | ROUTER_READ));
        assert_eq!(nobody["confidence"], "certain", "{nobody}");
        assert!(nobody["summary"].as_str().unwrap().contains("none does"));
    }
}

#[test]
fn each_option_of_routing_has_its_length() {
    let sizes = [
        (INIT, 4),
        (ADD_MIF, 12),
        (DEL_MIF, 2),
        (ADD_MFC, 92),
        (PIM, 4),
    ];
    for (option, size) in sizes {
        let of_length = |length| {
            let mut given = refused(option, EINVAL, VALUE_READ);
            (given.length, given.value) = (length, 0);
            said(&given)
        };
        let short = of_length(size - 1);
        assert_eq!(short["confidence"], "certain", "{short}");
        let takes = format!("it takes {size}");
        assert!(short["summary"].as_str().unwrap().contains(&takes));
        assert_eq!(of_length(size)["confidence"], "likely");
        // Some take no more, either.
        let is_exact = option == PIM;
        let long = of_length(size + 4);
        assert_eq!(long["confidence"] == "certain", is_exact, "{long}");
    }
}

#[test]
fn only_the_interfaces_of_the_default_table_are_listed() {
    for (table, is_listed) in [(254, true), (100, false)] {
        let mut taken = refused(ADD_MIF, EADDRINUSE, VALUE_READ | TABLE_READ | ROUTER_READ);
        (taken.value, taken.length, taken.table) = (3, 12, table);
        let said = said(&taken);
        let fixes = said["fix"].to_string();
        assert_eq!(fixes.contains("ip6_mr_vif"), is_listed, "{fixes}");
    }
}
