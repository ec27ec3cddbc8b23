//! A join that succeeds, and its leave: what a healthy daemon does.

use anyhow::{Context as _, Result};

use super::{Operation, Workload};
use crate::bench::place::Place;
use crate::guest::{MulticastSocket, group};

pub(super) const WORKLOAD: Workload = Workload {
    name: "join-leave",
    count: 8000,
    prepare,
};

fn prepare(place: &Place) -> Result<Operation> {
    let socket = MulticastSocket::udp(&place.netns)?;
    let ifindex = place.interface.ifindex;
    let group = group(1);
    Ok(Box::new(move |_| {
        socket.join(ifindex, group).context("cannot join")?;
        socket.leave(ifindex, group).context("cannot leave")
    }))
}
