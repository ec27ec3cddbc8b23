//! IPv4 routes with IPv6 next hops whose packets get no source, or that of an interface
//! that does not work.

use std::{collections::HashSet, net::IpAddr};

use super::{Choice, Sources, host::Place};
use crate::{
    catalogue::Severity,
    event::Name,
    explain::{Diagnosis, Value},
    families::source_selection::{self, L3mdev, SourceSelection},
};

/// Findings of a namespace: with each VRF more there may be one.
const MOST: usize = 4;
/// Routes that are named.
const NAMED: usize = 8;

/// Those of a namespace. That many routes lead to one source, or to none, is told once.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let mut told = HashSet::new();
    let sources = place.snapshot.sources.iter();
    let choices = sources.flat_map(|sources| sources.choices.iter().map(move |one| (sources, one)));
    let found = choices.filter_map(move |(sources, choice)| {
        let outcome = (choice.vrf, choice.source);
        if told.contains(&outcome) {
            return None;
        }
        let found = found(place, sources, choice)?;
        told.insert(outcome);
        Some(found)
    });
    found.take(MOST)
}

fn found(place: Place<'_>, sources: &Sources, choice: &Choice) -> Option<Diagnosis> {
    let interface = place.snapshot.interface(choice.ifindex)?;
    let held = sources.addresses.addresses.iter();
    let mut own = held.filter(|held| held.ifindex == choice.ifindex);
    let selection = SourceSelection {
        destination: choice.destination,
        protocol: None,
        source: choice.source,
        on_interface: Some(own.any(|held| Some(held.address) == choice.source)),
        by_gateway_bits: false,
        route: choice.route.clone(),
        interface: Name::new(&interface.name),
        ifindex: choice.ifindex,
        oif: None,
        l3mdev: choice.vrf.map_or(L3mdev::None, L3mdev::In),
        suppressed: 0,
    };
    let mut found = source_selection::explain_state(&selection, &sources.addresses, place.site())?;
    found.address = Some(IpAddr::V4(choice.destination));
    // Nothing has failed yet; and whoever only passes packets on never has need of one.
    found.severity = if place.snapshot.all.ip_forward == Some(0) {
        Severity::Hazard
    } else {
        found.summary += " What it passes on for others keeps their sources.";
        Severity::Notice
    };
    let all = sources.choices.iter();
    let alike = all.filter(|one| (one.vrf, one.source) == (choice.vrf, choice.source));
    let named: Vec<Value> = alike.skip(1).take(NAMED).filter_map(route).collect();
    Some(found.with("routes_alike", Value::List(named)))
}

/// "198.51.100.0/24 via fe80::1"
fn route(choice: &Choice) -> Option<Value> {
    let (to, length) = choice.route.prefix?;
    let via = choice.route.next_hop;
    Some(Value::from(format!("{to}/{length} via {via}")))
}
