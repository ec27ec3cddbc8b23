//! The interfaces and IPv4 addresses of a network namespace.

use std::net::IpAddr;

use super::{
    batch::Batch,
    inside::{Held, Inside},
};
use crate::{
    decode::Event,
    record::addresses::{Address, Addresses, Interface},
};

/// Those of the event's namespace; `None` where they could not be listed.
pub(super) fn around(event: &Event, batch: &mut Batch) -> Option<Addresses> {
    let Inside {
        boot_ns,
        links,
        addresses,
    } = batch.inside_of(event)?;
    let interfaces = links.iter().map(|link| Interface {
        ifindex: link.ifindex,
        name: link.name.clone(),
        master: link.master,
        is_vrf: link.is_vrf,
        vrf_table: link.vrf_table,
    });
    Some(Addresses {
        boot_ns: *boot_ns,
        netns: event.netns,
        interfaces: interfaces.collect(),
        addresses: addresses.iter().filter_map(address).collect(),
    })
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
