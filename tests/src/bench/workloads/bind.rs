//! IPv6 binds that succeed.

use std::net::{Ipv6Addr, SocketAddrV6};

use anyhow::{Context as _, Result};
use socket2::{Domain, Socket, Type};

use super::{Operation, Workload};
use crate::bench::place::Place;

/// Of a datagram socket, which is made and closed each time: no socket can be
/// bound twice.
pub(super) const WORKLOAD: Workload = Workload {
    name: "bind",
    count: 4000,
    prepare: |_: &Place| -> Result<Operation> { Ok(Box::new(bind)) },
};

/// The first of the ports that are taken in turn: one that is asked for costs no
/// search.
const FIRST: u16 = 20_000;
const PORTS: u32 = 40_000;

fn bind(number: u32) -> Result<()> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, None).context("cannot make a socket")?;
    let port = FIRST + u16::try_from(number % PORTS)?;
    let address = SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0);
    socket.bind(&address.into()).context("cannot bind")
}
