//! Routes that are added and deleted, as a routing daemon does by the thousand.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};

use super::{Operation, Workload};
use crate::bench::place::Place;
use crate::guest::{Netlink, RouteRequest};

/// Both go well; and nothing stays, so that the table is the same for each.
pub(super) const WORKLOAD: Workload = Workload {
    name: "route",
    count: 4000,
    prepare,
};

fn prepare(place: &Place) -> Result<Operation> {
    let mut netlink = Netlink::open(&place.netns)?;
    let ifindex = place.interface.ifindex;
    Ok(Box::new(move |number| {
        let [_, _, high, low] = number.to_be_bytes().map(u16::from);
        let request = RouteRequest {
            destination: Ipv6Addr::new(0x2001, 0xdb8, 1, high << 8 | low, 0, 0, 0, 0),
            prefix_len: 64,
            ifindex,
        };
        for errno in [request.add(&mut netlink)?, request.delete(&mut netlink)?] {
            ensure!(errno == 0, "the kernel says {errno}");
        }
        Ok(())
    }))
}
