//! Looks where an address is that a socket was refused.

use std::{io, net::IpAddr};

use super::{LocalAddressRefused, Place, Whereabouts};
use crate::{
    clock,
    errno::Errno,
    event::Event,
    families::Payload,
    observe::{
        Looks,
        batch::Batch,
        inside::Inside,
        links::{self, Link},
    },
    record::{Lookup, Record},
};

/// Interfaces of other namespaces that are listed.
const LISTED: usize = 16;

/// Looks for addresses that were refused.
pub(crate) struct Addresses;

impl Looks for Addresses {
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let found = refusals(records).filter_map(|(index, event, refused)| {
            let by_address = matches!(refused.errno, Errno::EADDRNOTAVAIL | Errno::EINVAL);
            if !by_address {
                return None;
            }
            Some((index, whereabouts(event, refused, batch)?.into()))
        });
        found.collect()
    }
}

/// The addresses that were refused among `records`, by index of the record.
pub(super) fn refusals(
    records: &[Record],
) -> impl Iterator<Item = (usize, &Event, &LocalAddressRefused)> {
    records.iter().enumerate().filter_map(|(index, record)| {
        let event = record.event()?;
        match &event.payload {
            Payload::LocalAddressRefused(refused) => Some((index, event, refused)),
            _ => None,
        }
    })
}

fn whereabouts(
    event: &Event,
    refused: &LocalAddressRefused,
    batch: &mut Batch,
) -> Option<Whereabouts> {
    let Inside { boot_ns, links, .. } = batch.inside_of(event)?;
    let boot_ns = *boot_ns;
    let holders = refused.holders.iter().map(|holder| holder.ifindex);
    let wanted = [refused.ifindex].into_iter().chain(holders);
    let here = wanted.filter_map(|ifindex| links::by_index(links, ifindex));
    let here = here.map(|link| place(links, link));
    let here = here.collect();
    let mut found = Whereabouts {
        boot_ns,
        netns: event.netns,
        here,
        elsewhere: Vec::new(),
        complete: true,
        processes: Vec::new(),
    };
    if refused.holders.is_empty() && means_something_elsewhere(refused) {
        look_elsewhere(&mut found, refused, batch);
        found.boot_ns = clock::boot_ns();
    }
    Some(found)
}

fn place(all: &[Link], link: &Link) -> Place {
    let vrf = if link.is_vrf {
        Some(link)
    } else {
        links::master_of(all, link).filter(|master| master.is_vrf)
    };
    Place {
        ifindex: link.ifindex,
        vrf: vrf.map(|vrf| vrf.name.clone()),
    }
}

/// Every link, and every host, has the others.
fn means_something_elsewhere(refused: &LocalAddressRefused) -> bool {
    let address = refused.address;
    let is_loopback = address.to_canonical().is_loopback();
    !is_loopback && !address.is_unicast_link_local()
}

fn look_elsewhere(found: &mut Whereabouts, refused: &LocalAddressRefused, batch: &mut Batch) {
    let (others, all) = batch.others(found.netns);
    found.complete = all;
    let wanted: IpAddr = refused.address.to_canonical();
    for inode in others {
        match batch.inside(inode) {
            Ok(inside) => {
                let held = inside.addresses.iter();
                let held = held.filter(|held| held.address == wanted);
                let names = held.filter_map(|held| links::by_index(&inside.links, held.ifindex));
                let names = names.map(|link| (inode, link.name.clone()));
                let room = LISTED.saturating_sub(found.elsewhere.len());
                found.elsewhere.extend(names.take(room));
            }
            // It is gone by now.
            Err(io::ErrorKind::NotFound) => {}
            Err(_) => found.complete = false,
        }
    }
    let places = batch.places();
    let inodes = found.elsewhere.iter().map(|(inode, _)| *inode);
    let processes = inodes.filter_map(|inode| Some((inode, places.somebody(inode, None)?)));
    found.processes = processes.collect();
}
