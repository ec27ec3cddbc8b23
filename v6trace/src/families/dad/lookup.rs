//! The interfaces around a duplicate address: its own, and those of all
//! namespaces of this host that may have a part in it.

use std::{
    io,
    net::{IpAddr, Ipv6Addr},
};

use super::{Bond, Interface, Surroundings};
use crate::{
    clock,
    event::Event,
    families::Payload,
    frame::Mac,
    observe::{
        Looks,
        batch::Batch,
        inside::Inside,
        links::{self, Link},
        other_end,
    },
    record::{Lookup, Record},
};

/// How deep interfaces are stacked, at most: a macvlan on a VLAN on a bond, and
/// one to spare.
const STACKED: usize = 4;

/// What an event's interface met.
struct Met {
    ifindex: u32,
    address: Ipv6Addr,
    /// The MAC that it came from.
    source_mac: Option<Mac>,
    /// The interface that is known to have sent it: namespace and index.
    sender: Option<(u32, u32)>,
}

impl Met {
    fn of(event: &Event) -> Option<Self> {
        match &event.payload {
            Payload::DadFailure(failure) => Some(Self {
                ifindex: failure.ifindex,
                address: failure.address,
                source_mac: failure.frame.source_mac(),
                sender: failure
                    .sender
                    .as_ref()
                    .map(|sender| (sender.netns, sender.ifindex)),
            }),
            Payload::DadReflection(reflection) => Some(Self {
                ifindex: reflection.ifindex,
                address: reflection.address,
                source_mac: None,
                sender: None,
            }),
            _ => None,
        }
    }

    /// Whether an interface may have a part in it.
    fn concerns(&self, netns: u32, link: &Link) -> bool {
        link.hairpin
            || (link.mac.is_some() && link.mac == self.source_mac)
            || self.sender == Some((netns, link.ifindex))
    }
}

/// Looks around interfaces that met a frame.
pub(crate) struct Neighbourhood;

impl Looks for Neighbourhood {
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let found = records.iter().enumerate().filter_map(|(index, record)| {
            let event = record.event()?;
            Some((index, around(event, batch)?.into()))
        });
        found.collect()
    }
}

/// What is around the event's interface, where the event is about one that
/// met its own or somebody else's frame.
fn around(event: &Event, batch: &mut Batch) -> Option<Surroundings> {
    let met = Met::of(event)?;
    let here = batch.inside_of(event);
    let other_end = here.and_then(|here| links::by_index(&here.links, met.ifindex).cloned());
    let here = here.map(|here| {
        list(here, met.address, |link| {
            link.ifindex == met.ifindex || met.concerns(event.netns, link)
        })
    });
    let (others, mut complete) = batch.others(event.netns);
    let mut elsewhere = Vec::new();
    for &inode in &others {
        match batch.inside(inode) {
            Ok(inside) => {
                let found = list(inside, met.address, |link| met.concerns(inode, link));
                elsewhere.extend(found.into_iter().map(|interface| (inode, interface)));
            }
            // It is gone by now.
            Err(io::ErrorKind::NotFound) => {}
            Err(_) => complete = false,
        }
    }
    let other_end = other_end.and_then(|link| {
        other_end::of(event, &link, &others, batch)
            .inspect_err(|error| log::debug!("the other end of {}: {error}", link.name))
            .ok()?
    });
    let bond = bond_of(event, met.ifindex, other_end, batch);
    let concerned = |inode: u32| {
        inode == event.netns
            || elsewhere.iter().any(|(other, _)| *other == inode)
            || bond.as_ref().is_some_and(|bond| bond.netns == inode)
    };
    let places = batch.places();
    let processes = places
        .inodes()
        .filter(|&inode| concerned(inode))
        .filter_map(|inode| Some((inode, places.somebody(inode, None)?)))
        .collect();
    Some(Surroundings {
        boot_ns: clock::boot_ns(),
        netns: event.netns,
        here,
        other_end,
        bond,
        elsewhere,
        complete,
        processes,
    })
}

/// The bond that an interface of the event's namespace is, or is stacked on,
/// such as that of a VLAN or of a macvlan on a VLAN. `other_end`: what the
/// interface itself is stacked on, which may be in another namespace.
fn bond_of(
    event: &Event,
    ifindex: u32,
    other_end: Option<(u32, u32)>,
    batch: &mut Batch,
) -> Option<Bond> {
    let here = &batch.inside_of(event)?.links;
    if let Some(bond) =
        links::by_index(here, ifindex).and_then(|link| bond(event.netns, here, link))
    {
        return Some(bond);
    }
    let (netns, mut ifindex) = other_end?;
    let there = if netns == event.netns {
        batch.inside_of(event)?
    } else {
        batch.inside(netns).as_ref().ok()?
    };
    for _ in 0..STACKED {
        let link = links::by_index(&there.links, ifindex)?;
        if let Some(bond) = bond(netns, &there.links, link) {
            return Some(bond);
        }
        ifindex = link.other_end.filter(|_| link.other_end_nsid.is_none())?;
    }
    None
}

fn bond(netns: u32, all: &[Link], link: &Link) -> Option<Bond> {
    let settings = link.bond.as_ref()?;
    let active = settings
        .active
        .and_then(|active| links::by_index(all, active));
    let ports = all.iter().filter(|port| port.master == Some(link.ifindex));
    Some(Bond {
        netns,
        name: link.name.clone(),
        mode: settings.mode.clone(),
        ports: ports.map(|port| port.name.clone()).collect(),
        active: active.map(|port| port.name.clone()),
        all_ports_active: settings.all_ports_active,
    })
}

/// The interfaces of the calling thread's namespace.
pub(super) fn here() -> io::Result<Vec<Interface>> {
    Ok(list(&Inside::look()?, Ipv6Addr::UNSPECIFIED, |_| true))
}

/// The wanted interfaces of a namespace, and which of them have the address.
fn list(inside: &Inside, address: Ipv6Addr, wanted: impl Fn(&Link) -> bool) -> Vec<Interface> {
    let held = |ifindex: u32| {
        let mut held = inside.addresses.iter();
        held.find(|held| held.ifindex == ifindex && held.address == IpAddr::V6(address))
    };
    let answers = |listed: &Option<Vec<(u32, Ipv6Addr)>>, ifindex| {
        let listed = listed.as_ref()?;
        Some(listed.contains(&(ifindex, address)))
    };
    let interface = |link: &Link| {
        let held = held(link.ifindex);
        Interface {
            ifindex: link.ifindex,
            name: link.name.clone(),
            mac: link.mac,
            link: link.other_end,
            master: links::master_of(&inside.links, link).map(|master| master.name.clone()),
            hairpin: link.hairpin,
            prefix_len: held.map(|held| held.prefix_len),
            address_flags: held.map_or(0, |held| held.flags.into()),
            anycast: answers(&inside.anycast, link.ifindex),
            proxy: answers(&inside.proxied, link.ifindex),
        }
    };
    let wanted = inside.links.iter().filter(|link| wanted(link));
    wanted.map(interface).collect()
}
