//! Socket options of IPv6 that are taken.

use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use socket2::{Domain, Socket, Type};

use super::{Operation, Workload};
use crate::bench::place::Place;
use crate::guest::set_option;

/// One that does next to nothing, so that most of it is what all have in common.
pub(super) const WORKLOAD: Workload = Workload {
    name: "option",
    count: 16000,
    prepare,
};

fn prepare(_place: &Place) -> Result<Operation> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, None).context("cannot make a socket")?;
    Ok(Box::new(move |number| {
        let hops = 1 + (number & 0x7f);
        set_option(
            socket.as_fd(),
            libc::IPPROTO_IPV6,
            libc::IPV6_UNICAST_HOPS,
            &hops,
        )
        .context("cannot set IPV6_UNICAST_HOPS")
    }))
}
