//! An option that a socket was refused.

use v6trace_common::families::option as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::Decode,
};

/// A socket option of IPv6 that was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionRefused {
    /// Why it was refused.
    pub errno: Errno,
    /// The option (`IPV6_*`, `MRT6_*`).
    pub option: u32,
    /// The first four bytes of its value.
    pub value: Option<i32>,
    /// The four bytes after these.
    pub more: Option<u32>,
    /// Bytes of the value.
    pub length: u32,
    /// The interface that the value is or names, 0 for none.
    pub ifindex: u32,
    /// That interface.
    pub interface: Interface,
    /// The socket's type and state.
    pub socket: Option<SocketState>,
    /// Whether the socket is for IPv6 alone.
    pub v6only: Option<bool>,
    /// The task's effective capabilities, in its own user namespace.
    pub capabilities: Option<u32>,
    /// Inode number of the socket.
    pub socket_inode: Option<u64>,
    /// The table of multicast routes that the socket is for.
    pub table: Option<Table>,
    /// Calls that were refused likewise and not reported before this one.
    pub suppressed: u32,
}

/// An interface that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interface {
    /// It is there, with this name.
    Found(Name),
    /// There is none with that index.
    Absent,
    /// The same; the one with this name has the index whose bytes are in the other
    /// order.
    Swapped(Name),
    /// None was asked for, or it could not be looked for.
    Unknown,
}

/// What a socket is, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketState {
    /// `sock.sk_type` (`SOCK_*`)
    pub kind: u32,
    /// `sock.sk_protocol` (`IPPROTO_*`)
    pub protocol: u32,
    /// `sock.sk_state` (`TCP_*`)
    pub state: u32,
    /// The port that it has, or 0; of a raw socket its protocol.
    pub number: u32,
    /// The interface that it is bound to, or 0.
    pub bound_ifindex: u32,
    /// Its name; empty where none has that index any more.
    pub bound_interface: Name,
}

/// A table of multicast routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its number.
    pub number: u32,
    /// Whether there is one, where that is known.
    pub is_there: Option<bool>,
    /// Who routes by it.
    pub router: Router,
}

/// Who routes multicasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Router {
    /// Nobody.
    Nobody,
    /// That could not be read.
    Unknown,
    /// This very socket.
    ThisSocket,
    /// The socket with this inode number, where that is known.
    Other(Option<u64>),
}

impl Decode for OptionRefused {
    type Wire = wire::OptionRefused;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.read & flag != 0;
        let interface = || name(&wire.interface);
        Self {
            errno: Errno(wire.ret.saturating_neg()),
            option: wire.option,
            value: has(wire::VALUE_READ).then_some(wire.value),
            more: has(wire::MORE_READ).then_some(wire.more),
            length: wire.length,
            ifindex: wire.ifindex,
            interface: if has(wire::INTERFACE_FOUND) {
                Interface::Found(interface())
            } else if has(wire::SWAPPED_FOUND) {
                Interface::Swapped(interface())
            } else if has(wire::INTERFACE_ABSENT) {
                Interface::Absent
            } else {
                Interface::Unknown
            },
            socket: has(wire::STATE_READ).then(|| SocketState {
                kind: wire.sk_type,
                protocol: wire.sk_protocol,
                state: wire.sk_state,
                number: wire.inet_num,
                bound_ifindex: wire.bound_ifindex,
                bound_interface: name(&wire.bound_interface),
            }),
            v6only: has(wire::IPV6ONLY_READ).then_some(has(wire::IPV6ONLY)),
            capabilities: has(wire::TASK_READ).then_some(wire.capabilities),
            socket_inode: (wire.socket_inode != 0).then_some(wire.socket_inode),
            table: has(wire::TABLE_READ).then(|| Table {
                number: wire.table,
                is_there: has(wire::TABLES_READ).then_some(has(wire::TABLE_FOUND)),
                router: if has(wire::ROUTED_BY_THIS) {
                    Router::ThisSocket
                } else if has(wire::ROUTED) {
                    Router::Other((wire.router_inode != 0).then_some(wire.router_inode))
                } else if has(wire::ROUTER_READ)
                    || has(wire::TABLES_READ) && !has(wire::TABLE_FOUND)
                {
                    Router::Nobody
                } else {
                    Router::Unknown
                },
            }),
            suppressed: wire.suppressed,
        }
    }
}
