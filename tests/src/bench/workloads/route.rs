//! Routes that are added and deleted, as a routing daemon does by the thousand.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};

use super::{Operation, Workload};
use crate::bench::measure::{SAMPLES, WARM_UP};
use crate::bench::place::Place;
use crate::guest::{Netlink, RouteRequest};

/// Both go well; and nothing stays, so that the table is the same for each.
pub(super) const WORKLOAD: Workload = Workload {
    name: "route",
    count: 4000,
    prepare,
};

/// How many are withdrawn for one measurement.
const WITHDRAWN: u32 = 4000;

/// One of very many is deleted.
pub(super) const WITHDRAWAL: Workload = Workload {
    name: "route-withdrawn",
    count: WITHDRAWN,
    prepare: prepare_withdrawal,
};

fn prepare(place: &Place) -> Result<Operation> {
    let mut netlink = Netlink::open(&place.netns)?;
    let ifindex = place.interface.ifindex;
    Ok(Box::new(move |number| {
        let request = request(ifindex, 1, number);
        granted(request.add(&mut netlink)?)?;
        granted(request.delete(&mut netlink)?)
    }))
}

fn prepare_withdrawal(place: &Place) -> Result<Operation> {
    let mut netlink = Netlink::open(&place.netns)?;
    let ifindex = place.interface.ifindex;
    for number in 0..WARM_UP + SAMPLES * WITHDRAWN {
        granted(request(ifindex, 2, number).add(&mut netlink)?)?;
    }
    Ok(Box::new(move |number| {
        granted(request(ifindex, 2, number).delete(&mut netlink)?)
    }))
}

/// A route with a prefix of its own for each number.
fn request(ifindex: u32, third: u16, number: u32) -> RouteRequest {
    let [_, _, high, low] = number.to_be_bytes().map(u16::from);
    RouteRequest {
        destination: Ipv6Addr::new(0x2001, 0xdb8, third, high << 8 | low, 0, 0, 0, 0),
        prefix_len: 64,
        ifindex,
    }
}

fn granted(errno: i32) -> Result<()> {
    ensure!(errno == 0, "the kernel says {errno}");
    Ok(())
}
