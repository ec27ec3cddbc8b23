//! Routes that are added and deleted, as a routing daemon does by the thousand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Result, ensure};

use super::{Operation, Workload};
use crate::bench::measure;
use crate::bench::place::Place;
use crate::guest::{Netlink, RouteRequest};

/// Both go well; and nothing stays, so that the table is the same for each.
pub(super) const WORKLOAD: Workload = Workload {
    name: "route",
    count: 4000,
    prepare: |place| prepare(place, |number| destination(1, number)),
};

/// The same of IPv4.
pub(super) const IPV4: Workload = Workload {
    name: "route-ipv4",
    count: 4000,
    prepare: |place| prepare(place, ipv4),
};

/// How many are withdrawn for one measurement.
const WITHDRAWN: u32 = 4000;

/// One of very many is deleted.
pub(super) const WITHDRAWAL: Workload = Workload {
    name: "route-withdrawn",
    count: WITHDRAWN,
    prepare: prepare_withdrawal,
};

fn prepare(place: &Place, destination: fn(u32) -> IpAddr) -> Result<Operation> {
    let mut netlink = Netlink::open(&place.netns)?;
    let ifindex = place.interface.ifindex;
    Ok(Box::new(move |number| {
        let request = request(destination(number), ifindex);
        granted(request.add(&mut netlink)?)?;
        granted(request.delete(&mut netlink)?)
    }))
}

fn prepare_withdrawal(place: &Place) -> Result<Operation> {
    let mut netlink = Netlink::open(&place.netns)?;
    let ifindex = place.interface.ifindex;
    let of = move |number| request(destination(2, number), ifindex);
    for number in 0..measure::operations(WITHDRAWN) {
        granted(of(number).add(&mut netlink)?)?;
    }
    Ok(Box::new(move |number| {
        granted(of(number).delete(&mut netlink)?)
    }))
}

/// A whole address of IPv4, a link's prefix of IPv6.
pub(super) fn request(destination: IpAddr, ifindex: u32) -> RouteRequest {
    RouteRequest {
        destination,
        prefix_len: if destination.is_ipv4() { 32 } else { 64 },
        ifindex,
    }
}

/// A prefix of its own for each number.
pub(super) fn destination(third: u16, number: u32) -> IpAddr {
    let [_, _, high, low] = number.to_be_bytes().map(u16::from);
    Ipv6Addr::new(0x2001, 0xdb8, third, high << 8 | low, 0, 0, 0, 0).into()
}

/// The same of IPv4.
fn ipv4(number: u32) -> IpAddr {
    let [_, _, high, low] = number.to_be_bytes();
    Ipv4Addr::new(100, high, low, 1).into()
}

pub(super) fn granted(errno: i32) -> Result<()> {
    ensure!(errno == 0, "the kernel says {errno}");
    Ok(())
}
