//! Looks whether the destination is this host's own, and which interfaces have something
//! from router advertisements.

use std::net::IpAddr;

use super::{Onward, Packet};
use crate::{
    clock,
    event::Event,
    families::Payload,
    observe::{Looks, advertised, batch::Batch, enter, inside::known, routes},
    record::{Lookup, Record},
};

/// `IFA_F_TENTATIVE` and `IFA_F_DADFAILED`: there is no route to an own address yet.
const UNUSABLE: u32 = 0x40 | 0x08;

/// Looks into the namespaces of packets that were not forwarded.
pub(crate) struct Destinations;

impl Looks for Destinations {
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let mut found = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let Some(event) = record.event() else {
                continue;
            };
            if let Payload::NotForwarded(dropped) = &event.payload {
                let onward = look(event, &dropped.packet, batch);
                found.extend(onward.map(|onward| (index, onward.into())));
            }
        }
        found
    }
}

/// `None` where the namespace cannot be looked into.
fn look(event: &Event, packet: &Packet, batch: &mut Batch) -> Option<Onward> {
    let paths = batch.paths_for(event);
    let routes = enter::within(event.netns, &paths, || {
        routes::list(advertised::is_advertised)
    });
    let routes = known("routes", routes)?;
    let inside = batch.inside_of(event)?;
    let mut held = inside.addresses.iter();
    Some(Onward {
        boot_ns: clock::boot_ns(),
        netns: event.netns,
        is_own: held.any(|held| {
            held.address == IpAddr::V6(packet.destination)
                && held.ifindex == packet.ifindex
                && u32::from(held.flags) & UNUSABLE != 0
        }),
        interfaces: advertised::interfaces(inside, &routes),
    })
}
