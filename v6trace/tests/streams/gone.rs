//! What is said of routes that the kernel removed where values could not be read, where
//! nothing was looked up, and where names are hostile.

use std::net::Ipv6Addr;

use serde_json::{Value, json};
use v6trace::families::route::{Known, Paths};
use v6trace_common::families::{
    forwarding::ROUTE_DELETE,
    route::{
        GONE_BY_MESSAGE, GONE_EXPIRED, GONE_HOP, GONE_SOURCE, GONE_WITH_CARRIER, GONE_WITH_DOWN,
        GoneRoute, IPV4, RoutesGone,
    },
};
use zerocopy::FromZeros as _;

use crate::stream::{self, EVENT_NS, HOST, diagnosis};

/// `RTF_ADDRCONF`
const ADVERTISED: u32 = 0x0004_0000;

fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn route(destination: &str, prefix_len: u32) -> GoneRoute {
    GoneRoute {
        destination: address(destination).octets(),
        gateway: address("fe80::1").octets(),
        prefix_len,
        route_protocol: 9,
        table: 254,
        metric: 1024,
        route_flags: ADVERTISED,
        nexthop_id: 0,
        siblings: 0,
        member_id: 0,
    }
}

/// A default route of an interface, and another one.
fn gone(reason: u32) -> RoutesGone {
    let mut gone = RoutesGone {
        default_route: route("::", 0),
        first_boot_ns: EVENT_NS,
        ifindex: 2,
        reason,
        count: 2,
        default_count: 1,
        forwarding: 0,
        accept_ra: 1,
        accept_ra_defrtr: 1,
        ..RoutesGone::new_zeroed()
    };
    gone.interface[..12].copy_from_slice(b"eth0; reboot");
    gone.routes[0] = route("fd00:71::", 48);
    gone
}

fn said(gone: &RoutesGone) -> Value {
    let header = stream::header::<RoutesGone>(ROUTE_DELETE, HOST);
    diagnosis([stream::kernel(header, gone)])
}

fn beside(gone: &RoutesGone, left: Option<Vec<Known>>) -> Value {
    let header = stream::header::<RoutesGone>(ROUTE_DELETE, HOST);
    let paths = Paths {
        boot_ns: EVENT_NS,
        netns: HOST,
        to_gateways: None,
        same_prefix: left,
        addresses: Vec::new(),
        interfaces: Vec::new(),
    };
    diagnosis([paths.into(), stream::kernel(header, gone)])
}

/// A default route that is left.
fn left() -> Known {
    Known {
        prefix: Ipv6Addr::UNSPECIFIED,
        prefix_len: 0,
        source: None,
        table: 254,
        kind: 1,
        protocol: 4,
        metric: 7,
        gateway: Some(address("fe80::2")),
        interface: Some("eth1".to_owned()),
        prefsrc: None,
        nexthop_id: None,
        hops: 1,
        is_dead: false,
        is_linkdown: false,
    }
}

#[test]
fn what_is_left_is_not_made_up() {
    let unknown = said(&gone(GONE_EXPIRED));
    assert_eq!(unknown["severity"], "hazard");
    assert_eq!(unknown["evidence"]["default_routes_left"], Value::Null);
    let summary = unknown["summary"].as_str().unwrap();
    assert!(summary.contains("could not be looked up"), "{summary}");
    let nothing = beside(&gone(GONE_EXPIRED), Some(Vec::new()));
    assert_eq!(nothing["severity"], "hazard");
    assert_eq!(nothing["evidence"]["default_routes_left"], json!([]));
}

#[test]
fn only_a_default_route_that_can_be_used_takes_over() {
    let other = beside(&gone(GONE_EXPIRED), Some(vec![left()]));
    assert_eq!(other["severity"], "notice");
    let unfit = [
        Known {
            table: 100,
            ..left()
        },
        // unreachable
        Known { kind: 7, ..left() },
        Known {
            is_dead: true,
            ..left()
        },
        Known {
            source: Some((address("2001:db8::"), 32)),
            ..left()
        },
    ];
    for unfit in unfit {
        let said = beside(&gone(GONE_EXPIRED), Some(vec![unfit]));
        assert_eq!(said["severity"], "hazard", "{said}");
    }
    // What is no default route is no way out that is lost.
    let mut less = gone(GONE_EXPIRED);
    less.default_count = 0;
    less.count = 1;
    assert_eq!(said(&less)["severity"], "notice");
}

#[test]
fn what_is_there_again_needs_no_command() {
    let again = Known {
        gateway: Some(address("fe80::1")),
        interface: Some("eth0; reboot".to_owned()),
        protocol: 9,
        ..left()
    };
    let said = beside(&gone(GONE_EXPIRED), Some(vec![again.clone()]));
    assert_eq!(said["severity"], "notice");
    // The other route is not.
    let fixes = said["fix"].as_array().unwrap();
    assert_eq!(fixes.len(), 1, "{said}");
    assert!(fixes[0].as_str().unwrap().contains("fd00:71::/48"));
    // Another one that leads the same way was there before.
    let twin = Known {
        protocol: 4,
        ..again
    };
    let said = beside(&gone(GONE_EXPIRED), Some(vec![twin]));
    assert_eq!(said["severity"], "notice");
    assert!(
        said["summary"]
            .as_str()
            .unwrap()
            .contains("another default")
    );
    assert_eq!(said["fix"].as_array().unwrap().len(), 2, "{said}");
}

#[test]
fn a_route_that_is_made_anew_is_no_news() {
    let mut anew = gone(GONE_BY_MESSAGE);
    anew.count = 1;
    anew.message = 134;
    anew.router_lifetime = 1800;
    let again = Known {
        gateway: Some(address("fe80::1")),
        interface: Some("eth0; reboot".to_owned()),
        protocol: 9,
        ..left()
    };
    assert_eq!(beside(&anew, Some(vec![again])), Value::Null);
    assert_eq!(beside(&anew, Some(Vec::new()))["severity"], "hazard");
}

#[test]
fn what_a_daemon_made_it_makes_again() {
    let mut gone = gone(GONE_WITH_CARRIER);
    for route in [&mut gone.default_route, &mut gone.routes[0]] {
        route.nexthop_id = 10;
        route.route_protocol = 11;
    }
    let said = said(&gone);
    assert_eq!(said["fix"], json!([]), "{said}");
    assert!(said["summary"].as_str().unwrap().contains("zebra"));
}

#[test]
fn what_is_not_taken_of_advertisements_is_told_ahead_of_a_silent_router() {
    let mut gone = gone(GONE_EXPIRED);
    gone.count = 1;
    gone.accept_ra_defrtr = 0;
    let said = said(&gone);
    assert!(
        said["summary"]
            .as_str()
            .unwrap()
            .contains("accept_ra_defrtr = 0")
    );
    let fix = said["fix"][0].as_str().unwrap();
    assert!(fix.contains("accept_ra_defrtr=1"), "{fix}");
}

#[test]
fn names_do_not_run() {
    for reason in [GONE_EXPIRED, GONE_WITH_CARRIER, GONE_WITH_DOWN] {
        let mut gone = gone(reason);
        if reason != GONE_EXPIRED {
            gone.default_route.nexthop_id = 10;
            gone.default_route.route_protocol = 4;
        }
        gone.accept_ra = 0;
        let said = said(&gone);
        let fixes = said["fix"].as_array().unwrap();
        assert!(fixes.len() >= 2, "{said}");
        for fix in fixes {
            let fix = fix.as_str().unwrap();
            let is_quoted = fix.contains("'eth0; reboot'") || fix.contains("'net/ipv6/conf/eth0; ");
            assert!(is_quoted || !fix.contains("reboot"), "{fix}");
        }
    }
}

#[test]
fn numbers_that_do_not_fit_are_read_as_far_as_they_go() {
    for reason in 0..=GONE_HOP + 1 {
        let mut wild = gone(reason);
        wild.count = u32::MAX;
        wild.default_count = 1;
        wild.message = u32::MAX;
        wild.default_route.prefix_len = u32::MAX;
        wild.default_route.route_protocol = u32::MAX;
        wild.default_route.metric = u32::MAX;
        wild.forwarding = i32::MIN;
        let _ = said(&wild);
        wild.count = 0;
        wild.default_count = u32::MAX;
        let _ = said(&wild);
        wild.default_count = 0;
        assert_eq!(said(&wild), Value::Null);
    }
}

#[test]
fn a_task_is_named_only_where_it_did_it() {
    assert_eq!(said(&gone(GONE_EXPIRED))["pid"], Value::Null);
    assert_eq!(said(&gone(GONE_BY_MESSAGE))["pid"], Value::Null);
    assert_eq!(said(&gone(GONE_WITH_DOWN))["pid"], 812);
}

#[test]
fn what_only_changes_is_not_gone() {
    let mut hop = gone(GONE_HOP);
    for route in [&mut hop.default_route, &mut hop.routes[0]] {
        route.route_protocol = 4;
        route.siblings = 1;
    }
    for (ignored, severity, fixes) in [(0, "hazard", 1), (1, "notice", 0), (-1, "hazard", 0)] {
        hop.ignore_linkdown = ignored;
        let said = said(&hop);
        assert_eq!(said["operation"], "route-change");
        assert_eq!(said["severity"], severity, "{said}");
        assert_eq!(said["fix"].as_array().unwrap().len(), fixes, "{said}");
        assert!(said["evidence"].get("default_routes_left").is_none());
    }
    let mut source = gone(GONE_SOURCE);
    source.source = address("fd00:80::5").octets();
    source.routes[0].route_protocol = 4;
    source.default_route.route_protocol = 4;
    source.default_route.siblings = 1;
    let said = said(&source);
    assert_eq!(said["severity"], "notice");
    // Of several next hops one alone would take the place of all.
    let fixes = said["fix"].as_array().unwrap();
    assert_eq!(fixes.len(), 1, "{said}");
    let fix = fixes[0].as_str().unwrap();
    assert!(
        fix.contains("ip -6 route replace fd00:71::/48 via fe80::1 dev 'eth0; reboot'"),
        "{fix}"
    );
}

#[test]
fn what_has_no_carrier_at_all_is_lost_as_a_whole() {
    let mut hop = gone(GONE_HOP);
    for route in [&mut hop.default_route, &mut hop.routes[0]] {
        route.route_protocol = 4;
        route.siblings = 1;
    }
    let linkdown = |prefix: &str, prefix_len, metric| Known {
        prefix: address(prefix),
        prefix_len,
        metric,
        interface: None,
        hops: 2,
        is_linkdown: true,
        ..left()
    };
    let default_route = linkdown("::", 0, 1024);
    let other = beside(&hop, Some(vec![default_route.clone()]));
    assert_eq!(other["severity"], "notice");
    assert_eq!(other["evidence"]["count"], 1);
    assert_eq!(other["evidence"]["default_routes"], 0);
    let both = vec![default_route.clone(), linkdown("fd00:71::", 48, 1024)];
    assert_eq!(beside(&hop, Some(both)), Value::Null);
    // Another route, and one with a next hop that is left.
    let others = vec![
        linkdown("::", 0, 7),
        Known {
            is_linkdown: false,
            ..default_route
        },
    ];
    assert_eq!(beside(&hop, Some(others))["evidence"]["count"], 2);
}

#[test]
fn a_next_hop_is_told_as_lost_where_others_stay() {
    let mut hop = gone(GONE_HOP);
    hop.default_route.siblings = 1;
    hop.routes[0].siblings = 1;
    // The daemon that made it knows better.
    let daemon = said(&hop);
    assert_eq!(daemon["severity"], "notice", "{daemon}");
    assert_eq!(daemon["fix"], json!([]));
    hop.default_route.route_protocol = 3;
    assert_eq!(said(&hop)["severity"], "hazard");
    // Both next hops of the default route.
    hop.default_count = 2;
    hop.count = 3;
    let other = said(&hop);
    assert_eq!(other["severity"], "notice", "{other}");
    assert_eq!(other["evidence"]["count"], 1);
    assert_eq!(other["evidence"]["default_routes"], 0);
    // And of the other one.
    hop.routes[1] = hop.routes[0];
    hop.count = 4;
    assert_eq!(said(&hop), Value::Null);
    // More than there is room for.
    hop.default_count = 0;
    hop.count = 20;
    for (metric, route) in (1..).zip(&mut hop.routes) {
        *route = GoneRoute {
            metric,
            siblings: 1,
            ..self::route("fd00:71::", 48)
        };
    }
    assert_eq!(said(&hop)["confidence"], "likely");
}

#[test]
fn what_would_take_another_route_is_no_command() {
    let mut source = gone(GONE_SOURCE);
    source.source = address("fd00:80::5").octets();
    for route in [&mut source.default_route, &mut source.routes[0]] {
        route.route_protocol = 3;
    }
    source.default_route.gateway = [0; 16];
    let said = said(&source);
    let fixes = said["fix"].as_array().unwrap();
    assert_eq!(fixes.len(), 1, "{said}");
    assert!(fixes[0].as_str().unwrap().contains("fd00:71::/48"));
}

#[test]
fn routes_of_ipv4_are_written_as_such() {
    let mut source = gone(GONE_SOURCE);
    source.family = IPV4;
    source.source = address("::ffff:10.0.0.1").octets();
    source.default_route.destination = address("::ffff:0.0.0.0").octets();
    source.default_route.route_protocol = 3;
    source.count = 1;
    let said = said(&source);
    assert_eq!(said["severity"], "hazard");
    assert_eq!(said["evidence"]["source"], "10.0.0.1");
    assert_eq!(said["address"], "0.0.0.0");
    let fix = said["fix"][0].as_str().unwrap();
    assert!(
        fix.contains("ip -4 route add default via inet6 fe80::1"),
        "{fix}"
    );
}
