//! IPv4 connects to destinations not seen before, by a next hop that is
//! nobody's concern here.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context as _, Result, bail};
use socket2::{Domain, Socket, Type};

use super::{Operation, Workload};
use crate::bench::place::Place;

/// Of a datagram socket: nothing is sent.
pub(super) const UDP: Workload = Workload {
    name: "udp-connect",
    count: 8000,
    prepare: udp,
};

/// Of a stream socket that does not wait: the first segment is sent.
pub(super) const TCP: Workload = Workload {
    name: "tcp-connect",
    count: 4000,
    prepare: |_| Ok(Box::new(tcp)),
};

/// One socket for all: making it would blur what connecting costs.
fn udp(_: &Place) -> Result<Operation> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).context("cannot make a socket")?;
    Ok(Box::new(move |number| {
        socket
            .connect(&destination(number).into())
            .context("cannot connect")?;
        // It forgets its source address.
        rustix::net::connect_unspec(&socket).context("cannot disconnect")
    }))
}

fn tcp(number: u32) -> Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).context("cannot make a socket")?;
    socket.set_nonblocking(true)?;
    match socket.connect(&destination(number).into()) {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
        Err(error) => Err(error).context("cannot connect"),
        Ok(()) => bail!("{}", io::Error::other("something answered")),
    }
}

/// One of sixteen million destinations of the place's network.
fn destination(number: u32) -> SocketAddrV4 {
    SocketAddrV4::new(
        Ipv4Addr::from_bits(0x0a00_0001 + (number & 0x00ff_ffff)),
        179,
    )
}
