//! Looks which routes of a namespace have a destination, and which addresses it
//! has.

use std::{
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHopFlags, RouteVia},
    rule::{RuleAttribute, RuleMessage},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::{Outcome, OutgoingLookup, Own, Reach, Rejected, Rule, Way, reach::is_global};
use crate::{
    event::Event,
    families::Payload,
    observe::{
        Looks,
        batch::Batch,
        enter,
        inside::{self, Held, Inside},
        links::{self, Link},
        netlink,
    },
    record::{Lookup, Record},
};

/// Addresses, routes and rules that are listed, of each.
const LISTED: usize = 16;
/// The rules that every namespace has, by number: of the local table, of VRFs, of
/// main. They name tables (`FR_ACT_TO_TBL`).
const KERNELS_OWN: [u32; 3] = [0, 1000, 32766];
const TO_TABLE: u8 = 1;

/// Looks at the namespaces in which something finds no way out.
pub(crate) struct Routes;

impl Looks for Routes {
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let found = records.iter().enumerate().filter_map(|(index, record)| {
            let event = record.event()?;
            let (destination, asked) = match &event.payload {
                Payload::OutgoingLookup(lookup) => (lookup.destination, Asked::of(lookup)),
                Payload::ScopeMissing(missing) => (missing.destination, Asked::Nothing),
                _ => return None,
            };
            Some((index, reach(event, destination, asked, batch)?.into()))
        });
        found.collect()
    }
}

/// What is looked for beside addresses: a router may have very many routes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Rules,
    RoutesAndRules,
}

impl Asked {
    fn of(lookup: &OutgoingLookup) -> Self {
        match lookup.outcome {
            Outcome::Failed {
                by: Rejected::NoRoute,
                ..
            } => Self::RoutesAndRules,
            Outcome::Failed {
                by: Rejected::Rule, ..
            } => Self::Rules,
            Outcome::Failed { .. } | Outcome::Leaves { .. } => Self::Nothing,
        }
    }
}

fn reach(event: &Event, destination: Ipv6Addr, asked: Asked, batch: &mut Batch) -> Option<Reach> {
    let paths = batch.paths_for(event);
    let Inside {
        boot_ns,
        links,
        addresses,
        ..
    } = batch.inside_of(event)?;
    let ways = (asked == Asked::RoutesAndRules).then(|| {
        let found = enter::within(event.netns, &paths, || ways(destination, links));
        inside::known("routes", found)
    });
    let rules = (asked != Asked::Nothing).then(|| {
        let found = enter::within(event.netns, &paths, rules);
        inside::known("rules", found)
    });
    let own = addresses.iter().filter_map(|held| own(held, links));
    let mut addresses: Vec<Own> = own.collect();
    if addresses.len() > LISTED {
        // Whether there is a global one decides what is said.
        addresses.sort_by_key(|own| !is_global(own.address));
        addresses.truncate(LISTED);
    }
    Some(Reach {
        boot_ns: *boot_ns,
        netns: event.netns,
        destination,
        addresses,
        ways: ways.flatten(),
        rules: rules.flatten(),
    })
}

fn own(held: &Held, links: &[Link]) -> Option<Own> {
    let IpAddr::V6(address) = held.address else {
        return None;
    };
    Some(Own {
        address,
        prefix_len: held.prefix_len,
        ifindex: held.ifindex,
        interface: links::by_index(links, held.ifindex)?.name.clone(),
        flags: held.flags,
    })
}

/// The routes in the namespace of the calling thread that have the destination.
fn ways(destination: Ipv6Addr, links: &[Link]) -> io::Result<Vec<Way>> {
    let mut request = RouteMessage::default();
    request.header.address_family = AddressFamily::Inet6;
    let request = RouteNetlinkMessage::GetRoute(request);
    let mut ways = netlink::dump(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewRoute(route) => way(&route, destination, links),
        _ => None,
    })?;
    ways.sort_by_key(|way| u8::MAX - way.prefix_len);
    ways.truncate(LISTED);
    Ok(ways)
}

fn way(route: &RouteMessage, destination: Ipv6Addr, links: &[Link]) -> Option<Way> {
    let mut prefix = Ipv6Addr::UNSPECIFIED;
    let mut table = u32::from(route.header.table);
    let mut gateway = None;
    let mut oif = None;
    let mut is_dead = route.header.flags.contains(RouteFlags::Dead);
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet6(address)) => prefix = *address,
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Oif(ifindex) => oif = Some(*ifindex),
            RouteAttribute::Gateway(RouteAddress::Inet6(address))
            | RouteAttribute::Via(RouteVia::Inet6(address)) => gateway = Some(*address),
            RouteAttribute::MultiPath(hops) => {
                oif = match &hops[..] {
                    [hop] => Some(hop.interface_index),
                    _ => None,
                };
                is_dead = hops
                    .iter()
                    .all(|hop| hop.flags.contains(RouteNextHopFlags::Dead));
            }
            _ => {}
        }
    }
    let prefix_len = route.header.destination_prefix_length;
    has(prefix, prefix_len, destination).then(|| Way {
        prefix,
        prefix_len,
        table,
        kind: route.header.kind.into(),
        gateway,
        interface: oif
            .and_then(|ifindex| links::by_index(links, ifindex))
            .map(|link| link.name.clone()),
        is_dead,
        of_sources: route.header.source_prefix_length != 0,
    })
}

/// Whether the prefix has the address.
fn has(prefix: Ipv6Addr, bits: u8, address: Ipv6Addr) -> bool {
    let differ = prefix.to_bits() ^ address.to_bits();
    differ
        .checked_shr(128_u32.saturating_sub(bits.into()))
        .is_none_or(|rest| rest == 0)
}

/// The rules in the namespace of the calling thread that are not the kernel's own.
fn rules() -> io::Result<Vec<Rule>> {
    let mut request = RuleMessage::default();
    request.header.family = AddressFamily::Inet6;
    let request = RouteNetlinkMessage::GetRule(request);
    let mut rules = netlink::dump(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewRule(rule) => Some(self::rule(&rule)),
        _ => None,
    })?;
    rules.retain(|rule| rule.action != TO_TABLE || !KERNELS_OWN.contains(&rule.priority));
    // There may be one for each container; those that refuse decide.
    rules.sort_by_key(|rule| rule.action == TO_TABLE);
    rules.truncate(LISTED);
    Ok(rules)
}

fn rule(rule: &RuleMessage) -> Rule {
    let mut attributes = rule.attributes.iter();
    Rule {
        priority: attributes
            .find_map(|attribute| match attribute {
                RuleAttribute::Priority(priority) => Some(*priority),
                _ => None,
            })
            .unwrap_or(0),
        action: rule.header.action.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_what_begins_like_it() {
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap();
        let to = address("2001:db8:0:1::7");
        for (prefix, bits, expected) in [
            ("::", 0, true),
            ("2001:db8::", 32, true),
            ("2001:db8:0:1::7", 128, true),
            ("2001:db8::", 64, false),
            ("2001:db8:0:1::8", 128, false),
        ] {
            assert_eq!(has(address(prefix), bits, to), expected, "{prefix}/{bits}");
        }
    }

    #[test]
    fn a_route_counts_with_all_that_it_says() {
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap();
        let links = [Link {
            ifindex: 3,
            name: "eth0".to_owned(),
            ..Link::default()
        }];
        let mut route = RouteMessage::default();
        route.header.destination_prefix_length = 32;
        route.header.table = 254;
        route.header.flags = RouteFlags::Dead;
        route.attributes = vec![
            RouteAttribute::Destination(RouteAddress::Inet6(address("2001:db8::"))),
            RouteAttribute::Oif(3),
            RouteAttribute::Gateway(RouteAddress::Inet6(address("fe80::1"))),
            RouteAttribute::Table(1000),
        ];
        let found = way(&route, address("2001:db8::7"), &links).unwrap();
        assert_eq!(found.table, 1000);
        assert_eq!(found.gateway, Some(address("fe80::1")));
        assert_eq!(found.interface.as_deref(), Some("eth0"));
        assert!(found.is_dead && !found.of_sources);
        assert_eq!(way(&route, address("2001:db9::7"), &links), None);
    }
}
