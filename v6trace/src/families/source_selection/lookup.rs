//! The interfaces and IPv4 addresses of a network namespace.

use std::net::IpAddr;

use super::{Address, Addresses, Interface, LinkState};
use crate::{
    event::Event,
    families::{Occurrence as _, Payload},
    observe::{
        Looks,
        batch::Batch,
        inside::{Held, Inside},
        links::Link,
    },
    record::{Lookup, Record},
};

/// Looks at the namespaces of choices that need an explanation.
pub(crate) struct Routes;

impl Looks for Routes {
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let found = records.iter().enumerate().filter_map(|(index, record)| {
            let event = record.event()?;
            let Payload::SourceSelection(selection) = &event.payload else {
                return None;
            };
            if !selection.is_remarkable() {
                return None;
            }
            Some((index, addresses(event, batch)?.into()))
        });
        found.collect()
    }
}

/// Those of the event's namespace; `None` where they could not be listed.
fn addresses(event: &Event, batch: &mut Batch) -> Option<Addresses> {
    let Inside {
        boot_ns,
        links,
        addresses,
        ..
    } = batch.inside_of(event)?;
    Some(addresses_of(*boot_ns, event.netns, links, addresses))
}

/// Those of a namespace that was looked into.
pub(crate) fn addresses_of(
    boot_ns: u64,
    netns: u32,
    links: &[Link],
    addresses: &[Held],
) -> Addresses {
    let interfaces = links.iter().map(|link| Interface {
        ifindex: link.ifindex,
        name: link.name.clone(),
        master: link.master,
        is_vrf: link.is_vrf,
        vrf_table: link.vrf_table,
        state: Some(state(link)),
    });
    Addresses {
        boot_ns,
        netns,
        interfaces: interfaces.collect(),
        addresses: addresses.iter().filter_map(address).collect(),
    }
}

fn state(link: &Link) -> LinkState {
    match (link.is_up, link.has_carrier) {
        (false, _) => LinkState::Down,
        (true, false) => LinkState::NoCarrier,
        (true, true) => LinkState::Up,
    }
}

fn address(held: &Held) -> Option<Address> {
    let IpAddr::V4(address) = held.address else {
        return None;
    };
    Some(Address {
        ifindex: held.ifindex,
        address,
        scope: held.scope,
    })
}
