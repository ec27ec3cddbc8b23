//! Looks, some seconds later, whether somebody has made the link-local address that
//! the kernel was not to make.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use v6trace_common::{Kind, Payload as _, families::address::LinkLocalMissing};

use super::{LATER, Settled};
use crate::{
    event::Event,
    families::Payload,
    observe::{Looks, batch::Batch, inside::Inside, links},
    record::{Lookup, Record},
};

/// Looks at interfaces that came up.
pub(crate) struct CameUp;

impl Looks for CameUp {
    fn later(&self) -> Option<(Kind, Duration)> {
        Some((LinkLocalMissing::KIND, LATER))
    }

    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let found = records.iter().enumerate().filter_map(|(index, record)| {
            let event = record.event()?;
            let Payload::LinkLocalMissing(missing) = &event.payload else {
                return None;
            };
            Some((index, settled(event, missing.ifindex, batch)?.into()))
        });
        found.collect()
    }
}

fn settled(event: &Event, ifindex: u32, batch: &mut Batch) -> Option<Settled> {
    let Inside {
        boot_ns,
        links,
        addresses,
        ..
    } = batch.inside_of(event)?;
    let link = links::by_index(links, ifindex)?;
    let master = links::master_of(links, link).filter(|master| !master.is_vrf);
    let own = addresses.iter().filter(|held| held.ifindex == ifindex);
    let own = own.filter_map(|held| match held.address {
        IpAddr::V6(address) => Some(address),
        IpAddr::V4(_) => None,
    });
    let (link_local, others): (Vec<_>, Vec<_>) = own.partition(Ipv6Addr::is_unicast_link_local);
    Some(Settled {
        boot_ns: *boot_ns,
        netns: event.netns,
        ifindex,
        interface: link.name.clone(),
        is_up: link.has_carrier,
        disable_ipv6: link.settings.map(|settings| settings.disable_ipv6),
        addr_gen_mode: link.addr_gen_mode,
        master: master.map(|master| master.name.clone()),
        link_local: link_local.first().copied(),
        others: u32::try_from(others.len()).unwrap_or(u32::MAX),
    })
}
