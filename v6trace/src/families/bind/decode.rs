//! A local address that a socket was refused, and a socket that was.

use std::net::Ipv6Addr;

use v6trace_common::families::bind as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::{Decode, device::Device},
};

/// A local address that was refused: by a bind, or as a source.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalAddressRefused {
    /// The address.
    pub address: Ipv6Addr,
    /// Why it was refused.
    pub errno: Errno,
    /// The interface by way of which the kernel looked for it, 0 for any.
    pub ifindex: u32,
    /// That interface.
    pub device: Device<Name>,
    /// The interface that was asked for with the address, or 0.
    pub scope_id: u32,
    /// The one that the socket is bound to, or 0.
    pub bound_ifindex: u32,
    /// The port, 0 for any, and for a source.
    pub port: u32,
    /// `net.ipv4.ip_unprivileged_port_start`
    pub unprivileged_port_start: Option<i32>,
    /// The socket's type and state.
    pub socket: Option<SocketState>,
    /// Whether the socket is for IPv6 alone.
    pub v6only: Option<bool>,
    /// With whom it shares its port.
    pub reuse: Option<Reuse>,
    /// Whose the socket is.
    pub uid: Option<u32>,
    /// Inode number of the socket.
    pub socket_inode: Option<u64>,
    /// Whether the task has CAP_NET_BIND_SERVICE, in its own user namespace.
    pub bind_service: Option<bool>,
    /// The interfaces of the namespace that have the address.
    pub holders: Vec<Holder>,
    /// How many these are; the list may be shorter.
    pub holder_count: u32,
    /// Whether all interfaces were looked at.
    pub all_looked_at: bool,
    /// The loopback interface.
    pub loopback: Loopback,
    /// Addresses that were refused in the namespace and not reported before this one.
    pub suppressed: u32,
}

/// What a socket is, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketState {
    /// `sock.sk_type` (`SOCK_*`)
    pub kind: u32,
    /// `sock.sk_protocol` (`IPPROTO_*`)
    pub protocol: u32,
    /// `sock.sk_state` (`TCP_*`)
    pub state: u32,
    /// The port that it has already, or 0.
    pub number: u32,
}

/// With whom a socket shares its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reuse {
    /// `SO_REUSEADDR`
    pub address: bool,
    /// `SO_REUSEPORT`
    pub port: bool,
}

/// An interface that has the address.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    /// Its name.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// Whether it has the address as anycast only.
    pub anycast: bool,
    /// The address's `IFA_F_*` flags.
    pub address_flags: u32,
    /// Bits of its prefix.
    pub prefix_len: u32,
    /// Whether the interface is set up.
    pub is_up: Option<bool>,
    /// Whether it was ever ready for its addresses to be tested (`IF_READY`).
    pub is_ready: Option<bool>,
    /// Whether it has a carrier.
    pub has_carrier: Option<bool>,
}

/// The loopback interface, which has ::1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loopback {
    /// Whether it is set up.
    pub is_up: Option<bool>,
    /// `net.ipv6.conf.lo.disable_ipv6`
    pub disable_ipv6: Option<i32>,
}

/// An IPv6 socket that was not to be had.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketRefused {
    /// Why.
    pub errno: Errno,
    /// Its type (`SOCK_*`).
    pub socket_type: u32,
    /// Its protocol (`IPPROTO_*`).
    pub protocol: u32,
    /// The parameter `disable` of the kernel's IPv6; `None` where the kernel has
    /// none, or it could not be read.
    pub disable: Option<i32>,
}

/// `CAP_NET_BIND_SERVICE`
const BIND_SERVICE: u32 = 1 << 10;
/// `IFF_UP`
const UP: u32 = 1;
/// `IF_READY` of `inet6_dev.if_flags`
const READY: u32 = 0x8000_0000;
/// The bit of `__LINK_STATE_NOCARRIER` in `net_device.state`
const NO_CARRIER: u32 = 1 << 2;

impl Decode for LocalAddressRefused {
    type Wire = wire::LocalAddressRefused;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.known & flag != 0;
        let listed = usize::try_from(wire.holder_count).unwrap_or(usize::MAX);
        Self {
            address: Ipv6Addr::from(wire.address),
            errno: Errno(wire.ret.saturating_neg()),
            ifindex: wire.ifindex,
            device: Device::of(has(wire::DEVICE_FOUND), has(wire::DEVICE_ABSENT), || {
                name(&wire.interface)
            }),
            scope_id: wire.scope_id,
            bound_ifindex: wire.bound_ifindex,
            port: wire.port,
            unprivileged_port_start: has(wire::PORT_START_READ)
                .then_some(wire.unprivileged_port_start),
            socket: has(wire::SOCKET_READ).then_some(SocketState {
                kind: wire.sk_type,
                protocol: wire.sk_protocol,
                state: wire.sk_state,
                number: wire.inet_num,
            }),
            v6only: has(wire::V6ONLY_READ).then_some(has(wire::V6ONLY)),
            reuse: has(wire::REUSE_READ).then_some(Reuse {
                address: has(wire::REUSE_ADDRESS),
                port: has(wire::REUSE_PORT),
            }),
            uid: has(wire::UID_READ).then_some(wire.sk_uid),
            socket_inode: (wire.socket_inode != 0).then_some(wire.socket_inode),
            bind_service: has(wire::CAPABILITIES_READ)
                .then_some(wire.capabilities & BIND_SERVICE != 0),
            holders: wire.holders.iter().take(listed).map(holder).collect(),
            holder_count: wire.holder_count,
            all_looked_at: has(wire::ALL_LOOKED_AT),
            loopback: Loopback {
                is_up: has(wire::LOOPBACK_READ).then_some(wire.loopback_flags & UP != 0),
                disable_ipv6: has(wire::LOOPBACK_DISABLE_READ)
                    .then_some(wire.loopback_disable_ipv6),
            },
            suppressed: wire.suppressed,
        }
    }
}

fn holder(wire: &wire::AddressHolder) -> Holder {
    let has = |flag| wire.held_as & flag != 0;
    Holder {
        interface: name(&wire.interface),
        ifindex: wire.ifindex,
        anycast: has(wire::AS_ANYCAST),
        address_flags: wire.address_flags,
        prefix_len: wire.prefix_len,
        is_up: has(wire::DEVICE_FLAGS_READ).then_some(wire.device_flags & UP != 0),
        is_ready: has(wire::INET6_FLAGS_READ).then_some(wire.inet6_flags & READY != 0),
        has_carrier: has(wire::DEVICE_STATE_READ).then_some(wire.device_state & NO_CARRIER == 0),
    }
}

impl Decode for SocketRefused {
    type Wire = wire::SocketRefused;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            errno: Errno(wire.ret.saturating_neg()),
            socket_type: wire.socket_type,
            protocol: wire.protocol,
            disable: (wire.parameters & wire::IPV6_DISABLE_READ != 0).then_some(wire.ipv6_disable),
        }
    }
}
