//! What is said of packets that are not passed on where nothing was looked up or seen, of
//! errors that no packet of a guest's calls for, and where names are hostile.

use serde_json::{Value, json};
use v6trace::{coverage::Status, families::transit::Onward, record::Record};
use v6trace_common::{
    Context, Hook,
    families::{
        outgoing::ROUTE,
        transit::{
            ERROR, ERROR_ROUTE, ERROR_SENT, FORWARD, NOT_LOOKED_UP, NOT_ROUTED, NOT_SENT,
            NotForwarded, Packet, PacketDropped, TOLD,
        },
    },
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, HOST, diagnosis};

/// ICMPv6 types, and the protocols of packets.
const UNREACHABLE: u32 = 1;
const TOO_BIG: u32 = 2;
const TIME_EXCEEDED: u32 = 3;
const UDP: u32 = 17;
const FRAGMENT: u32 = 44;
const ICMPV6: u32 = 58;

fn name(text: &str) -> [u8; 16] {
    let mut name = [0; 16];
    name[..text.len()].copy_from_slice(text.as_bytes());
    name
}

/// A session that watches these.
fn watching(hooks: &[Hook]) -> Record {
    stream::covering(hooks, Status::Attached)
}

/// A packet from fd00:: to fd01:: that came in by an interface of this name.
fn packet(interface: &str) -> Packet {
    let mut packet = Packet {
        interface: name(interface),
        out_interface: name("eth1"),
        ifindex: 2,
        out_ifindex: 3,
        length: 1448,
        hop_limit: 64,
        next_header: UDP,
        ..Packet::new_zeroed()
    };
    packet.source[0] = 0xfd;
    packet.destination[..2].copy_from_slice(&[0xfd, 1]);
    packet
}

/// A packet from fd00::2 to fd01::9 by eth0, from a link that is no Ethernet, whose sender
/// was to be told.
fn dropped(message_type: u32, told: u32, ret: i32) -> PacketDropped {
    let mut packet = packet("eth0; reboot");
    packet.source[15] = 2;
    packet.destination[15] = 9;
    PacketDropped {
        packet,
        inner_type: -1,
        message_type,
        mtu: 1400,
        told,
        ret,
        limited: 1,
        ..PacketDropped::new_zeroed()
    }
}

fn record(dropped: &PacketDropped) -> Record {
    let mut header = stream::header::<PacketDropped>(ERROR, HOST);
    header.context = Context::Softirq as u8;
    stream::kernel(header, dropped)
}

/// With everything watched.
fn said(dropped: &PacketDropped) -> Value {
    let all = [ERROR, ERROR_ROUTE, ERROR_SENT, ROUTE];
    diagnosis([watching(&all), record(dropped)])
}

#[test]
fn what_was_not_watched_is_not_taken_for_unsent() {
    let untold = record(&dropped(TOO_BIG, NOT_ROUTED, -101));
    for hooks in [&[ERROR, ERROR_SENT][..], &[ERROR, ERROR_ROUTE], &[ERROR]] {
        let said = diagnosis([watching(hooks), untold.clone()]);
        assert_eq!(said, Value::Null, "{hooks:?}");
        // Of a packet whose hops are used up the error is the lesser part.
        let expired = record(&dropped(TIME_EXCEEDED, NOT_ROUTED, -101));
        let said = diagnosis([watching(hooks), expired]);
        assert_eq!(said["cause"], "hop-limit-exceeded", "{hooks:?}");
        assert_eq!(said["evidence"]["told"], Value::Null, "{hooks:?}");
    }
    // What the limit looks up is watched by another hook.
    let hooks = [ERROR, ERROR_ROUTE, ERROR_SENT];
    let held = record(&dropped(TOO_BIG, NOT_LOOKED_UP, 0));
    assert_eq!(diagnosis([watching(&hooks), held]), Value::Null);
    let expired = record(&dropped(TIME_EXCEEDED, NOT_LOOKED_UP, 0));
    let said = diagnosis([watching(&hooks), expired]);
    assert_eq!(said["evidence"]["told"], Value::Null);
}

#[test]
fn the_errno_says_why_an_error_does_not_leave() {
    for (ret, errno, says, fixes) in [
        (
            -101,
            "ENETUNREACH",
            "no route for what it sends to fd00::2",
            1,
        ),
        (-99, "EADDRNOTAVAIL", "no address", 0),
        (-113, "EHOSTUNREACH", "rejects", 0),
        (-13, "EACCES", "rejects", 0),
        (-22, "EINVAL", "rejects", 0),
        (-12, "ENOMEM", "finds no way", 0),
    ] {
        for (kind, cause, severity) in [
            (TOO_BIG, "too-big-untold", "failure"),
            (TIME_EXCEEDED, "no-way-back", "notice"),
            (UNREACHABLE, "no-way-back", "notice"),
        ] {
            let said = said(&dropped(kind, NOT_ROUTED, ret));
            assert_eq!(said["cause"], cause);
            assert_eq!(said["severity"], severity);
            assert_eq!(said["confidence"], "certain");
            assert_eq!(said["errno"], errno);
            assert_eq!(said["comm"], Value::Null);
            assert_eq!(said["evidence"]["mac"], Value::Null);
            let summary = said["summary"].as_str().unwrap();
            assert!(summary.contains(says), "{summary}");
            assert_eq!(said["fix"].as_array().unwrap().len(), fixes, "{said}");
        }
    }
}

#[test]
fn the_error_is_named_by_its_code() {
    for (code, says) in [
        (0, "(no route to destination)"),
        (1, "(administratively prohibited)"),
        (3, "(address unreachable)"),
        (6, "(destination unreachable, code 6)"),
    ] {
        let mut dropped = dropped(UNREACHABLE, NOT_ROUTED, -101);
        dropped.code = code;
        let said = said(&dropped);
        let summary = said["summary"].as_str().unwrap();
        assert!(summary.contains(says), "{summary}");
    }
}

#[test]
fn a_packet_that_fits_was_not_too_big() {
    let mut dropped = dropped(TOO_BIG, NOT_ROUTED, -101);
    dropped.packet.length = dropped.mtu;
    assert_eq!(said(&dropped), Value::Null);
}

#[test]
fn a_name_is_no_command() {
    let said = said(&dropped(TOO_BIG, NOT_ROUTED, -101));
    let fix = said["fix"][0].as_str().unwrap();
    assert!(fix.contains("dev 'eth0; reboot'"), "{fix}");
}

#[test]
fn only_the_rate_limit_is_known_to_hold_errors_back() {
    let with = |change: fn(&mut PacketDropped)| {
        let mut dropped = dropped(TOO_BIG, NOT_LOOKED_UP, 0);
        change(&mut dropped);
        said(&dropped)
    };
    let held = with(|_| ());
    assert_eq!(held["cause"], "too-big-untold");
    assert_eq!(held["confidence"], "likely");
    assert_eq!(held["evidence"]["told"], "held-back");
    let echo = with(|dropped| {
        dropped.packet.next_header = ICMPV6;
        dropped.inner_type = 128;
    });
    assert_eq!(echo["cause"], "too-big-untold");
    for nothing in [
        with(|dropped| dropped.limited = 0),
        with(|dropped| dropped.limited = -1),
        // An error about an error there is not.
        with(|dropped| {
            dropped.packet.next_header = ICMPV6;
            dropped.inner_type = 1;
        }),
        with(|dropped| dropped.packet.next_header = ICMPV6),
        with(|dropped| dropped.packet.next_header = FRAGMENT),
        with(|dropped| dropped.packet.source[0] = 0xff),
        // It got further than that, and what became of it is not known.
        with(|dropped| dropped.told = NOT_SENT),
        with(|dropped| dropped.told = TOLD),
        with(|dropped| dropped.told = 99),
        with(|dropped| dropped.message_type = UNREACHABLE),
    ] {
        assert_eq!(nothing, Value::Null);
    }
}

#[test]
fn a_link_without_senders_is_not_taken_for_a_round() {
    let mut dropped = dropped(TIME_EXCEEDED, TOLD, 0);
    dropped.packet.out_ifindex = dropped.packet.ifindex;
    let tunnel = said(&dropped);
    let summary = tunnel["summary"].as_str().unwrap();
    assert!(!summary.contains("leads back"), "{summary}");
    dropped.packet.lladdr_len = 6;
    let ethernet = said(&dropped);
    let summary = ethernet["summary"].as_str().unwrap();
    assert!(summary.contains("leads back"), "{summary}");
    // Where it would have gone is not known.
    dropped.packet.out_ifindex = 0;
    let nowhere = said(&dropped);
    assert_eq!(nowhere["evidence"]["out_interface"], Value::Null);
}

/// A packet that was not forwarded.
fn not_forwarded() -> NotForwarded {
    NotForwarded {
        packet: packet("eth0"),
        force_forwarding: -1,
        ..NotForwarded::new_zeroed()
    }
}

fn beside(dropped: &NotForwarded, found: Option<(bool, usize)>) -> Value {
    let mut header = stream::header::<NotForwarded>(FORWARD, HOST);
    header.context = Context::Softirq as u8;
    let onward = found.map(|(is_own, count)| {
        Record::from(Onward {
            boot_ns: EVENT_NS,
            netns: HOST,
            is_own,
            interfaces: (0..count).map(|number| format!("up{number}")).collect(),
        })
    });
    diagnosis(onward.into_iter().chain([stream::kernel(header, dropped)]))
}

#[test]
fn what_was_not_looked_up_is_likely_only() {
    let unknown = beside(&not_forwarded(), None);
    assert_eq!(unknown["confidence"], "likely");
    assert_eq!(unknown["evidence"]["advertised"], Value::Null);
    let fix = unknown["fix"][0].as_str().unwrap();
    assert!(fix.contains("could not be looked up"), "{fix}");
    let known = beside(&not_forwarded(), Some((false, 0)));
    assert_eq!(known["confidence"], "certain");
    assert_eq!(known["evidence"]["advertised"], json!([]));
    // An address of its own that is under test.
    assert_eq!(beside(&not_forwarded(), Some((true, 0))), Value::Null);
}

#[test]
fn of_very_many_interfaces_some_are_named_ahead_of_forwarding() {
    let many = beside(&not_forwarded(), Some((false, 300)));
    let fixes: Vec<_> = many["fix"].as_array().unwrap().iter().collect();
    assert_eq!(fixes.len(), 10, "{fixes:?}");
    let text = |index: usize| fixes[index].as_str().unwrap();
    assert!(text(7).contains("conf/up7/accept_ra=2"), "{fixes:?}");
    assert!(text(8).starts_with("the same on the others"), "{fixes:?}");
    assert!(text(9).contains("conf/all/forwarding=1"), "{fixes:?}");
    assert_eq!(
        many["evidence"]["advertised"].as_array().unwrap().len(),
        300
    );
}

#[test]
fn a_way_back_by_a_tunnel_is_none() {
    let mut dropped = not_forwarded();
    dropped.packet.out_ifindex = dropped.packet.ifindex;
    let tunnel = beside(&dropped, Some((false, 0)));
    assert_eq!(tunnel["severity"], "failure");
    dropped.packet.lladdr_len = 6;
    let link = beside(&dropped, Some((false, 0)));
    assert_eq!(link["severity"], "notice");
    assert_eq!(link["fix"], json!([]));
    dropped.packet.out_ifindex = 0;
    let nowhere = beside(&dropped, Some((false, 0)));
    let summary = nowhere["summary"].as_str().unwrap();
    assert!(
        summary.contains("would have gone is not known"),
        "{summary}"
    );
}
