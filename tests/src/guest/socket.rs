//! Sockets that join multicast groups.

use std::io;
use std::net::Ipv6Addr;
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};
use socket2::{Domain, Protocol, Socket, Type};

use super::Netns;
use super::setsockopt::{
    self, GroupReq, GroupSourceReq, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP,
};

/// An IPv6 socket of one namespace, usable from anywhere.
pub(crate) struct MulticastSocket {
    socket: Socket,
}

impl MulticastSocket {
    /// A UDP socket.
    pub(crate) fn udp(netns: &Netns) -> Result<Self> {
        Self::new(netns, Type::DGRAM, None)
    }

    /// A raw `ICMPv6` socket, as router daemons use.
    pub(crate) fn icmpv6(netns: &Netns) -> Result<Self> {
        Self::new(netns, Type::RAW, Some(Protocol::ICMPV6))
    }

    fn new(netns: &Netns, kind: Type, protocol: Option<Protocol>) -> Result<Self> {
        netns.enter(|| {
            let socket =
                Socket::new(Domain::IPV6, kind, protocol).context("cannot make a socket")?;
            Ok(Self { socket })
        })
    }

    /// Joins with `IPV6_ADD_MEMBERSHIP`.
    pub(crate) fn join(&self, ifindex: u32, group: Ipv6Addr) -> io::Result<()> {
        self.socket.join_multicast_v6(&group, ifindex)
    }

    /// Leaves with `IPV6_DROP_MEMBERSHIP`.
    pub(crate) fn leave(&self, ifindex: u32, group: Ipv6Addr) -> io::Result<()> {
        self.socket.leave_multicast_v6(&group, ifindex)
    }

    /// Joins with `MCAST_JOIN_GROUP`.
    pub(crate) fn join_group(&self, ifindex: u32, group: Ipv6Addr) -> io::Result<()> {
        let request = GroupReq::new(ifindex, group);
        self.set(MCAST_JOIN_GROUP, &request)
    }

    /// Joins for one source with `MCAST_JOIN_SOURCE_GROUP`.
    pub(crate) fn join_source_group(
        &self,
        ifindex: u32,
        group: Ipv6Addr,
        source: Ipv6Addr,
    ) -> io::Result<()> {
        let request = GroupSourceReq::new(ifindex, group, source);
        self.set(MCAST_JOIN_SOURCE_GROUP, &request)
    }

    /// Makes every datagram carry destination options of `length` bytes, a
    /// multiple of 8 from 8 to 2040; the kernel keeps them in option memory.
    pub(crate) fn stick_destination_options(&self, length: usize) -> Result<()> {
        let units = u8::try_from(length / 8 - 1).context("destination options that long")?;
        let mut header = vec![0; length];
        // The length, in units of eight bytes beyond the first; the options
        // themselves are padding, since zero is Pad1.
        header[1] = units;
        setsockopt::set_bytes(
            self.socket.as_fd(),
            libc::IPPROTO_IPV6,
            libc::IPV6_DSTOPTS,
            &header,
        )
        .context("cannot set IPV6_DSTOPTS")
    }

    /// Takes an anycast address with `IPV6_JOIN_ANYCAST`.
    pub(crate) fn join_anycast(&self, ifindex: u32, address: Ipv6Addr) -> io::Result<()> {
        /// From `linux/in6.h`.
        const IPV6_JOIN_ANYCAST: std::ffi::c_int = 27;
        let request = libc::ipv6_mreq {
            ipv6mr_multiaddr: libc::in6_addr {
                s6_addr: address.octets(),
            },
            ipv6mr_interface: ifindex,
        };
        self.set(IPV6_JOIN_ANYCAST, &request)
    }

    fn set<T>(&self, name: std::ffi::c_int, value: &T) -> io::Result<()> {
        setsockopt::set(self.socket.as_fd(), libc::IPPROTO_IPV6, name, value)
    }

    /// The option memory in use, bytes: the kernel's `sk_omem_alloc`.
    pub(crate) fn option_memory(&self) -> Result<u64> {
        setsockopt::option_memory(self.socket.as_fd()).context("cannot read SO_MEMINFO")
    }

    /// The inode number by which `ss -e` and /proc/PID/fd know the socket.
    pub(crate) fn inode(&self) -> Result<u64> {
        let stat = rustix::fs::fstat(&self.socket).context("cannot stat the socket")?;
        Ok(stat.st_ino)
    }
}
