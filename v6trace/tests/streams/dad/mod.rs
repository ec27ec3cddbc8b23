//! Duplicate addresses, as far as no guest produces them on demand: frames that
//! come late, come from elsewhere than expected, or could not be read.

mod stand_ins;

use std::net::Ipv6Addr;

use serde_json::Value;
use v6trace::{
    families::dad::{Interface, Surroundings},
    frame::Mac,
    record::Record,
};
use v6trace_common::{
    Context, RecordHeader, families, families::dad::DadFailure, families::dad::FLAGS_READ,
    families::dad::NONCE_READ, families::dad::RETRIES_READ, families::dad::SYSCTLS_READ,
    neighbour::NeighbourFrame,
};
use zerocopy::FromZeros;

use crate::stream::{self, GUEST, HOST, diagnosis};

const OWN: [u8; 6] = [2, 0, 0, 0, 0, 0xa];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 0xb];
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const PERMANENT: u32 = 0x80;
const STABLE_PRIVACY: u32 = 0x800;
const TEMPORARY: u32 = 0x01;
const OPTIMISTIC: u32 = 0x04;
const DAD_FAILED: u32 = 0x08;
const TENTATIVE: u32 = 0x40;
const NONE: u64 = 0;
/// Where an advertisement has its flags, and the one that owners set.
const FLAGS: usize = 58;
const OVERRIDE: u8 = 0x20;

/// A neighbour message from `source`, with a nonce if it is not 0.
fn frame(source: [u8; 6], message: u8, nonce: u64) -> NeighbourFrame {
    let mut frame = NeighbourFrame::new_zeroed();
    frame.bytes[6..12].copy_from_slice(&source);
    frame.bytes[54] = message;
    if message == ADVERTISEMENT {
        frame.bytes[FLAGS] = OVERRIDE;
    }
    frame.network = 14;
    frame.transport = 54;
    frame.length = 78;
    if nonce != NONE {
        frame.bytes[78..80].copy_from_slice(&[14, 1]);
        frame.bytes[80..86].copy_from_slice(&nonce.to_le_bytes()[..6]);
        frame.length = 86;
    }
    frame.copied = frame.length;
    frame
}

/// A static address whose attempt, with nonce 7, was seen to begin after one
/// with nonce 5.
fn failure(frame: NeighbourFrame) -> DadFailure {
    DadFailure {
        frame,
        address: "2001:db8::a".parse::<Ipv6Addr>().unwrap().octets(),
        interface: *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0",
        own_mac: OWN,
        own_mac_len: 6,
        dad_nonce: 7,
        sent_nonces: [7, 5, 0, 0],
        sent_boot_ns: 3_400_000_000,
        sent_count: 2,
        ifindex: 2,
        prefix_len: 64,
        flags: PERMANENT,
        enhanced_dad: 1,
        all_enhanced_dad: 1,
        accept_dad: 1,
        idgen_retries: 3,
        read: SYSCTLS_READ | FLAGS_READ | NONCE_READ | RETRIES_READ,
        ..DadFailure::new_zeroed()
    }
}

fn interface(ifindex: u32, name: &str, mac: [u8; 6], has_address: bool) -> Interface {
    Interface {
        ifindex,
        name: name.to_owned(),
        mac: Some(Mac(mac)),
        link: None,
        master: None,
        hairpin: false,
        prefix_len: has_address.then_some(64),
        address_flags: PERMANENT,
        anycast: Some(false),
        proxy: Some(false),
    }
}

/// One that has the address under test.
fn tester(ifindex: u32, name: &str, mac: [u8; 6]) -> Interface {
    Interface {
        address_flags: PERMANENT | TENTATIVE,
        ..interface(ifindex, name, mac, true)
    }
}

/// Interfaces around eth0: more of its own namespace, and of v6trace's.
fn around(more: Vec<Interface>, elsewhere: Vec<Interface>) -> Surroundings {
    let mut here = vec![interface(2, "eth0", OWN, true)];
    here.extend(more);
    Surroundings {
        boot_ns: 0,
        netns: GUEST,
        here: Some(here),
        elsewhere: elsewhere
            .into_iter()
            .map(|interface| (HOST, interface))
            .collect(),
        other_end: None,
        bond: None,
        complete: true,
        processes: vec![(GUEST, 812)],
    }
}

fn explain(failure: &DadFailure, surroundings: impl Into<Option<Surroundings>>) -> Value {
    let surroundings = surroundings.into().map(Record::from);
    diagnosis(surroundings.into_iter().chain([record(failure)]))
}

fn record(failure: &DadFailure) -> Record {
    let header = RecordHeader {
        // As where the kernel's symbols do not tell softirqs apart.
        context: Context::Task as u8,
        pid: 99,
        tid: 99,
        comm: *b"bystander\0\0\0\0\0\0\0",
        ..stream::header::<DadFailure>(families::dad::FAILURE, GUEST)
    };
    stream::kernel(header, failure)
}

/// Cause and confidence.
fn verdict(
    failure: &DadFailure,
    surroundings: impl Into<Option<Surroundings>>,
) -> (String, String) {
    let found = explain(failure, surroundings);
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    (text("cause"), text("confidence"))
}

fn is(cause: &str, confidence: &str) -> (String, String) {
    (cause.to_owned(), confidence.to_owned())
}

fn alone() -> Surroundings {
    around(Vec::new(), Vec::new())
}

#[test]
fn the_nonce_of_an_own_frame_decides() {
    let own = |nonce| failure(frame(OWN, SOLICITATION, nonce));
    // Of an earlier attempt: it came late.
    assert_eq!(verdict(&own(5), alone()), is("dad-loopback", "certain"));
    // Never sent, or none where one is sent.
    for nonce in [9, NONE] {
        assert_eq!(
            verdict(&own(nonce), alone()),
            is("dad-conflict-cloned-mac", "certain")
        );
        // Unless nobody watched what was sent.
        let mut unseen = own(nonce);
        unseen.sent_count = 0;
        assert_eq!(
            verdict(&unseen, alone()),
            is("dad-conflict-cloned-mac", "likely")
        );
    }
    // None, where none is sent, or was.
    let mut off = own(NONE);
    off.dad_nonce = NONE;
    off.sent_nonces = [NONE; 4];
    assert_eq!(verdict(&off, alone()), is("dad-loopback", "likely"));
    let mut was_off = own(NONE);
    was_off.sent_nonces = [7, NONE, 0, 0];
    assert_eq!(verdict(&was_off, alone()), is("dad-loopback", "likely"));
}

#[test]
fn without_nonces_a_clone_at_hand_is_likelier_than_a_reflection() {
    let mut off = failure(frame(OWN, SOLICITATION, NONE));
    off.dad_nonce = NONE;
    off.sent_nonces = [NONE; 4];
    let beside = |other: Interface| verdict(&off, around(Vec::new(), vec![other]));
    assert_eq!(
        beside(tester(5, "tap0", OWN)),
        is("dad-conflict-cloned-mac", "likely")
    );
    // Who has the address does not ask for it.
    for has_address in [true, false] {
        assert_eq!(
            beside(interface(5, "tap0", OWN, has_address)),
            is("dad-loopback", "likely")
        );
    }
    // VLANs have the MAC of their port, and mostly its fe80 address.
    let vlan = |vlan| verdict(&off, around(vec![vlan], Vec::new()));
    assert_eq!(
        vlan(tester(3, "eth0.7", OWN)),
        is("dad-conflict-same-host", "likely")
    );
    assert_eq!(
        vlan(interface(3, "eth0.7", OWN, true)),
        is("dad-loopback", "likely")
    );
}

#[test]
fn another_interface_is_certain_only_with_the_address() {
    let other = |mac, has_address| {
        let more = vec![interface(3, "eth0.7", mac, has_address)];
        let frame = frame(mac, ADVERTISEMENT, NONE);
        verdict(&failure(frame), Some(around(more, Vec::new())))
    };
    assert_eq!(other(OTHER, true), is("dad-conflict-same-host", "certain"));
    assert_eq!(other(OTHER, false), is("dad-conflict-same-host", "likely"));
    // VLANs of one port share its MAC.
    assert_eq!(other(OWN, true), is("dad-conflict-same-host", "likely"));
    assert_eq!(other(OWN, false), is("dad-conflict-cloned-mac", "likely"));
    // A clone at hand has it as well.
    let vlan = vec![interface(3, "eth0.7", OWN, true)];
    let clone = vec![interface(5, "tap0", OWN, true)];
    assert_eq!(
        verdict(
            &failure(frame(OWN, ADVERTISEMENT, NONE)),
            around(vlan, clone)
        ),
        is("dad-conflict-cloned-mac", "likely")
    );
}

#[test]
fn an_interface_without_the_address_gives_way_to_one_with_it() {
    const VIRTUAL: [u8; 6] = [0, 0, 0x5e, 0, 2, 51];
    let backup = || vec![interface(3, "vrrp.51", OTHER, false)];
    let said = failure(frame(OTHER, ADVERTISEMENT, NONE));
    let owner = vec![interface(5, "eth5", OTHER, true)];
    let found = explain(&said, around(backup(), owner));
    assert_eq!(found["cause"], "dad-conflict");
    assert_eq!(found["evidence"]["other_interface"], "eth5");
    // Of a virtual router's backup it is known that it does not answer.
    let said = failure(frame(VIRTUAL, ADVERTISEMENT, NONE));
    let backup = vec![interface(3, "vrrp.51", VIRTUAL, false)];
    assert_eq!(
        verdict(&said, around(backup, Vec::new())),
        is("dad-conflict", "likely")
    );
    let master = vec![interface(3, "vrrp.51", VIRTUAL, true)];
    assert_eq!(
        verdict(&said, around(master, Vec::new())),
        is("dad-conflict-same-host", "certain")
    );
}

#[test]
fn who_failed_its_own_test_neither_has_the_address_nor_surely_asks_for_it() {
    let failed = || Interface {
        address_flags: PERMANENT | TENTATIVE | DAD_FAILED,
        ..interface(3, "eth1", OTHER, true)
    };
    let by = |failure: &DadFailure| explain(failure, around(vec![failed()], Vec::new()));
    let said = by(&failure(frame(OTHER, ADVERTISEMENT, NONE)));
    assert_eq!(said["confidence"], "likely");
    assert!(said["summary"].to_string().contains("but not in force"));
    let mut asked = failure(frame(OTHER, SOLICITATION, NONE));
    asked.dad_nonce = NONE;
    asked.sent_nonces = [NONE; 4];
    let asked = by(&asked);
    assert_eq!(asked["confidence"], "likely");
    assert!(
        asked["summary"]
            .to_string()
            .contains("own test of the address failed")
    );
}

#[test]
fn through_a_port_that_reflects_ones_own_comes_back() {
    let mut off = failure(frame(OWN, SOLICITATION, NONE));
    off.dad_nonce = NONE;
    off.sent_nonces = [NONE; 4];
    // The VLAN tests the same address at the same time.
    let mut reflecting = around(vec![tester(3, "eth0.7", OWN)], Vec::new());
    assert_eq!(
        verdict(&off, reflecting.clone()),
        is("dad-conflict-same-host", "likely")
    );
    let mut port = interface(9, "to-guest", OTHER, false);
    port.hairpin = true;
    port.link = Some(2);
    port.master = Some("br0".to_owned());
    reflecting.elsewhere.push((HOST, port));
    reflecting.other_end = Some((HOST, 9));
    assert_eq!(verdict(&off, reflecting), is("dad-loopback", "likely"));
}

#[test]
fn who_has_the_address_in_force_is_not_said_to_ask_for_it() {
    let mut asked = failure(frame(OTHER, SOLICITATION, NONE));
    asked.dad_nonce = NONE;
    asked.sent_nonces = [NONE; 4];
    let by = |sibling| verdict(&asked, around(vec![sibling], Vec::new()));
    assert_eq!(
        by(tester(3, "eth1", OTHER)),
        is("dad-conflict-same-host", "certain")
    );
    assert_eq!(
        by(interface(3, "eth1", OTHER, true)),
        is("dad-conflict-same-host", "likely")
    );
}

#[test]
fn interfaces_that_could_not_be_listed_leave_a_doubt() {
    let foreign = failure(frame(OTHER, ADVERTISEMENT, NONE));
    assert_eq!(verdict(&foreign, alone()), is("dad-conflict", "certain"));
    assert_eq!(verdict(&foreign, None), is("dad-conflict", "likely"));
}

#[test]
fn a_frame_that_says_nothing_is_not_explained() {
    let unread = failure(NeighbourFrame::new_zeroed());
    assert_eq!(verdict(&unread, alone()), is("dad-unexplained", "likely"));
    let mut tunnel = failure(frame(OTHER, ADVERTISEMENT, NONE));
    tunnel.own_mac_len = 4;
    assert_eq!(verdict(&tunnel, alone()), is("dad-unexplained", "likely"));
}

#[test]
fn bystanders_are_not_blamed_and_commands_find_their_namespace() {
    let found = explain(
        &failure(frame(OTHER, ADVERTISEMENT, NONE)),
        Some(around(Vec::new(), vec![interface(5, "eth7", OTHER, true)])),
    );
    assert_eq!(found["pid"], Value::Null);
    assert_eq!(found["evidence"]["other_netns"], HOST);
    let fixes = found["fix"].to_string();
    for fix in [
        "\"ip address del 2001:db8::a/64 dev eth7",
        "\"nsenter -t 812 -n ip address add 2001:db8::a/64 dev eth0",
    ] {
        assert!(fixes.contains(fix), "{fix} is missing in {fixes}");
    }
}

/// A frame with a nonce that an interface of this host was seen to send.
fn sent_by(source: [u8; 6], netns: u32, ifindex: u32, name: &[u8]) -> DadFailure {
    let mut failure = failure(frame(source, SOLICITATION, 9));
    failure.sender_boot_ns = 3_481_000_000;
    failure.sender_netns = netns;
    failure.sender_ifindex = ifindex;
    failure.sender_interface[..name.len()].copy_from_slice(name);
    failure
}

#[test]
fn who_sent_a_nonce_is_known_whatever_the_mac() {
    for source in [OWN, OTHER] {
        let sibling = sent_by(source, GUEST, 3, b"eth0.7");
        let found = explain(&sibling, alone());
        assert_eq!(found["cause"], "dad-conflict-same-host", "{found}");
        assert_eq!(found["confidence"], "certain", "{found}");
        assert_eq!(found["evidence"]["other_interface"], "eth0.7");
        assert_eq!(found["evidence"]["nonce_sender"], "eth0.7");
        // Its name by now, where it was looked up.
        let renamed = vec![interface(3, "vlan7", OWN, true)];
        let found = explain(&sibling, around(renamed, Vec::new()));
        assert_eq!(found["evidence"]["other_interface"], "vlan7");
        assert!(
            found["fix"]
                .to_string()
                .contains("address del 2001:db8::a/64 dev vlan7"),
            "{found}"
        );

        let elsewhere = sent_by(source, HOST, 5, b"eth5");
        let found = explain(&elsewhere, alone());
        let cause = if source == OWN {
            "dad-conflict-cloned-mac"
        } else {
            "dad-conflict"
        };
        assert_eq!(found["cause"], cause, "{found}");
        assert_eq!(found["confidence"], "certain", "{found}");
        assert_eq!(found["evidence"]["other_netns"], HOST);

        let own = sent_by(source, GUEST, 2, b"eth0");
        assert_eq!(verdict(&own, alone()), is("dad-loopback", "certain"));
    }
}

#[test]
fn a_nonce_that_nobody_was_seen_to_send_leaves_interfaces_with_the_mac() {
    let vlan = || around(vec![tester(3, "eth0.7", OWN)], Vec::new());
    let mut own = failure(frame(OWN, SOLICITATION, 9));
    // What this host sends is seen, once this attempt was.
    assert_eq!(
        verdict(&own, vlan()),
        is("dad-conflict-cloned-mac", "certain")
    );
    own.sent_count = 0;
    assert_eq!(
        verdict(&own, vlan()),
        is("dad-conflict-same-host", "likely")
    );
    // Without a nonce it may be anybody's.
    let none = failure(frame(OWN, SOLICITATION, NONE));
    assert_eq!(
        verdict(&none, vlan()),
        is("dad-conflict-same-host", "likely")
    );
    // The other interface would have been seen to send it, MAC or not.
    let foreign = failure(frame(OTHER, SOLICITATION, 9));
    let sibling = around(vec![tester(3, "eth1", OTHER)], Vec::new());
    assert_eq!(
        verdict(&foreign, sibling),
        is("dad-conflict-same-host", "likely")
    );
}

#[test]
fn an_optimistic_address_is_advertised_while_it_is_tested() {
    let mut own = failure(frame(OWN, ADVERTISEMENT, NONE));
    own.flags = PERMANENT | OPTIMISTIC;
    assert_eq!(verdict(&own, alone()), is("dad-loopback", "likely"));
    // Unless the node that has the MAC and the address is at hand.
    let clone = vec![interface(5, "eth5", OWN, true)];
    assert_eq!(
        verdict(&own, around(Vec::new(), clone)),
        is("dad-conflict-cloned-mac", "likely")
    );
}

#[test]
fn a_virtual_routers_mac_is_cloned_on_purpose() {
    const VIRTUAL: [u8; 6] = [0, 0, 0x5e, 0, 2, 51];
    let mut own = failure(frame(VIRTUAL, SOLICITATION, 9));
    own.own_mac = VIRTUAL;
    let found = explain(&own, alone());
    assert_eq!(found["cause"], "dad-conflict-cloned-mac");
    let [summary, fixes] = ["summary", "fix"].map(|name| found[name].to_string());
    assert!(summary.contains("VRRP virtual router 51"), "{summary}");
    assert!(fixes.contains("virtual router 51"), "{fixes}");
    assert!(!fixes.contains("another MAC"), "{fixes}");
}

#[test]
fn a_place_is_claimed_only_with_the_address() {
    let foreign = failure(frame(OTHER, ADVERTISEMENT, NONE));
    let at = |prefix_len| {
        let mut other = interface(5, "eth5", OTHER, true);
        other.prefix_len = prefix_len;
        explain(&foreign, around(Vec::new(), vec![other]))
    };
    let found = at(Some(128));
    let fixes = found["fix"].to_string();
    assert!(
        fixes.contains("address del 2001:db8::a/128 dev eth5"),
        "{fixes}"
    );
    let found = at(None);
    let [summary, fixes] = ["summary", "fix"].map(|name| found[name].to_string());
    assert!(summary.contains("does not have the address now"), "{found}");
    assert!(!fixes.contains("dev eth5"), "{fixes}");
    assert!(fixes.contains("bridge fdb show"), "{fixes}");
}

#[test]
fn what_was_not_looked_into_is_said() {
    let foreign = failure(frame(OTHER, ADVERTISEMENT, NONE));
    let mut part = alone();
    part.complete = false;
    let found = explain(&foreign, part);
    let summary = found["summary"].as_str().unwrap();
    assert!(
        summary.contains("not all could be looked into"),
        "{summary}"
    );
}

#[test]
fn only_the_bridge_at_the_other_end_reflects() {
    let mut late = failure(frame(OWN, SOLICITATION, NONE));
    late.dad_nonce = NONE;
    late.sent_nonces = [NONE; 4];
    // Two ports in hairpin mode of the same index, in two namespaces.
    let ports = |other_end| {
        let mut around = alone();
        for (netns, name) in [(HOST, "p0"), (HOST + 1, "p1")] {
            let mut port = interface(7, name, OTHER, false);
            port.link = Some(2);
            port.master = Some("br0".to_owned());
            port.hairpin = true;
            around.elsewhere.push((netns, port));
        }
        around.other_end = other_end;
        explain(&late, around)["evidence"]["bridge_port"].clone()
    };
    assert_eq!(ports(Some((HOST + 1, 7))), "p1");
    assert_eq!(ports(Some((HOST + 2, 7))), Value::Null);
    assert_eq!(ports(None), Value::Null);
}

#[test]
fn the_first_address_of_a_prefix_belongs_to_routers() {
    let fixes = |flags, around| {
        let mut first = failure(frame(OTHER, ADVERTISEMENT, NONE));
        first.frame.bytes[FLAGS] = flags;
        first.address[15] = 0;
        let found = explain(&first, around);
        assert_eq!(found["evidence"]["override"], flags == OVERRIDE);
        found["fix"].to_string()
    };
    let anycast = fixes(0, alone());
    assert!(anycast.contains("subnet-router-anycast"), "{anycast}");
    // Who overrides what others know has the address itself.
    let owner = fixes(OVERRIDE, alone());
    assert!(!owner.contains("subnet-router-anycast"), "{owner}");
    let known = around(Vec::new(), vec![interface(5, "eth5", OTHER, true)]);
    let known = fixes(0, known);
    assert!(!known.contains("subnet-router-anycast"), "{known}");
    assert!(known.contains("dev eth5"), "{known}");
}

#[test]
fn what_becomes_of_the_address_follows_its_flags() {
    let fate = |flags, retry| {
        let mut lost = failure(frame(OTHER, ADVERTISEMENT, NONE));
        lost.flags = flags;
        lost.stable_privacy_retry = retry;
        let found = explain(&lost, alone());
        let summary = found["summary"].as_str().unwrap().to_owned();
        let fixes = found["fix"].to_string();
        for again in [
            "sysctl -w net/ipv6/conf/eth0/use_tempaddr=2",
            "sysctl -w net/ipv6/conf/eth0/regen_max_retry=10",
        ] {
            assert_eq!(fixes.contains(again), flags & TEMPORARY != 0, "{fixes}");
        }
        (found["evidence"]["address_deleted"].clone(), summary)
    };
    let (deleted, summary) = fate(TEMPORARY, 0);
    assert_eq!(deleted, true);
    assert!(summary.contains("use_tempaddr of"), "{summary}");
    let (deleted, summary) = fate(STABLE_PRIVACY, 1);
    assert_eq!(deleted, true);
    assert!(summary.contains("2 of 3"), "{summary}");
    let (deleted, summary) = fate(PERMANENT | STABLE_PRIVACY, 3);
    assert_eq!(deleted, false);
    assert!(summary.contains("no more"), "{summary}");
}
