//! Looks which routes of a namespace have a destination, and which addresses it
//! has.

use std::{
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
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
        routes::{self, Route},
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

/// An address of IPv6 that an interface has.
pub(crate) fn own(held: &Held, links: &[Link]) -> Option<Own> {
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
    let mut routes = routes::list(|route| route.has(destination))?;
    routes.sort_by_key(|route| u8::MAX - route.prefix_len);
    routes.truncate(LISTED);
    Ok(routes.iter().map(|route| way(route, links)).collect())
}

fn way(route: &Route, links: &[Link]) -> Way {
    Way {
        prefix: route.prefix,
        prefix_len: route.prefix_len,
        table: route.table,
        kind: route.kind,
        gateway: route.gateway,
        interface: route
            .ifindex
            .and_then(|ifindex| links::by_index(links, ifindex))
            .map(|link| link.name.clone()),
        is_dead: route.is_dead,
        of_sources: route.source.is_some(),
    }
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
    use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage};

    use super::*;

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
        let route = Route::new(&route);
        assert!(route.has(address("2001:db8::7")) && !route.has(address("2001:db9::7")));
        let found = way(&route, &links);
        assert_eq!(found.table, 1000);
        assert_eq!(found.gateway, Some(address("fe80::1")));
        assert_eq!(found.interface.as_deref(), Some("eth0"));
        assert!(found.is_dead && !found.of_sources);
    }
}
