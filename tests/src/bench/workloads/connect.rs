//! Connects to destinations not seen before, that go well: by IPv4 and a next hop
//! that is nobody's concern here, and by IPv6.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context as _, Result, bail};
use socket2::{Domain, Socket, Type};

use super::{Operation, Workload};

/// Of a datagram socket: nothing is sent.
pub(super) const UDP: Workload = Workload {
    name: "udp-connect",
    count: 8000,
    prepare: |_| udp(v4),
};

/// Of a stream socket that does not wait: the first segment is sent.
pub(super) const TCP: Workload = Workload {
    name: "tcp-connect",
    count: 4000,
    prepare: |_| Ok(Box::new(|number| tcp(v4(number)))),
};

/// The same by IPv6.
pub(super) const UDP6: Workload = Workload {
    name: "udp6-connect",
    count: 8000,
    prepare: |_| udp(v6),
};

/// The same.
pub(super) const TCP6: Workload = Workload {
    name: "tcp6-connect",
    count: 4000,
    prepare: |_| Ok(Box::new(|number| tcp(v6(number)))),
};

/// One socket for all: making it would blur what connecting costs.
fn udp(destination: fn(u32) -> SocketAddr) -> Result<Operation> {
    let socket = Socket::new(Domain::for_address(destination(0)), Type::DGRAM, None);
    let socket = socket.context("cannot make a socket")?;
    Ok(Box::new(move |number| {
        socket
            .connect(&destination(number).into())
            .context("cannot connect")?;
        // It forgets its source address.
        rustix::net::connect_unspec(&socket).context("cannot disconnect")
    }))
}

fn tcp(destination: SocketAddr) -> Result<()> {
    let socket = Socket::new(Domain::for_address(destination), Type::STREAM, None);
    let socket = socket.context("cannot make a socket")?;
    socket.set_nonblocking(true)?;
    match socket.connect(&destination.into()) {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
        Err(error) => Err(error).context("cannot connect"),
        Ok(()) => bail!("{}", io::Error::other("something answered")),
    }
}

/// One of sixteen million destinations of the place's network.
fn v4(number: u32) -> SocketAddr {
    let address = Ipv4Addr::from_bits(0x0a00_0001 + (number & 0x00ff_ffff));
    (address, 179).into()
}

/// One of as many as there are numbers.
fn v6(number: u32) -> SocketAddr {
    let network = Ipv6Addr::new(0x2001, 0xdb8, 0x8000, 0, 0, 0, 0, 1);
    (
        Ipv6Addr::from_bits(network.to_bits() + u128::from(number)),
        179,
    )
        .into()
}
