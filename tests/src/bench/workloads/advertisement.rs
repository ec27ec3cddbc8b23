//! A router's advertisement to a host that has heeded the same before: the router
//! sends it, and the host processes it at once.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::{Operation, Workload};
use crate::bench::place::Place;
use crate::guest::{AdvertisedPrefix, Advertisement, Advertiser};

pub(super) const WORKLOAD: Workload = Workload {
    name: "advertisement",
    count: 4000,
    prepare,
};

fn prepare(place: &Place) -> Result<Operation> {
    let (netns, port, source) = &place.router;
    let advertiser = Advertiser::new(netns, port, *source)?;
    let prefix = Ipv6Addr::new(0x2001, 0xdb8, 0x53, 0, 0, 0, 0, 0);
    let message = Advertisement::new()
        .prefix(AdvertisedPrefix::new(prefix))
        .bytes();
    Ok(Box::new(move |_| advertiser.send(&message)))
}
