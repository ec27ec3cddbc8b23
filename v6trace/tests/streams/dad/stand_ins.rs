//! Duplicate addresses that are about more than one interface: who answers for an
//! address that it does not own, and what addresses, MACs and ports have in
//! common.

use std::net::Ipv6Addr;

use serde_json::Value;
use v6trace::{
    families::dad::{Bond, Interface},
    record::Record,
};
use v6trace_common::{families::dad::DadFailure, neighbour::NeighbourFrame};

use super::{
    ADVERTISEMENT, FLAGS, NONE, OPTIMISTIC, OTHER, OWN, PERMANENT, SOLICITATION, STABLE_PRIVACY,
    TENTATIVE, alone, around, explain, failure, frame, interface, is, record, verdict,
};
use crate::stream::{GUEST, diagnoses};

/// An answer for the address that does not override what others know.
fn answer(source: [u8; 6]) -> NeighbourFrame {
    let mut frame = frame(source, ADVERTISEMENT, NONE);
    frame.bytes[FLAGS] = 0;
    frame
}

/// One without the address that answers for it.
fn stand_in(anycast: Option<bool>, proxy: Option<bool>) -> Interface {
    Interface {
        anycast,
        proxy,
        ..interface(5, "eth5", OTHER, false)
    }
}

#[test]
fn who_stands_for_an_address_is_not_its_owner() {
    let (yes, no) = (Some(true), Some(false));
    for (anycast, proxy, expected) in [
        (yes, no, is("dad-conflict-anycast", "certain")),
        (no, yes, is("dad-conflict-proxy", "certain")),
        // The kernel looks for anycast first, but not at once.
        (yes, yes, is("dad-conflict-anycast", "likely")),
        (no, no, is("dad-conflict-proxy", "likely")),
        (None, None, is("dad-conflict-proxy", "likely")),
    ] {
        let answered = failure(answer(OTHER));
        let elsewhere = around(Vec::new(), vec![stand_in(anycast, proxy)]);
        assert_eq!(verdict(&answered, elsewhere), expected);
        // Who overrides does neither.
        let owned = failure(frame(OTHER, ADVERTISEMENT, NONE));
        let elsewhere = around(Vec::new(), vec![stand_in(anycast, proxy)]);
        assert_eq!(verdict(&owned, elsewhere), is("dad-conflict", "certain"));
    }
    let here = |stands| verdict(&failure(answer(OTHER)), around(vec![stands], Vec::new()));
    assert_eq!(
        here(stand_in(yes, no)),
        is("dad-conflict-anycast", "certain")
    );
    assert_eq!(here(stand_in(no, yes)), is("dad-conflict-proxy", "certain"));
    assert_eq!(
        here(stand_in(no, no)),
        is("dad-conflict-same-host", "likely")
    );
}

#[test]
fn an_answer_of_a_node_elsewhere_does_not_decide() {
    let mut answered = failure(answer(OTHER));
    assert_eq!(
        verdict(&answered, alone()),
        is("dad-conflict-proxy", "likely")
    );
    answered.address[15] = 0;
    assert_eq!(
        verdict(&answered, alone()),
        is("dad-conflict-anycast", "likely")
    );
    // An optimistic owner does not override, either.
    let owner = Interface {
        address_flags: PERMANENT | TENTATIVE | OPTIMISTIC,
        ..interface(5, "eth5", OTHER, true)
    };
    let by_owner = verdict(&answered, around(Vec::new(), vec![owner]));
    assert_eq!(by_owner, is("dad-conflict", "certain"));
}

#[test]
fn what_an_interface_has_from_advertisements_is_not_to_be_deleted() {
    let advertised = Interface {
        address_flags: 0,
        ..interface(5, "eth5", OTHER, true)
    };
    let by_owner = failure(frame(OTHER, ADVERTISEMENT, NONE));
    let found = explain(&by_owner, around(Vec::new(), vec![advertised]));
    let fixes = found["fix"].to_string();
    assert!(!fixes.contains("dev eth5"), "{fixes}");
    assert!(fixes.contains("would bring it back"), "{fixes}");
}

#[test]
fn a_link_local_address_of_a_virtual_mac_is_made_by_every_node_that_has_it() {
    for kind in [1, 2] {
        let virtual_mac = [0, 0, 0x5e, 0, kind, 51];
        let mut own = failure(frame(virtual_mac, ADVERTISEMENT, NONE));
        own.own_mac = virtual_mac;
        let made = format!("fe80::200:5eff:fe00:{kind:x}33");
        own.address = made.parse::<Ipv6Addr>().unwrap().octets();
        let found = explain(&own, alone());
        assert_eq!(found["cause"], "dad-conflict-virtual-mac", "{found}");
        let fixes = found["fix"].to_string();
        assert!(fixes.contains("addrgenmode none"), "{fixes}");
        assert!(!fixes.contains("address add"), "{fixes}");
        // As is any other that is configured there.
        own.address[15] ^= 1;
        assert_eq!(explain(&own, alone())["cause"], "dad-conflict-cloned-mac");
    }
    // A MAC that is cloned by mistake is to be changed.
    let mut own = failure(frame(OWN, ADVERTISEMENT, NONE));
    own.address = "fe80::ff:fe00:a".parse::<Ipv6Addr>().unwrap().octets();
    assert_eq!(explain(&own, alone())["cause"], "dad-conflict-cloned-mac");
}

/// Two failures, one after the other; what is said of the second.
fn second(first: &DadFailure, second: &DadFailure) -> Value {
    let around = || Record::from(alone());
    let stream = [around(), record(first), around(), record(second)];
    let mut found = diagnoses(stream);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0]["evidence"]["earlier_address"], Value::Null);
    found.pop().unwrap()
}

#[test]
fn several_addresses_of_one_secret_tell_that_it_was_copied() {
    let stable = |source, last| {
        let mut failure = failure(frame(source, ADVERTISEMENT, NONE));
        failure.flags = STABLE_PRIVACY;
        failure.address[15] = last;
        failure
    };
    let found = second(&stable(OTHER, 1), &stable(OTHER, 2));
    assert_eq!(found["cause"], "dad-conflict-copied-secret", "{found}");
    assert_eq!(found["confidence"], "likely");
    assert_eq!(found["evidence"]["earlier_address"], "2001:db8::1");
    let fixes = found["fix"].to_string();
    assert!(
        fixes.contains("net/ipv6/conf/eth0/stable_secret=$("),
        "{fixes}"
    );
    // Another node, the same address once more, or one that was configured.
    let third = [2, 0, 0, 0, 0, 0xc];
    let mut configured = stable(OTHER, 1);
    configured.flags = PERMANENT;
    for (first, next) in [
        (stable(third, 1), stable(OTHER, 2)),
        (stable(OTHER, 2), stable(OTHER, 2)),
        (configured, stable(OTHER, 2)),
        (stable(OTHER, 2), configured),
    ] {
        assert_eq!(second(&first, &next)["cause"], "dad-conflict");
    }
    let mut elsewhere = stable(OTHER, 1);
    elsewhere.ifindex = 3;
    assert_eq!(
        second(&elsewhere, &stable(OTHER, 2))["cause"],
        "dad-conflict"
    );
    // Whose MAC was cloned as well has another fault first.
    let cloned = second(&stable(OWN, 1), &stable(OWN, 2));
    assert_eq!(cloned["cause"], "dad-conflict-cloned-mac");
    assert!(
        cloned["fix"].to_string().contains("stable_secret"),
        "{cloned}"
    );
}

#[test]
fn a_bond_is_named_where_ones_own_frame_came_back() {
    let mut late = failure(frame(OWN, SOLICITATION, NONE));
    late.dad_nonce = NONE;
    late.sent_nonces = [NONE; 4];
    let said = |failure: &DadFailure, mode: &str, all_ports_active| {
        let mut around = alone();
        around.bond = Some(Bond {
            netns: GUEST,
            name: "bond0".to_owned(),
            mode: mode.to_owned(),
            ports: vec!["p0".to_owned(), "p1".to_owned()],
            active: Some("p0".to_owned()),
            all_ports_active,
        });
        explain(failure, around)
    };
    let all = said(&late, "balance-rr", false);
    assert_eq!(all["evidence"]["bond"], "bond0");
    assert_eq!(all["evidence"]["bond_mode"], "balance-rr");
    assert_eq!(all["evidence"]["bond_ports"][1], "p1");
    let text = all.to_string();
    for part in [
        "comes back by another",
        "ip address del",
        "tcpdump -Q in -eni p1 'icmp6 and ether src 02:00:00:00:00:0a'",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let one = said(&late, "active-backup", false).to_string();
    assert!(one.contains("listens to p0 alone"), "{one}");
    assert!(!one.contains("all_slaves_active 0"), "{one}");
    let idle = said(&late, "active-backup", true).to_string();
    assert!(idle.contains("type bond all_slaves_active 0"), "{idle}");
    // Another node's frame has nothing to do with it.
    let foreign = failure(frame(OTHER, ADVERTISEMENT, NONE));
    let found = said(&foreign, "balance-rr", false);
    assert_eq!(found["evidence"]["bond"], Value::Null);
}
