//! Neighbours that get an entry, as whoever sends to a new one has it made, and lose it.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};

use super::{Operation, Workload};
use crate::bench::place::Place;
use crate::guest::{NeighbourRequest, Netlink};

/// Both go well; and nothing stays, so that the table is the same for each.
pub(super) const WORKLOAD: Workload = Workload {
    name: "neighbour",
    count: 4000,
    prepare,
};

fn prepare(place: &Place) -> Result<Operation> {
    let mut netlink = Netlink::open(&place.netns)?;
    let ifindex = place.interface.ifindex;
    Ok(Box::new(move |number| {
        let [_, _, high, low] = number.to_be_bytes().map(u16::from);
        let request = NeighbourRequest {
            ifindex,
            address: Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, high << 8 | low),
            link_address: [2, 0, 0, 0, 0, 2],
        };
        for errno in [
            request.replace(&mut netlink)?,
            request.delete(&mut netlink)?,
        ] {
            ensure!(errno == 0, "the kernel says {errno}");
        }
        Ok(())
    }))
}
