//! What is said of IPv4 sources behind IPv6 next hops where the stream holds
//! what no guest produces on demand.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};
use v6trace::{
    families::source_selection::Address, families::source_selection::Addresses,
    families::source_selection::Interface, families::source_selection::LinkState, record::Record,
};
use v6trace_common::{
    Context, RecordHeader, families, families::source_selection as wire,
    families::source_selection::SourceSelection,
};

use crate::stream::{self, EVENT_NS, HOST, diagnosis};

/// A SYN that has no source.
fn missing() -> SourceSelection {
    SourceSelection {
        suppressed: 0,
        next_hop: "fe80::1".parse::<Ipv6Addr>().unwrap().octets(),
        interface: *b"v0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        destination: [198, 51, 100, 9],
        source: [0; 4],
        prefsrc: [0; 4],
        prefix: [198, 51, 100, 0],
        ifindex: 4,
        oif: 0,
        l3mdev: 0,
        table: 254,
        metric: 0,
        nexthop_id: 0,
        flags: wire::PREFIX_READ | wire::L3MDEV_READ | wire::NO_OPTIONS | wire::ONLY_ROUTE,
        prefix_len: 24,
        protocol: 6,
        next_hop_flags: 0,
        route_protocol: 3,
    }
}

fn kernel(context: Context, selection: SourceSelection) -> Record {
    let header = RecordHeader {
        context: context as u8,
        comm: *b"bgpd\0\0\0\0\0\0\0\0\0\0\0\0",
        ..stream::header::<SourceSelection>(families::source_selection::SELECTION, HOST)
    };
    stream::kernel(header, &selection)
}

/// A host whose v0 is in the VRF blue, with an address on lo.
fn addresses(boot_ns: u64) -> Record {
    let interface = |ifindex, name: &str, master, is_vrf| Interface {
        ifindex,
        name: name.to_owned(),
        master,
        is_vrf,
        vrf_table: is_vrf.then_some(10),
        state: None,
    };
    Record::from(Addresses {
        boot_ns,
        netns: HOST,
        interfaces: vec![
            interface(1, "lo", None, false),
            interface(4, "v0", Some(9), false),
            interface(9, "blue", None, true),
        ],
        addresses: vec![Address {
            ifindex: 1,
            address: Ipv4Addr::new(192, 0, 2, 1),
            scope: 0,
        }],
    })
}

#[test]
fn a_vrf_is_told_from_the_interfaces_where_the_lookup_does_not_say() {
    let mut selection = missing();
    selection.flags = wire::PREFIX_READ;
    let said = diagnosis([addresses(EVENT_NS + 1), kernel(Context::Task, selection)]);
    assert_eq!(said["evidence"]["l3mdev"], "blue");
    assert_eq!(
        said["evidence"]["unusable"],
        json!([{"kind": "other-vrf", "detail": "192.0.2.1 on lo"}])
    );
    assert_eq!(said["confidence"], "certain");
}

#[test]
fn an_older_look_at_the_addresses_proves_nothing() {
    let said = diagnosis([addresses(EVENT_NS - 1), kernel(Context::Task, missing())]);
    assert_eq!(said["cause"], "no-source-address");
    assert_eq!(said["evidence"]["l3mdev"], Value::Null);
    assert_eq!(said["evidence"]["unusable"], json!([]));
    let summary = said["summary"].as_str().unwrap();
    assert!(
        summary.contains("any other interface that counts"),
        "{summary}"
    );
}

#[test]
fn a_kernel_thread_is_not_blamed() {
    let said = diagnosis([kernel(Context::KernelThread, missing())]);
    assert_eq!(said["confidence"], "likely");
    assert_eq!(said["comm"], Value::Null);
    let summary = said["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("the kernel has no IPv4 source"),
        "{summary}"
    );
}

#[test]
fn a_source_is_borrowed_only_if_all_addresses_were_compared() {
    let mut selection = missing();
    selection.source = [192, 0, 2, 1];
    selection.suppressed = 7;
    let borrowed = diagnosis([kernel(Context::Task, selection)]);
    assert_eq!(borrowed["cause"], "borrowed-source-address");
    assert_eq!(borrowed["evidence"]["suppressed"], 7);
    assert_eq!(borrowed["evidence"]["source_interface"], Value::Null);
    for flag in [wire::MORE_ADDRESSES, wire::ON_INTERFACE] {
        selection.flags |= flag;
        assert_eq!(diagnosis([kernel(Context::Task, selection)]), Value::Null);
    }
}

#[test]
fn the_fix_names_the_route_as_it_is() {
    let fix = |selection| {
        let said = diagnosis([kernel(Context::Task, selection)]);
        said["fix"][1].as_str().unwrap().to_owned()
    };
    let mut selection = missing();
    selection.next_hop_flags = 4;
    selection.metric = 20;
    selection.table = 100;
    let change = "ip route change 198.51.100.0/24 table 100 metric 20";
    let onlink = format!("{change} via inet6 fe80::1 dev v0 onlink src ADDRESS");
    assert!(fix(selection).starts_with(&onlink));
    selection.nexthop_id = 7;
    assert!(fix(selection).starts_with(&format!("{change} nhid 7 src ADDRESS")));
    selection.nexthop_id = 0;
    // What is left out of a change is lost, and another route may be hit.
    selection.flags &= !wire::NO_OPTIONS;
    let show =
        "ip -4 route show exact 198.51.100.0/24 table 100  # one: `ip -4 route change`, all of it";
    assert!(fix(selection).starts_with(show));
    selection.flags |= wire::NO_OPTIONS;
    selection.flags &= !wire::ONLY_ROUTE;
    assert!(fix(selection).starts_with(show));
    selection.flags |= wire::SEVERAL_NEXT_HOPS;
    assert!(fix(selection).starts_with("give the route via fe80::1 the source ADDRESS"));
}

#[test]
fn only_a_route_of_its_own_table_names_an_address_of_a_vrf() {
    let fixes = |table, source| {
        let mut selection = missing();
        selection.table = table;
        selection.source = source;
        let said = diagnosis([addresses(EVENT_NS), kernel(Context::Task, selection)]);
        let fixes = said["fix"].as_array().unwrap().clone();
        fixes
            .iter()
            .map(|fix| fix.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let add = |fix: &String, place| {
        let command = format!("ip address add ADDRESS/32 dev {place}");
        assert!(fix.starts_with(&command), "{fix}");
    };
    let of_vrf = fixes(10, [0; 4]);
    add(&of_vrf[0], "blue");
    assert!(of_vrf[1].contains("table 10") && of_vrf[1].contains("src ADDRESS"));
    for table in [254, 100] {
        let leaked = fixes(table, [0; 4]);
        assert!(
            leaked.len() == 2 && leaked[1].contains("l3mdev_accept"),
            "{leaked:?}"
        );
        add(&leaked[0], "blue");
        // Borrowed: the interface's own would come first.
        let leaked = fixes(table, [203, 0, 113, 1]);
        assert!(
            leaked.len() == 2 && leaked[1].contains("l3mdev_accept"),
            "{leaked:?}"
        );
        add(&leaked[0], "v0");
    }
    // A socket of the VRF has what comes in by it.
    let mut of_vrf = missing();
    of_vrf.oif = 9;
    let said = diagnosis([addresses(EVENT_NS), kernel(Context::Task, of_vrf)]);
    assert!(!said["fix"].to_string().contains("l3mdev_accept"), "{said}");
}

#[test]
fn a_route_of_a_daemon_is_left_to_it() {
    let fix = |protocol| {
        let mut selection = missing();
        selection.route_protocol = protocol;
        let said = diagnosis([kernel(Context::Task, selection)]);
        assert!(
            said["evidence"]["fib_protocol"].is_null() == (protocol == 0),
            "{said}"
        );
        said["fix"][1].as_str().unwrap().to_owned()
    };
    assert!(fix(4).contains("dev v0 proto static src ADDRESS"));
    for (protocol, name) in [(186, "proto bgp"), (12, "proto bird"), (196, "proto 196")] {
        let fix = fix(protocol);
        assert!(fix.contains("in the routing daemon"), "{fix}");
        assert!(fix.contains(name) && !fix.contains("ip route"), "{fix}");
    }
    // Whose it is cannot be told, so neither can how to keep that.
    assert!(!fix(0).contains("ip route"));
}

/// Interfaces in and outside the VRF blue, and who has 192.0.2.1.
fn holders(ifindexes: &[u32]) -> Record {
    let interface = |ifindex, name: &str, master, is_vrf| Interface {
        ifindex,
        name: name.to_owned(),
        master,
        is_vrf,
        vrf_table: is_vrf.then_some(10),
        state: None,
    };
    Record::from(Addresses {
        boot_ns: EVENT_NS + 1,
        netns: HOST,
        interfaces: vec![
            interface(1, "lo", None, false),
            interface(4, "v0", None, false),
            interface(9, "blue", None, true),
        ],
        addresses: ifindexes
            .iter()
            .map(|&ifindex| Address {
                ifindex,
                address: Ipv4Addr::new(192, 0, 2, 1),
                scope: 0,
            })
            .collect(),
    })
}

#[test]
fn who_is_asked_for_a_packet_that_leaves_its_vrf_shows_in_the_outcome() {
    let of = |source: [u8; 4], prefsrc: [u8; 4], holding: &[u32]| {
        let mut selection = missing();
        selection.l3mdev = 9;
        selection.source = source;
        selection.prefsrc = prefsrc;
        let said = diagnosis([holders(holding), kernel(Context::Task, selection)]);
        let text = format!("{} {}", said["summary"], said["fix"]);
        (said["evidence"]["l3mdev"].clone(), text)
    };
    let source = [192, 0, 2, 1];
    // In the VRF alone: it was asked, and src has no say.
    let (vrf, text) = of(source, [0; 4], &[9]);
    assert_eq!(vrf, "blue");
    assert!(text.contains("then taken from that VRF"), "{text}");
    assert!(!text.contains("src"), "{text}");
    // Outside alone: as for any other packet.
    let (vrf, text) = of(source, [0; 4], &[1]);
    assert_eq!(vrf, Value::Null);
    assert!(text.contains("v0 has none to offer"), "{text}");
    assert!(text.contains("src 192.0.2.1"), "{text}");
    // On both sides, or nowhere by now.
    for holding in [&[9, 1][..], &[]] {
        let (vrf, text) = of(source, [0; 4], holding);
        assert_eq!(vrf, "blue");
        assert!(text.contains("the packet leaves VRF blue"), "{text}");
        assert!(!text.contains("taken from that VRF"), "{text}");
        assert!(text.contains("src 192.0.2.1"), "{text}");
    }
    // The route's own source would have been taken.
    let (_, text) = of(source, [192, 0, 2, 7], &[9, 1]);
    assert!(
        text.contains("the route's src 192.0.2.7 does not"),
        "{text}"
    );
    // None at all: both ways out.
    let (vrf, text) = of([0; 4], [0; 4], &[]);
    assert_eq!(vrf, "blue");
    assert!(
        text.contains("dev blue") && text.contains("src ADDRESS"),
        "{text}"
    );
    let (_, text) = of([0; 4], [192, 0, 2, 7], &[]);
    assert!(!text.contains("src ADDRESS"), "{text}");
}

/// v0, lo, d0 and d1 in these states, where 240.0.0.1 or another `source` is the
/// first address; and what is said of a SYN from there.
fn of_lender(
    source: [u8; 4],
    lender: u32,
    states: [Option<LinkState>; 4],
    others: &[(u32, [u8; 4])],
) -> Value {
    let interfaces = [(4, "v0"), (1, "lo"), (7, "d0"), (8, "d1")];
    let interfaces = interfaces.into_iter().zip(states);
    let address = |&(ifindex, address): &(u32, [u8; 4])| Address {
        ifindex,
        address: address.into(),
        scope: 0,
    };
    let found = Addresses {
        boot_ns: EVENT_NS + 1,
        netns: HOST,
        interfaces: interfaces
            .map(|((ifindex, name), state)| Interface {
                ifindex,
                name: name.to_owned(),
                master: None,
                is_vrf: false,
                vrf_table: None,
                state,
            })
            .collect(),
        addresses: [(lender, source)]
            .iter()
            .chain(others)
            .map(address)
            .collect(),
    };
    let mut selection = missing();
    selection.source = source;
    diagnosis([Record::from(found), kernel(Context::Task, selection)])
}

const UP: Option<LinkState> = Some(LinkState::Up);
const DOWN: Option<LinkState> = Some(LinkState::Down);

#[test]
fn a_lender_that_does_not_work_is_a_hazard() {
    let source = [192, 0, 2, 5];
    let no_carrier = Some(LinkState::NoCarrier);
    let other = Some(LinkState::Other);
    for (state, unfit) in [
        (DOWN, json!("down")),
        (no_carrier, json!("no-carrier")),
        (UP, Value::Null),
        (other, Value::Null),
        (None, Value::Null),
    ] {
        let said = of_lender(source, 7, [UP, UP, state, UP], &[]);
        assert_eq!(said["evidence"]["unfit"], unfit);
        let severity = if unfit.is_null() { "notice" } else { "hazard" };
        assert_eq!(said["severity"], severity);
    }
    let lo = of_lender(source, 1, [UP, DOWN, UP, UP], &[]);
    assert_eq!(lo["severity"], "hazard");
    let fix = lo["fix"][0].as_str().unwrap();
    assert!(fix.starts_with("ip link set lo up"), "{fix}");
}

#[test]
fn an_address_is_named_only_if_it_does() {
    let first = |states, others: &[(u32, [u8; 4])]| {
        let said = of_lender([240, 0, 0, 1], 7, states, others);
        assert_eq!(said["severity"], "hazard");
        let fix = said["fix"][0].as_str().unwrap();
        fix.split("  #").next().unwrap().to_owned()
    };
    let up = [UP; 4];
    let add = |address: &str| format!("ip address add {address}/32 dev lo");
    assert_eq!(first(up, &[]), add("ADDRESS"));
    assert_eq!(first(up, &[(8, [203, 0, 113, 5])]), add("203.0.113.5"));
    let down = [UP, UP, UP, DOWN];
    assert_eq!(first(down, &[(8, [203, 0, 113, 5])]), add("ADDRESS"));
    assert_eq!(first(up, &[(8, [100, 64, 0, 5])]), add("ADDRESS"));
    let private = (8, [10, 0, 0, 5]);
    assert_eq!(first(up, &[private]), add("10.0.0.5"));
    assert_eq!(first(up, &[private, (8, [10, 0, 1, 5])]), add("ADDRESS"));
    let public = (8, [203, 0, 113, 5]);
    assert_eq!(first(up, &[private, public]), add("203.0.113.5"));
}

#[test]
fn what_a_vrf_has_first_cannot_be_named_past() {
    let mut selection = missing();
    selection.l3mdev = 9;
    selection.source = [240, 0, 0, 1];
    let mut found = Addresses {
        boot_ns: EVENT_NS + 1,
        netns: HOST,
        interfaces: vec![],
        addresses: vec![Address {
            ifindex: 9,
            address: Ipv4Addr::new(240, 0, 0, 1),
            scope: 0,
        }],
    };
    for (ifindex, name, is_vrf) in [(1, "lo", false), (4, "v0", false), (9, "blue", true)] {
        found.interfaces.push(Interface {
            ifindex,
            name: name.to_owned(),
            master: None,
            is_vrf,
            vrf_table: is_vrf.then_some(10),
            state: UP,
        });
    }
    let said = diagnosis([Record::from(found), kernel(Context::Task, selection)]);
    assert_eq!(said["evidence"]["unfit"], "class-e");
    let fixes = said["fix"].as_array().unwrap();
    assert_eq!(fixes.len(), 1, "{fixes:?}");
    let fix = fixes[0].as_str().unwrap();
    assert!(fix.contains("blue") && !fix.contains("ip route"), "{fix}");
}

#[test]
fn bits_of_the_next_hop_are_named() {
    let mut selection = missing();
    selection.next_hop = "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets();
    selection.source = [32, 1, 13, 9];
    selection.flags |= wire::ON_INTERFACE | wire::BY_GATEWAY_BITS;
    let found = diagnosis([holders(&[]), kernel(Context::Task, selection)]);
    assert_eq!(found["cause"], "source-address-by-gateway-bits");
    assert_eq!(found["severity"], "notice");
    assert_eq!(found["evidence"]["gateway_bits"], "32.1.13.184");
    assert!(
        found["fix"][0]
            .as_str()
            .unwrap()
            .contains(" src 32.1.13.9 ")
    );
}
