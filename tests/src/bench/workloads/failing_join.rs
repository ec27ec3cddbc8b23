//! A join that fails for lack of option memory, again and again on one socket:
//! what a daemon does that retries.

use anyhow::{Result, ensure};

use super::{Operation, Workload};
use crate::bench::place::Place;
use crate::guest::{MulticastSocket, group, join_until_refused};

pub(super) const WORKLOAD: Workload = Workload {
    name: "failing-join",
    count: 2000,
    prepare,
};

fn prepare(place: &Place) -> Result<Operation> {
    let socket = MulticastSocket::udp(&place.netns)?;
    let ifindex = place.interface.ifindex;
    join_until_refused(&socket, ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let another = group(u32::MAX);
    Ok(Box::new(move |_| {
        let joined = socket.join(ifindex, another);
        ensure!(joined.is_err(), "a join succeeded on a full socket");
        Ok(())
    }))
}
