//! Looks at the neighbours and routes of namespaces in which one does not answer.

use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
};

use netlink_packet_route::neighbour::NeighbourState;

use super::{
    LISTED,
    routes::{self, Routes},
    snooping,
};
use crate::{
    clock,
    event::Event,
    families::neighbour::{Beside, Holder, LinkState, NeighbourSilent, Others, Route},
    ifa::{OPTIMISTIC, TENTATIVE},
    observe::{
        batch::Batch,
        enter,
        gateways::Hop,
        inside::{Inside, known},
        links::{self, Link},
        neighbours::{self, Neighbour},
        other_end,
    },
    record::Lookup,
};

/// A neighbour, with the number of its record.
pub(super) type Asked<'r> = (usize, &'r Event, &'r NeighbourSilent);

/// Looks for all of them, once in each namespace.
pub(super) fn look(asked: &[Asked<'_>], batch: &mut Batch) -> Vec<(usize, Lookup)> {
    let mut places: BTreeMap<u32, Vec<&Asked<'_>>> = BTreeMap::new();
    for one in asked {
        places.entry(one.1.netns).or_default().push(one);
    }
    let mut found = Vec::new();
    for (netns, asked) in places {
        let interfaces: HashSet<u32> = asked.iter().map(|(_, _, it)| it.ifindex).collect();
        let hops: Vec<Hop> = asked
            .iter()
            .map(|(_, _, it)| (it.ifindex, it.address))
            .collect();
        let paths = batch.places().paths(netns);
        let seen = enter::within(netns, &paths, || {
            let neighbours = neighbours::list(|entry| {
                Some(entry).filter(|entry| interfaces.contains(&entry.ifindex))
            });
            Ok((
                known("neighbours", neighbours),
                known("routes", routes::list(&hops)),
            ))
        });
        let Some((neighbours, routes)) = known("a namespace with neighbours", seen) else {
            continue;
        };
        for (index, event, silent) in asked {
            let end = other_end_of(event, silent.ifindex, batch);
            let holders = end.and_then(|end| holders(end, event, silent, batch));
            let holders = holders.unwrap_or_default();
            let snooping = snooping::look(end, event, silent, batch);
            let places = batch.places();
            let inhabitant = |holder: &Holder| {
                let pid = places.somebody(holder.netns, None)?;
                Some((holder.netns, pid))
            };
            let processes = holders.first().and_then(inhabitant).into_iter().collect();
            let inside = batch.inside_of(event);
            let links = inside.map_or(&[][..], |inside| &inside.links);
            let mut beside = beside(silent, neighbours.as_deref(), routes.as_ref(), links);
            beside.sources = inside.map(|inside| sources(inside, silent.ifindex));
            beside.netns = netns;
            beside.snooping = snooping;
            beside.holders = holders;
            beside.processes = processes;
            found.push((*index, beside.into()));
        }
    }
    found
}

fn beside(
    silent: &NeighbourSilent,
    neighbours: Option<&[Neighbour]>,
    routes: Option<&Routes>,
    links: &[Link],
) -> Beside {
    let hop = (silent.ifindex, silent.address);
    let link = links::by_index(links, silent.ifindex);
    let used = routes.and_then(|routes| routes.by(hop, links));
    let count = |is_it: fn(&Route) -> bool| {
        let found = used.iter().flatten().filter(|route| is_it(route));
        u32::try_from(found.count()).unwrap_or(u32::MAX)
    };
    Beside {
        boot_ns: clock::boot_ns(),
        netns: 0,
        is_there: neighbours.and_then(|all| is_there(hop, all)),
        unconfirmed_ms: neighbours.and_then(|all| entry(hop, all)?.unconfirmed_ms),
        others: neighbours.map(|all| others(silent, all)),
        route_count: count(|_| true),
        needed: count(|route| !route.is_second),
        routes: used.map(|mut used| {
            used.truncate(LISTED);
            used
        }),
        sources: None,
        link: link.map(state),
        snooping: None,
        holders: Vec::new(),
        processes: Vec::new(),
    }
}

/// Whether it is known not to answer.
fn is_silent(neighbour: &Neighbour) -> bool {
    matches!(
        neighbour.state,
        NeighbourState::Incomplete | NeighbourState::Failed
    )
}

/// Addresses that a solicitation may come from: `ndisc_send_ns` takes a link-local one
/// that is not tested any more, or the source of what waits.
fn sources(inside: &Inside, ifindex: u32) -> Vec<IpAddr> {
    let held = inside.addresses.iter();
    let usable = held.filter(|held| {
        let flags = u32::from(held.flags);
        held.ifindex == ifindex && held.address.is_ipv6() && flags & (TENTATIVE | OPTIMISTIC) == 0
    });
    usable.map(|held| held.address).collect()
}

fn entry(hop: Hop, all: &[Neighbour]) -> Option<&Neighbour> {
    all.iter().find(|it| (it.ifindex, it.address) == hop)
}

/// Whether it is there after all, where it has an entry.
fn is_there(hop: Hop, all: &[Neighbour]) -> Option<bool> {
    Some(!matches!(
        entry(hop, all)?.state,
        NeighbourState::Incomplete | NeighbourState::Failed | NeighbourState::None
    ))
}

fn others(silent: &NeighbourSilent, all: &[Neighbour]) -> Others {
    let mut others = Others::default();
    let beside = all
        .iter()
        .filter(|it| it.ifindex == silent.ifindex && it.address != silent.address);
    for other in beside {
        match other.state {
            NeighbourState::Reachable => {
                others.reachable += 1;
                let is_same = silent.mac.is_some() && other.mac() == silent.mac;
                if is_same && others.same_mac.len() < LISTED {
                    others.same_mac.push(other.address.to_string());
                }
            }
            _ if is_silent(other) => others.unanswered += 1,
            _ => {}
        }
    }
    others
}

fn state(link: &Link) -> LinkState {
    LinkState {
        is_up: link.is_up,
        has_carrier: link.has_carrier,
        addr_gen_mode: link.addr_gen_mode,
    }
}

/// Where the other end of an interface is: the namespace, and its index.
fn other_end_of(event: &Event, ifindex: u32, batch: &mut Batch) -> Option<(u32, u32)> {
    let link = links::by_index(&batch.inside_of(event)?.links, ifindex)?.clone();
    let (others, _) = batch.others(event.netns);
    let end = other_end::of(event, &link, &others, batch);
    known("the other end", end)?
}

/// What is in the namespace of the event, or another one.
pub(super) fn inside<'b>(netns: u32, event: &Event, batch: &'b mut Batch) -> Option<&'b Inside> {
    if netns == event.netns {
        batch.inside_of(event)
    } else {
        batch.inside(netns).as_ref().ok()
    }
}

/// Who has the address at the other end of the interface, or on the bridge that that
/// is a port of.
fn holders(
    (netns, ifindex): (u32, u32),
    event: &Event,
    silent: &NeighbourSilent,
    batch: &mut Batch,
) -> Option<Vec<Holder>> {
    let inside = inside(netns, event, batch)?;
    let end = links::by_index(&inside.links, ifindex)?;
    let bridge = links::master_of(&inside.links, end);
    let holder = |link: &Link| {
        let mut held = inside.addresses.iter();
        let held = held.find(|held| {
            held.ifindex == link.ifindex && held.address == IpAddr::V6(silent.address)
        })?;
        Some(Holder {
            netns,
            interface: link.name.clone(),
            link: state(link),
            flags: held.flags.into(),
        })
    };
    let ends = [Some(end), bridge].into_iter().flatten();
    Some(ends.filter_map(holder).collect())
}
