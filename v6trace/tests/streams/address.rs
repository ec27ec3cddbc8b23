//! What is said of refused and lost addresses where values could not be read, do
//! not decide, or are more than a record has room for: no guest produces that on
//! demand.

use serde_json::{Value, json};
use v6trace::{coverage::Status, families::address::Settled, record::Record, report::Options};
use v6trace_common::{
    families,
    families::address::{
        ADDRESS_READ, ADDRESSES, AddressRequest, AddressesLost, BY_CARRIER, DEVICE_FOUND,
        DEVICE_HAS_INET6, DISABLE_IPV6_READ, DISABLED, DOWN, EXISTING_FOUND, EXISTING_PROTO_READ,
        HOST_READ, INET6_READ, LinkLocalMissing, LostAddress, LostRoute, MTU, MTU_READ, ROUTES,
        TemporaryStopped, VRF_ENTERED, VRF_LEFT, WRITER_KNOWN, WROTE_ALL,
    },
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, GUEST, HOST, diagnosis};

const EACCES: i32 = -13;
const EEXIST: i32 = -17;
const ENODEV: i32 = -19;
const EINVAL: i32 = -22;
const EADDRINUSE: i32 = -98;
const EADDRNOTAVAIL: i32 = -99;
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

/// What has a lifetime may be a program's, and then does not come back by itself.
#[test]
fn ipv6_that_is_switched_off_is_a_hazard_to_what_others_made() {
    for (set, learned, routes, severity) in [
        (0, 0, 0, "notice"),
        (0, 2, 0, "hazard"),
        (1, 0, 0, "hazard"),
        (0, 2, 1, "hazard"),
    ] {
        let mut all = lost(DISABLED);
        all.address_count = set + learned;
        all.set_count = set;
        all.learned_count = learned;
        all.route_count = routes;
        let said = said_of(&all, HOST);
        assert_eq!(said["severity"], severity);
        let summary = said["summary"].as_str().unwrap();
        let all_comes_back = summary.contains("all of that comes back");
        assert_eq!(all_comes_back, severity == "notice", "{summary}");
    }
}

/// What nobody counted is not none.
#[test]
fn routes_that_were_not_counted_are_not_known() {
    let mut alone = lost(DISABLED);
    alone.address_count = 1;
    let said = |status| {
        let header = stream::header::<AddressesLost>(families::address::DISABLE, HOST);
        let session = stream::covering(&[families::forwarding::ROUTE_DELETE], status);
        let records = [session, stream::kernel(header, &alone)];
        let mut said = stream::objects(Options::default(), records);
        said.retain(|object| object["type"] == "diagnosis");
        said.pop().unwrap()
    };
    let counted = said(Status::Attached);
    assert_eq!(counted["severity"], "notice");
    assert_eq!(counted["evidence"]["routes"], 0);
    assert_eq!(counted["evidence"]["lost_routes"], json!([]));
    let summary = counted["summary"].as_str().unwrap();
    assert!(summary.contains("all of that comes back"), "{summary}");
    let not = said(Status::Refused);
    assert_eq!(not["severity"], "hazard");
    for name in ["routes", "lost_routes"] {
        assert_eq!(not["evidence"].get(name), Some(&Value::Null), "{name}");
    }
    let summary = not["summary"].as_str().unwrap();
    assert!(
        summary.ends_with("Whether routes went that were set is not known."),
        "{summary}"
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

/// What was in another table than the VRF's, or goes into another VRF, is for whoever
/// follows to say; addresses that nobody lost are not kept.
#[test]
fn routes_keep_their_tables_and_go_nevertheless() {
    const MAIN: u32 = 254;
    for (trigger, table, wanted) in [
        (VRF_LEFT, 200, "dev eth0 table 200  # once it is up; if"),
        (VRF_LEFT, MAIN, "dev eth0  # once it is up"),
        (VRF_ENTERED, 200, "dev eth0 table 200  # once it is up"),
        (VRF_ENTERED, MAIN, "dev eth0 vrf red  # once it is up"),
        (DOWN, 200, "dev eth0 table 200  # once it is up"),
    ] {
        let mut routes = lost(trigger);
        routes.vrf[..3].copy_from_slice(b"red");
        routes.route_count = 1;
        routes.routes[0] = LostRoute {
            interface: ETH0,
            protocol: 3,
            table,
            ..LostRoute::new_zeroed()
        };
        let said = said_of(&routes, HOST);
        let fixes = said["fix"].as_array().unwrap();
        assert_eq!(fixes.len(), 1, "{fixes:?}");
        let fix = fixes[0].as_str().unwrap();
        assert!(fix.contains(wanted), "{fix}");
        assert!(!said["summary"].as_str().unwrap().contains("keep_addr"));
    }
}

#[test]
fn temporary_addresses_are_not_said_to_be_forbidden_where_some_may_fail() {
    let said = |regen_max_retry| {
        let stopped = TemporaryStopped {
            public: ADDRESS,
            interface: ETH0,
            ifindex: 2,
            prefix_len: 64,
            regen_max_retry,
            use_tempaddr: 2,
            public_read: 1,
            ..TemporaryStopped::new_zeroed()
        };
        let header = stream::header::<TemporaryStopped>(families::address::TEMPORARY, HOST);
        let said = diagnosis([stream::kernel(header, &stopped)]);
        assert_eq!(said["cause"], "temporary-addresses-stopped");
        let summary = said["summary"].as_str().unwrap();
        assert_eq!(summary.contains("not even one"), regen_max_retry == 0);
        let fix = said["fix"][0].as_str().unwrap();
        let deletes = fix.contains("address del fd00::7/64 dev eth0");
        assert_eq!(deletes, regen_max_retry != 0, "{fix}");
        said["confidence"].clone()
    };
    assert_eq!(said(0), "certain");
    assert_eq!(said(3), "certain");
    // It could not be read.
    assert_eq!(said(-1), "likely");
}

/// The kernel tests the length ahead of the interface where `ifconfig` asks.
#[test]
fn an_ioctl_has_its_prefix_length_tested_first() {
    let mut wire = request(EINVAL, ADDRESS_READ | DEVICE_FOUND | INET6_READ | MTU_READ);
    (wire.prefix_len, wire.mtu) = (129, 1000);
    for (hook, first, second) in [
        (
            families::address::IOCTL,
            "address-prefix-length",
            "address-ipv6-off-mtu",
        ),
        (
            families::address::REQUEST,
            "address-ipv6-off-mtu",
            "address-prefix-length",
        ),
    ] {
        let header = stream::header::<AddressRequest>(hook, HOST);
        let said = diagnosis([stream::kernel(header, &wire)]);
        assert_eq!(said["cause"], first);
        assert_eq!(said["evidence"]["also"], json!([second]));
    }
    let header = stream::header::<AddressRequest>(families::address::IOCTL, HOST);
    let unread = AddressRequest {
        ret: ENODEV,
        ..AddressRequest::new_zeroed()
    };
    let said = diagnosis([stream::kernel(header, &unread)]);
    assert_eq!(said["cause"], "address-unexplained");
    assert_eq!(said["confidence"], "likely");
}

#[test]
fn a_trigger_of_a_later_version_is_not_explained() {
    let mut unknown = lost(99);
    unknown.address_count = 1;
    assert_eq!(said_of(&unknown, HOST), Value::Null);
}

/// The kernel compares the prefix length as well.
#[test]
fn what_is_not_deleted_is_not_there() {
    let deleted = |wire: &AddressRequest| {
        let header = stream::header::<AddressRequest>(families::address::IOCTL_DELETE, HOST);
        diagnosis([stream::kernel(header, wire)])
    };
    let read = ADDRESS_READ | DEVICE_FOUND | INET6_READ | DEVICE_HAS_INET6;
    let mut wire = request(EADDRNOTAVAIL, read);
    let said = deleted(&wire);
    assert_eq!(said["cause"], "address-not-there");
    assert_eq!(said["operation"], "address-delete");
    assert_eq!(said["confidence"], "certain");
    assert_eq!(said["fix"], json!([]));
    // With another it may be behind those that were looked at.
    let summary = said["summary"].as_str().unwrap();
    assert!(summary.contains("with the prefix length"), "{summary}");
    for unread in [ADDRESS_READ, DEVICE_FOUND] {
        let said = deleted(&request(EADDRNOTAVAIL, read & !unread));
        assert_eq!(said["cause"], "address-not-there");
        assert_eq!(said["confidence"], "likely");
    }
    (wire.existing_prefix_len, wire.existing_proto) = (48, 2);
    wire.read |= EXISTING_FOUND;
    let said = deleted(&wire);
    assert_eq!(said["evidence"]["existing_proto"], Value::Null);
    wire.read |= EXISTING_PROTO_READ;
    let said = deleted(&wire);
    assert_eq!(said["evidence"]["existing_proto"], 2);
    assert_eq!(said["fix"][0], "ip -6 address del fd00::7/48 dev eth0");
    // It has come since, or something else refuses.
    wire.existing_prefix_len = wire.prefix_len;
    let said = deleted(&wire);
    assert_eq!(said["cause"], "address-unexplained");
    assert_eq!(said["confidence"], "likely");
}

#[test]
fn an_address_that_is_there_has_its_maker() {
    let mut wire = request(EEXIST, ADDRESS_READ | DEVICE_FOUND | EXISTING_FOUND);
    wire.existing_prefix_len = 64;
    let said_by = |wire: &AddressRequest| said(wire)["summary"].as_str().unwrap().to_owned();
    wire.existing_proto = 2;
    assert!(!said_by(&wire).contains("made it"));
    wire.read |= EXISTING_PROTO_READ;
    assert!(said_by(&wire).contains("(a router advertisement made it)"));
    // The number of a daemon's own choice.
    wire.existing_proto = 18;
    assert!(!said_by(&wire).contains("made it"));
    assert_eq!(said(&wire)["evidence"]["existing_proto"], 18);
}

/// An Ethernet interface that came up with the mode none.
fn came_up() -> LinkLocalMissing {
    LinkLocalMissing {
        interface: ETH0,
        ifindex: 2,
        addr_gen_mode: 1,
        device_type: 1,
        came_up_by: BY_CARRIER,
        ..LinkLocalMissing::new_zeroed()
    }
}

/// What it has so many nanoseconds later.
fn settled(after: u64) -> Settled {
    Settled {
        boot_ns: EVENT_NS + after,
        netns: HOST,
        ifindex: 2,
        interface: "eth0".to_owned(),
        is_up: true,
        disable_ipv6: Some(0),
        addr_gen_mode: Some(1),
        master: None,
        link_local: None,
        others: 0,
    }
}

fn said_later(missing: &LinkLocalMissing, settled: Option<Settled>) -> Value {
    let header = stream::header::<LinkLocalMissing>(families::address::NOTIFIED, HOST);
    let found = settled.map(Record::from);
    let records = found.into_iter().chain([stream::kernel(header, missing)]);
    diagnosis(records)
}

const LATER_NS: u64 = 5_000_000_000;

#[test]
fn whoever_had_no_time_may_still_make_the_address() {
    let said = said_later(&came_up(), Some(settled(LATER_NS)));
    assert_eq!(said["cause"], "link-local-not-made");
    assert_eq!(said["confidence"], "certain");
    assert_eq!(said["evidence"]["looked_after"], "5.0 s");
    let later = settled(u64::MAX - EVENT_NS);
    assert_eq!(said_later(&came_up(), Some(later))["confidence"], "certain");
    // A look-up from before the event is not one after it.
    let before = Settled {
        boot_ns: EVENT_NS - 1,
        ..settled(0)
    };
    for early in [settled(LATER_NS - 1), settled(0), before] {
        assert_eq!(said_later(&came_up(), Some(early)), Value::Null);
    }
}

/// It is another, or would not get an address by the fix either.
#[test]
fn what_is_otherwise_by_then_is_not_explained() {
    let change: [fn(&mut Settled); 5] = [
        |settled| settled.interface = "eth1".to_owned(),
        |settled| settled.disable_ipv6 = Some(1),
        |settled| settled.disable_ipv6 = None,
        |settled| settled.addr_gen_mode = Some(0),
        |settled| settled.addr_gen_mode = None,
    ];
    for change in change {
        let mut otherwise = settled(LATER_NS);
        change(&mut otherwise);
        assert_eq!(said_later(&came_up(), Some(otherwise)), Value::Null);
    }
}

#[test]
fn interfaces_that_need_no_link_local_address_are_left_alone() {
    let whole = settled(LATER_NS);
    let mut other = whole.clone();
    other.ifindex = 3;
    let mut down = whole.clone();
    down.is_up = false;
    let mut port = whole.clone();
    port.master = Some("br0".to_owned());
    let mut has = whole.clone();
    has.link_local = Some("fe80::1".parse().unwrap());
    for found in [None, Some(other), Some(down), Some(port), Some(has)] {
        assert_eq!(said_later(&came_up(), found), Value::Null);
    }
    let change: [fn(&mut LinkLocalMissing); 5] = [
        |missing| missing.is_vrf = 1,
        |missing| missing.dev_flags = 0x80,
        |missing| missing.dev_flags = 0x8,
        |missing| missing.device_type = 0xfffe,
        // It could not be read.
        |missing| missing.device_type = 0,
    ];
    for change in change {
        let mut missing = came_up();
        change(&mut missing);
        assert_eq!(said_later(&missing, Some(whole.clone())), Value::Null);
    }
    let mut strange = came_up();
    (strange.came_up_by, strange.suppressed) = (77, 3);
    let said = said_later(&strange, Some(whole));
    assert_eq!(said["evidence"]["suppressed"], 3);
    assert!(
        said["summary"]
            .as_str()
            .unwrap()
            .starts_with("eth0 came up")
    );
}
