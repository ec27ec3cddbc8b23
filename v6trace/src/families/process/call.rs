//! A system call on a socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use v6trace_common::families::process as wire;

use super::touched::Touch;
use crate::{errno::Errno, families::Decode};

/// `AF_INET`, `AF_INET6` and `AF_NETLINK`
const INET: u32 = 2;
const INET6: u32 = 10;
const NETLINK: u32 = 16;
/// `NETLINK_ROUTE`
const ROUTING: u32 = 0;
/// `SOCK_STREAM`, `SOCK_DGRAM` and `SOCK_RAW`
const STREAM: u32 = 1;
const DATAGRAM: u32 = 2;
const RAW: u32 = 3;

/// Which call it is, as far as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `socket`
    Socket,
    /// `connect`
    Connect,
    /// `bind`
    Bind,
    /// `sendto`, `sendmsg` and `sendmmsg`
    Send,
    /// `recvfrom`, `recvmsg` and `recvmmsg`
    Receive,
    /// `setsockopt`
    SetOption,
    /// `getsockopt` with `SO_ERROR`: how something earlier came out.
    Error,
    /// Another.
    Other,
}

impl Call {
    /// By its number on x86-64.
    const fn of(number: u32) -> Self {
        match number {
            41 => Self::Socket,
            42 => Self::Connect,
            44 | 46 | 307 => Self::Send,
            45 | 47 | 299 => Self::Receive,
            49 => Self::Bind,
            54 => Self::SetOption,
            55 => Self::Error,
            _ => Self::Other,
        }
    }

    /// What it is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Connect => "connect",
            Self::Bind => "bind",
            Self::Send => "send",
            Self::Receive => "receive",
            Self::SetOption => "setsockopt",
            Self::Error => "socket-error",
            Self::Other => "system-call",
        }
    }

    /// Whether what a family calls so is made with this call.
    pub(crate) fn makes(self, operation: &str) -> bool {
        match self {
            Self::Socket => operation == "socket",
            Self::Connect => matches!(operation, "connect" | "neighbour-create"),
            Self::Send => matches!(operation, "send" | "send-source" | "neighbour-create"),
            Self::Bind => operation == "bind",
            Self::SetOption => {
                matches!(operation, "set-option" | "multicast-join" | "anycast-join")
            }
            Self::Receive | Self::Error | Self::Other => false,
        }
    }
}

/// A socket's family, type and protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketKind {
    /// `AF_*`
    pub family: u32,
    /// `SOCK_*`
    pub kind: u32,
    /// `IPPROTO_*`
    pub protocol: u32,
}

impl SocketKind {
    pub(super) const fn is_ipv6(self) -> bool {
        self.family == INET6
    }

    pub(super) const fn is_datagram(self) -> bool {
        self.kind == DATAGRAM
    }

    pub(super) const fn is_stream(self) -> bool {
        self.kind == STREAM
    }

    /// What it is called in a sentence.
    pub(super) const fn name(self) -> &'static str {
        match (self.kind, self.protocol) {
            // 0 asks for the usual one.
            (STREAM, 0 | 6) => "a TCP socket",
            (_, 132) => "an SCTP socket",
            (STREAM, 262) => "an MPTCP socket",
            (DATAGRAM, 58) => "a ping socket",
            (DATAGRAM, _) => "a datagram socket",
            (RAW, _) => "a raw socket",
            _ => "a socket",
        }
    }
}

/// A system call that returned.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemCall {
    /// Which one.
    pub call: Call,
    /// What it failed with.
    pub errno: Option<Errno>,
    /// Whether what it began goes on: it has neither failed nor gone well.
    pub goes_on: bool,
    /// On which socket.
    pub socket: Option<SocketKind>,
    /// The address that it was given, or that the socket is connected to.
    pub address: Option<SocketAddr>,
    /// Whether the socket is connected.
    pub is_connected: bool,
    /// Level and number of the option.
    pub option: Option<(u32, u32)>,
    /// Which interface a request over netlink is about.
    pub(super) touch: Option<Touch>,
}

impl Decode for SystemCall {
    type Wire = wire::SystemCall;

    fn from_wire(wire: &Self::Wire) -> Self {
        let call = Call::of(wire.number);
        let has = |flag| wire.values & flag != 0;
        let is_netlink = wire.family == NETLINK;
        let given = has(wire::DATA_READ) && !is_netlink;
        let mut given = given.then(|| address(&wire.data)).flatten();
        if wire.socket_type == RAW
            && let Some(address) = &mut given
        {
            // It is the protocol, if anything.
            address.set_port(0);
        }
        let goes_on =
            call == Call::Connect && Errno::of_result(wire.ret) == Some(Errno::EINPROGRESS);
        let peer = has(wire::PEER_READ).then(|| peer(wire)).flatten();
        let [_, level, option, ..] = wire.arguments;
        let part = |argument: u64| u32::try_from(argument & 0xffff_ffff).unwrap_or_default();
        let asks = has(wire::DATA_READ) && is_netlink && wire.protocol == ROUTING;
        Self {
            call,
            errno: Errno::of_result(wire.ret).filter(|_| !goes_on),
            goes_on,
            socket: has(wire::SOCKET_READ).then_some(SocketKind {
                family: wire.family,
                kind: wire.socket_type,
                protocol: wire.protocol,
            }),
            address: given.or(peer),
            is_connected: peer.is_some(),
            option: (call == Call::SetOption).then(|| (part(level), part(option))),
            touch: (asks && call == Call::Send)
                .then(|| Touch::of(&wire.data))
                .flatten(),
        }
    }
}

impl SystemCall {
    /// Whether it is of IPv6, which a socket of IPv6 with an address of IPv4 is not.
    pub(super) fn is_of_ipv6(&self) -> bool {
        self.socket.is_some_and(SocketKind::is_ipv6)
            && !self.host().is_some_and(|host| host.is_ipv4())
    }

    /// Whether it went well, as far as one can tell: that a datagram was sent says nothing
    /// of what becomes of it.
    pub(crate) fn went_well(&self) -> bool {
        let is_sure = self.call != Call::Send || self.socket.is_some_and(SocketKind::is_stream);
        self.errno.is_none() && !self.goes_on && is_sure
    }

    /// Whether it is made as the other was: with the same address and port, or option. Of
    /// socket() the protocol counts and not the type, of which programs try several.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let sort = |call: &Self| {
            call.socket.map(|socket| match call.call {
                Call::Socket => (socket.family, socket.protocol),
                _ => (socket.family, socket.kind),
            })
        };
        let is_same = self.call == other.call
            || matches!(
                (self.call, other.call),
                (Call::Connect, Call::Error) | (Call::Error, Call::Connect)
            );
        is_same
            && sort(self) == sort(other)
            && place(self) == place(other)
            && self.option == other.option
    }

    /// The host that it is about.
    pub(crate) fn host(&self) -> Option<IpAddr> {
        self.address.map(|address| address.ip().to_canonical())
    }
}

/// The address and port, without what else belongs to one.
pub(super) fn place(call: &SystemCall) -> Option<(IpAddr, u16)> {
    call.address.map(|address| (address.ip(), address.port()))
}

/// A `struct sockaddr`.
fn address(bytes: &[u8; wire::DATA_LEN]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    match u32::from(u16::from_le_bytes([bytes[0], bytes[1]])) {
        INET => {
            let address: [u8; 4] = bytes[4..8].try_into().ok()?;
            Some((Ipv4Addr::from(address), port).into())
        }
        INET6 => {
            let address: [u8; 16] = bytes[8..24].try_into().ok()?;
            let scope = u32::from_le_bytes(bytes[24..28].try_into().ok()?);
            Some(SocketAddrV6::new(Ipv6Addr::from(address), port, 0, scope).into())
        }
        _ => None,
    }
}

/// Where the socket is connected to.
fn peer(wire: &wire::SystemCall) -> Option<SocketAddr> {
    let address = Ipv6Addr::from(wire.peer);
    let port = u16::try_from(wire.peer_port).ok()?;
    (!address.is_unspecified()).then(|| (address, port).into())
}
