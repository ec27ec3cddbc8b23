//! IPv4 connects to destinations not seen before, by a next hop that is
//! nobody's concern here.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context as _, Result, bail};
use socket2::{Domain, Socket, Type};

use super::Workload;

/// Of a datagram socket: nothing is sent.
pub(super) const UDP: Workload = Workload {
    name: "udp-connect",
    count: 4000,
    prepare: |_| Ok(Box::new(udp)),
};

/// Of a stream socket that does not wait: the first segment is sent.
pub(super) const TCP: Workload = Workload {
    name: "tcp-connect",
    count: 1000,
    prepare: |_| Ok(Box::new(tcp)),
};

fn udp(number: u32) -> Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).context("cannot make a socket")?;
    socket
        .connect(&destination(number).into())
        .context("cannot connect")
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
