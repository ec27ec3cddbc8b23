//! What is said of router advertisements where the values that the kernel tests
//! could not be read, where nothing could be looked up, and of messages that are
//! cut or hostile: no guest produces that on demand.

use serde_json::{Value, json};
use v6trace::{
    families::advertisement::{DefaultRoute, Standing, Taker},
    record::Record,
};
use v6trace_common::families::advertisement::{
    self, ADDRESSES_COMPLETE, AdvertisedAddressRefused, IDENTIFIER_READ, LINK_LOCAL_USABLE,
    MTU_READ, OWN_SOURCE, ROUTE_INFO_READ, RouterAdvertisement, RouterMessageIgnored,
    STABLE_SECRET_SET, STILL_IGNORED, SYSCTLS_READ, SolicitationsUnanswered, TOKEN_SET,
};
use zerocopy::FromZeros as _;

use crate::stream::{self, GUEST, diagnoses, diagnosis};

const ETH0: [u8; 16] = *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0";
const IFINDEX: u32 = 2;
/// 2001:db8:7::/64, with the flags L and A.
const PREFIX: [u8; 32] = [
    3, 4, 64, 0xc0, 0, 0, 7, 8, 0, 0, 3, 0, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0,
];

/// A frame from fe80::53 with this message.
fn frame(message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x53, 0x86, 0xdd];
    bytes.extend([0x60, 0, 0, 0, 0, 0, 58, 255, 0xfe, 0x80]);
    bytes.extend([0; 13]);
    bytes.push(0x53);
    bytes.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    bytes.extend(message);
    bytes
}

/// An advertisement of a default router, with options, that eth0 heeds.
pub(crate) fn advertisement(options: &[u8]) -> RouterAdvertisement {
    let mut message = vec![134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    message.extend(options);
    let bytes = frame(&message);
    let mut wire = RouterAdvertisement::new_zeroed();
    let copied = bytes.len().min(wire.frame.bytes.len() - 8);
    wire.frame.bytes[..copied].copy_from_slice(&bytes[..copied]);
    wire.frame.copied = copied.try_into().unwrap();
    wire.frame.length = bytes.len().try_into().unwrap();
    (wire.frame.network, wire.frame.transport) = (14, 54);
    (wire.interface, wire.ifindex, wire.mtu) = (ETH0, IFINDEX, 1500);
    wire.accept_ra = 1;
    wire.accept_ra_defrtr = 1;
    wire.accept_ra_pinfo = 1;
    wire.accept_ra_min_hop_limit = 1;
    wire.accept_ra_mtu = 1;
    wire.autoconf = 1;
    wire.accept_ra_rtr_pref = 1;
    wire.read = SYSCTLS_READ | ROUTE_INFO_READ | MTU_READ;
    wire
}

fn record(wire: &RouterAdvertisement) -> Record {
    let header = stream::header::<RouterAdvertisement>(advertisement::ADVERTISEMENT, GUEST);
    stream::kernel(header, wire)
}

/// What eth0 has from others.
fn standing(addresses: &[&str], routes: Option<&[u8]>, taker: bool) -> Record {
    let route = |&protocol: &u8| DefaultRoute {
        gateway: Some("fe80::1".parse().unwrap()),
        protocol,
    };
    Standing {
        boot_ns: stream::EVENT_NS,
        netns: GUEST,
        ifindex: IFINDEX,
        addresses: addresses
            .iter()
            .map(|one| (one.parse().unwrap(), 64))
            .collect(),
        default_routes: routes.map(|routes| routes.iter().map(route).collect()),
        master: None,
        taker: taker.then(|| Taker {
            pid: 411,
            comm: "systemd-network".to_owned(),
        }),
    }
    .into()
}

#[test]
fn what_is_heeded_is_not_worth_a_word() {
    assert_eq!(diagnosis([record(&advertisement(&PREFIX))]), Value::Null);
}

#[test]
fn without_what_decides_nothing_is_claimed() {
    let mut wire = advertisement(&PREFIX);
    (wire.forwarding, wire.accept_ra, wire.read) = (1, 0, 0);
    assert_eq!(diagnosis([record(&wire)]), Value::Null);
    // What is wrong with the message itself is told all the same.
    let mut wire = advertisement(&[1, 0]);
    wire.read = 0;
    let said = diagnosis([record(&wire)]);
    assert_eq!(said["cause"], "ra-invalid");
    assert_eq!(said["evidence"]["reason"], "options");
}

#[test]
fn an_identifier_is_missed_where_there_is_nothing_to_make_one_of() {
    const READ: u32 = IDENTIFIER_READ | ADDRESSES_COMPLETE;
    const PPP: u16 = 512;
    let reason = |device_type, mode, read| {
        let mut wire = advertisement(&PREFIX);
        (wire.device_type, wire.addr_gen_mode) = (device_type, mode);
        wire.read |= read;
        diagnosis([record(&wire)])["evidence"]["reason"].clone()
    };
    assert_eq!(reason(PPP, 0, READ), "identifier");
    // Without a secret the mode makes none.
    assert_eq!(reason(PPP, 3, READ), "identifier");
    assert_eq!(reason(PPP, 0, READ | STABLE_SECRET_SET), "identifier");
    for (device_type, mode, read) in [
        (PPP, 3, READ | STABLE_SECRET_SET),
        (PPP, 0, READ | TOKEN_SET),
        (PPP, 0, READ | LINK_LOCAL_USABLE),
        // There may be a link-local one among those that were not looked at.
        (PPP, 0, IDENTIFIER_READ),
        (PPP, 0, ADDRESSES_COMPLETE),
        // Ethernet, and a tunnel of which it is not known.
        (1, 1, READ),
        (776, 0, READ),
    ] {
        assert_eq!(
            reason(device_type, mode, read),
            Value::Null,
            "{device_type}"
        );
    }
}

#[test]
fn an_option_of_the_wrong_length_is_told_by_the_link() {
    let reason = |device_type, addr_len, units: u8, read| {
        let mut options = vec![1, units];
        options.resize(usize::from(units) * 8, 0);
        options.extend(PREFIX);
        let mut wire = advertisement(&options);
        (wire.device_type, wire.addr_len) = (device_type, addr_len);
        wire.read |= read;
        diagnosis([record(&wire)])["evidence"]["reason"].clone()
    };
    for (device_type, addr_len, fits) in [(1, 6, 1), (32, 20, 3), (0xfffe, 0, 1), (805, 8, 2)] {
        for units in 1..5 {
            let wanted: Value = if units == fits {
                Value::Null
            } else {
                "source-option".into()
            };
            let said = reason(device_type, addr_len, units, IDENTIFIER_READ | TOKEN_SET);
            assert_eq!(said, wanted, "{device_type}, {units}");
        }
        assert_eq!(reason(device_type, addr_len, 4, 0), Value::Null);
    }
}

/// What the kernel would not have made an address of anyway is not missed; without a
/// neighbour entry it does not look at the option.
#[test]
fn an_option_of_the_wrong_length_may_cost_nothing() {
    let said = |change: &dyn Fn(&mut RouterAdvertisement)| {
        let mut options = vec![1, 2];
        options.resize(16, 0);
        options.extend(PREFIX);
        let mut wire = advertisement(&options);
        (wire.device_type, wire.addr_len) = (1, 6);
        wire.read |= IDENTIFIER_READ | ADDRESSES_COMPLETE;
        change(&mut wire);
        let said = diagnoses([standing(&[], Some(&[9]), false), record(&wire)]);
        let of_option = |one: &&Value| one["cause"] == "ra-invalid";
        let said = said.iter().find(of_option).cloned().unwrap_or_default();
        (said["severity"].clone(), said["confidence"].clone())
    };
    let both = |severity: &str, confidence: &str| (json!(severity), json!(confidence));
    assert_eq!(said(&|_| {}), both("failure", "certain"));
    assert_eq!(said(&|wire| wire.autoconf = 0), both("notice", "certain"));
    let pinfo = said(&|wire| wire.accept_ra_pinfo = 0);
    assert_eq!(pinfo, both("notice", "certain"));
    // Behind the option's 16 bytes, the prefix has 60 bits.
    let length = said(&|wire| wire.frame.bytes[54 + 16 + 16 + 2] = 60);
    assert_eq!(length, both("notice", "certain"));
    let defrtr = said(&|wire| wire.accept_ra_defrtr = 0);
    assert_eq!(defrtr, both("failure", "likely"));
    let lowpan = said(&|wire| wire.device_type = 825);
    assert_eq!(lowpan, (Value::Null, Value::Null));
}

#[test]
fn only_an_interface_that_has_nothing_from_anybody_fails() {
    let mut wire = advertisement(&PREFIX);
    (wire.accept_ra, wire.read) = (0, wire.read | STILL_IGNORED);
    let severity = |before: Record, wire: &RouterAdvertisement| {
        let said = diagnosis([before, record(wire)]);
        assert_eq!(said["cause"], "ra-ignored-accept-ra");
        assert_eq!(said["confidence"], "certain");
        said["severity"].as_str().unwrap().to_owned()
    };
    assert_eq!(severity(standing(&[], Some(&[]), false), &wire), "failure");
    // It is told already that the interface ignores it.
    for not_lost in [
        standing(&["2001:db8::5"], Some(&[]), false),
        standing(&["2001:db8::5"], None, false),
        standing(&[], Some(&[4]), false),
        // What could not be looked up may be there.
        standing(&[], None, false),
    ] {
        assert_eq!(diagnosis([not_lost, record(&wire)]), Value::Null);
    }
    assert_eq!(diagnosis([record(&wire)]), Value::Null);
    // Whoever set accept_ra to 0 has not had the time yet to take over.
    wire.read &= !STILL_IGNORED;
    assert_eq!(severity(standing(&[], Some(&[]), false), &wire), "notice");
    // Nobody is about to where it forwards, and would heed advertisements else.
    (wire.forwarding, wire.accept_ra) = (1, 1);
    let lost = diagnosis([standing(&[], Some(&[]), false), record(&wire)]);
    assert_eq!(lost["severity"], "failure");
    let kept = diagnosis([standing(&["2001:db8::5"], None, false), record(&wire)]);
    assert_eq!(kept["severity"], "notice");
    assert_eq!(diagnosis([record(&wire)])["severity"], "notice");
}

#[test]
fn whoever_takes_advertisements_may_act_on_them() {
    let mut wire = advertisement(&PREFIX);
    (wire.accept_ra, wire.taker, wire.takers) = (0, 4711, 1);
    for (known, who) in [(true, "systemd-network[411]"), (false, "raw ICMPv6 socket")] {
        let said = diagnosis([standing(&[], Some(&[]), known), record(&wire)]);
        assert_eq!(said["severity"], "notice");
        let summary = said["summary"].as_str().unwrap();
        assert!(summary.contains(who), "{summary}");
    }
}

#[test]
fn the_same_is_said_once_and_again_after_a_change() {
    let mut ignored = advertisement(&PREFIX);
    (ignored.forwarding, ignored.accept_ra) = (1, 1);
    let heeded = advertisement(&PREFIX);
    let mut other = ignored;
    other.frame.bytes[14 + 23] = 0x54;
    let said = diagnoses([
        record(&ignored),
        record(&ignored),
        record(&other),
        record(&heeded),
        record(&ignored),
    ]);
    let routers: Vec<_> = said.iter().map(|one| &one["evidence"]["router"]).collect();
    assert_eq!(routers, ["fe80::53", "fe80::54", "fe80::53"]);
}

#[test]
fn what_a_router_hears_of_itself_is_not_worth_a_word() {
    let mut wire = advertisement(&PREFIX);
    (wire.forwarding, wire.read) = (1, wire.read | OWN_SOURCE);
    // Somebody else's, from the same address.
    assert_eq!(diagnosis([record(&wire)])["cause"], "ra-ignored-forwarding");
    wire.frame.bytes.copy_within(14.., 0);
    (wire.frame.network, wire.frame.transport) = (0, 40);
    wire.frame.copied -= 14;
    wire.frame.length -= 14;
    assert_eq!(diagnosis([record(&wire)]), Value::Null);
}

#[test]
fn several_matters_of_one_advertisement_are_told_in_the_kernels_order() {
    let mut options = vec![24, 2, 48, 0, 0, 0, 0, 90, 0xfd, 0, 0, 5, 0, 0, 0, 0];
    let mut prefix = PREFIX;
    prefix[2] = 60;
    options.extend(prefix);
    options.extend([5, 1, 0, 0, 0, 0, 0x23, 0x28]);
    let mut wire = advertisement(&options);
    wire.accept_ra_min_hop_limit = 128;
    let said = diagnoses([record(&wire)]);
    let causes: Vec<_> = said.iter().map(|one| &one["cause"]).collect();
    assert_eq!(
        causes,
        [
            "ra-hop-limit-ignored",
            "ra-route-information-ignored",
            "slaac-no-address",
            "ra-mtu-ignored"
        ]
    );
}

#[test]
fn many_bad_prefixes_are_counted() {
    let mut options = Vec::new();
    for n in 0..20 {
        let mut prefix = PREFIX;
        (prefix[2], prefix[21]) = (48, n);
        options.extend(prefix);
    }
    let said = diagnoses([record(&advertisement(&options))]);
    assert_eq!(said.len(), 8);
    assert_eq!(said[7]["evidence"]["more"], 12);
    assert_eq!(said[0]["evidence"]["more"], Value::Null);
}

#[test]
fn what_was_not_copied_is_no_fault() {
    // Of more than a record has room for.
    let options: Vec<u8> = std::iter::repeat_n(PREFIX, 40).flatten().collect();
    assert_eq!(diagnosis([record(&advertisement(&options))]), Value::Null);
}

#[test]
fn messages_that_are_not_what_they_are_said_to_be_are_not_explained() {
    let header = || stream::header::<RouterMessageIgnored>(advertisement::RECEIVED, GUEST);
    let mut wire = RouterMessageIgnored::new_zeroed();
    assert_eq!(diagnosis([stream::kernel(header(), &wire)]), Value::Null);
    let bytes = frame(&[137, 0, 0, 0, 0, 0, 0, 0]);
    wire.frame.bytes[..bytes.len()].copy_from_slice(&bytes);
    wire.frame.copied = bytes.len().try_into().unwrap();
    wire.frame.length = wire.frame.copied;
    (wire.frame.network, wire.frame.transport) = (14, 54);
    (wire.interface, wire.ifindex) = (ETH0, IFINDEX);
    // The sysctls could not be read.
    assert_eq!(diagnosis([stream::kernel(header(), &wire)]), Value::Null);
    wire.read_sysctls = SYSCTLS_READ;
    let said = diagnosis([stream::kernel(header(), &wire)]);
    assert_eq!(said["cause"], "redirect-ignored");
    assert_eq!(said["address"], Value::Null);
    assert_eq!(said["evidence"]["reason"], "accept-redirects");
}

#[test]
fn a_refusal_that_no_value_decides_is_likely() {
    let header = || stream::header::<AdvertisedAddressRefused>(advertisement::PREFIX, GUEST);
    let mut wire = AdvertisedAddressRefused::new_zeroed();
    (wire.interface, wire.ifindex, wire.ret) = (ETH0, IFINDEX, -1);
    (wire.addresses, wire.max_addresses) = (3, 16);
    for (read, max) in [(0, Value::Null), (SYSCTLS_READ, json!(16))] {
        wire.read_sysctls = read;
        let said = diagnosis([stream::kernel(header(), &wire)]);
        assert_eq!(said["cause"], "slaac-no-address");
        assert_eq!(said["confidence"], "likely");
        assert_eq!(said["evidence"]["max_addresses"], max);
        assert_eq!(said["fix"], json!([]));
    }
    // No limit.
    wire.max_addresses = 0;
    let said = diagnosis([stream::kernel(header(), &wire)]);
    assert_eq!(said["evidence"]["reason"], "not-added");
    wire.max_addresses = 3;
    let said = diagnosis([stream::kernel(header(), &wire)]);
    assert_eq!(said["evidence"]["reason"], "max-addresses");
    assert_eq!(said["confidence"], "certain");
}

#[test]
fn a_port_of_a_bridge_waits_in_vain_by_design() {
    let header = || stream::header::<SolicitationsUnanswered>(advertisement::SOLICITATION, GUEST);
    let mut wire = SolicitationsUnanswered::new_zeroed();
    (wire.interface, wire.ifindex) = (ETH0, IFINDEX);
    (wire.rs_probes, wire.router_solicitations) = (3, -1);
    let said = diagnosis([stream::kernel(header(), &wire)]);
    assert_eq!(said["cause"], "router-silent");
    assert_eq!(said["severity"], "notice");
    let port: Record = Standing {
        boot_ns: stream::EVENT_NS,
        netns: GUEST,
        ifindex: IFINDEX,
        addresses: Vec::new(),
        default_routes: Some(Vec::new()),
        master: Some("br0".to_owned()),
        taker: None,
    }
    .into();
    assert_eq!(
        diagnosis([port, stream::kernel(header(), &wire)]),
        Value::Null
    );
}
