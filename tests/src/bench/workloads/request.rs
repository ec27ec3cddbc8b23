//! Requests over netlink that are granted, and answered: a neighbour that is replaced.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};

use super::{Operation, Workload};
use crate::bench::place::Place;
use crate::guest::{NeighbourRequest, Netlink};

/// The same entry each time, with another link-layer address.
pub(super) const WORKLOAD: Workload = Workload {
    name: "request",
    count: 8000,
    prepare,
};

fn prepare(place: &Place) -> Result<Operation> {
    let mut netlink = Netlink::open(&place.netns)?;
    let ifindex = place.interface.ifindex;
    Ok(Box::new(move |number| {
        let [_, _, high, low] = number.to_be_bytes();
        let request = NeighbourRequest {
            ifindex,
            address: Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 9),
            link_address: [2, 0, 0, 0, high, low],
        };
        let errno = request.replace(&mut netlink)?;
        ensure!(errno == 0, "the kernel says {errno}");
        Ok(())
    }))
}
