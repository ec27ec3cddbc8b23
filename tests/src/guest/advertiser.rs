//! Messages of routers as no daemon sends them: made by hand, byte for byte.

use std::net::{Ipv6Addr, SocketAddrV6};

use anyhow::{Context as _, Result};
use socket2::{Domain, Protocol, Socket, Type};

use super::{Link, Netns};

/// Whoever is on the link.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// A raw `ICMPv6` socket on an interface; the kernel adds addresses and checksum.
pub(crate) struct Advertiser {
    socket: Socket,
    ifindex: u32,
}

impl Advertiser {
    /// Sends from that address of the interface.
    pub(crate) fn new(netns: &Netns, link: &Link, source: Ipv6Addr) -> Result<Self> {
        netns.enter(|| {
            let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))
                .context("cannot make a raw socket")?;
            socket.set_multicast_if_v6(link.ifindex)?;
            socket.set_multicast_loop_v6(false)?;
            let from = SocketAddrV6::new(source, 0, 0, link.ifindex);
            socket
                .bind(&from.into())
                .with_context(|| format!("cannot bind to {source}"))?;
            let advertiser = Self {
                socket,
                ifindex: link.ifindex,
            };
            advertiser.hop_limit(255)?;
            Ok(advertiser)
        })
    }

    /// The hop limit of what is sent from now on.
    pub(crate) fn hop_limit(&self, limit: u32) -> Result<()> {
        Ok(self.socket.set_multicast_hops_v6(limit)?)
    }

    /// Sends a message to everybody on the link.
    pub(crate) fn send(&self, message: &[u8]) -> Result<()> {
        let to = SocketAddrV6::new(ALL_NODES, 0, 0, self.ifindex);
        let sent = self.socket.send_to(message, &to.into());
        sent.context("cannot send")?;
        Ok(())
    }
}

/// A router advertisement in the making: by default one of a default router for
/// half an hour.
#[derive(Clone)]
pub(crate) struct Advertisement {
    pub(crate) code: u8,
    pub(crate) hop_limit: u8,
    /// M is 0x80.
    pub(crate) flags: u8,
    pub(crate) lifetime: u16,
    options: Vec<u8>,
}

/// A prefix of an advertisement: by default one to make addresses of.
#[derive(Clone, Copy)]
pub(crate) struct AdvertisedPrefix {
    pub(crate) prefix: Ipv6Addr,
    pub(crate) length: u8,
    /// L is 0x80, A 0x40, P 0x10.
    pub(crate) flags: u8,
    pub(crate) valid: u32,
    pub(crate) preferred: u32,
}

impl AdvertisedPrefix {
    pub(crate) fn new(prefix: Ipv6Addr) -> Self {
        Self {
            prefix,
            length: 64,
            flags: 0xc0,
            valid: 1800,
            preferred: 900,
        }
    }
}

impl Advertisement {
    pub(crate) fn new() -> Self {
        Self {
            code: 0,
            hop_limit: 64,
            flags: 0,
            lifetime: 1800,
            options: Vec::new(),
        }
    }

    /// With an option, whatever it is.
    pub(crate) fn option(mut self, bytes: &[u8]) -> Self {
        self.options.extend(bytes);
        self
    }

    pub(crate) fn prefix(self, prefix: AdvertisedPrefix) -> Self {
        let mut option = vec![3, 4, prefix.length, prefix.flags];
        option.extend(prefix.valid.to_be_bytes());
        option.extend(prefix.preferred.to_be_bytes());
        option.extend([0; 4]);
        option.extend(prefix.prefix.octets());
        self.option(&option)
    }

    pub(crate) fn mtu(self, mtu: u32) -> Self {
        self.option(&[&[5, 1, 0, 0], &mtu.to_be_bytes()[..]].concat())
    }

    /// With a route of `units` times eight bytes.
    pub(crate) fn route(self, prefix: Ipv6Addr, length: u8, units: u8, lifetime: u32) -> Self {
        let mut option = vec![24, units, length, 0];
        option.extend(lifetime.to_be_bytes());
        option.extend(prefix.octets());
        option.resize(usize::from(units) * 8, 0);
        self.option(&option)
    }

    /// The message, but for its checksum.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![134, self.code, 0, 0, self.hop_limit, self.flags];
        bytes.extend(self.lifetime.to_be_bytes());
        bytes.extend([0; 8]);
        bytes.extend(&self.options);
        bytes
    }
}

/// A redirect: `destination` is to be reached by way of `target`.
pub(crate) fn redirect(target: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
    let mut bytes = vec![137, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(target.octets());
    bytes.extend(destination.octets());
    bytes
}
