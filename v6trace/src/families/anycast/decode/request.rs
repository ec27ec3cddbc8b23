//! A socket's request for an anycast address that the kernel refused.

use std::net::Ipv6Addr;

use v6trace_common::families::anycast as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::{
        Decode,
        multicast_join::{Charge, Inet6State},
    },
};

/// Bit of `CAP_NET_ADMIN` among capabilities.
const NET_ADMIN: u32 = 1 << 12;

/// `IPV6_JOIN_ANYCAST` that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct AnycastRequest {
    /// The address, where it could be read.
    pub address: Option<Ipv6Addr>,
    /// The interface index of the request; 0 leaves the choice to the routes.
    pub requested_ifindex: u32,
    /// The interface of that index.
    pub device: Requested,
    /// Why it failed.
    pub errno: Option<Errno>,
    /// `net.ipv6.conf.all.forwarding`
    pub all_forwarding: Option<i32>,
    /// What it would charge to the socket's option memory, read at its return.
    pub charge: Charge,
    /// Whether the task had `CAP_NET_ADMIN`, in whichever user namespace.
    pub net_admin: Option<bool>,
    /// Inode number of the socket, as `ss -e` shows it.
    pub socket: Option<u64>,
}

/// The interface that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requested {
    /// None was, or the namespace's interfaces could not be read.
    Unknown,
    /// None has the index.
    Absent,
    /// It was found.
    Found {
        /// Its name at that moment.
        name: Name,
        /// Its MTU, bytes.
        mtu: Option<u32>,
        /// Its IPv6 state.
        inet6: Inet6State,
        /// `net.ipv6.conf.IF.forwarding`
        forwarding: Option<i32>,
    },
}

impl AnycastRequest {
    /// The name of the interface that was asked for.
    pub fn interface(&self) -> Option<&str> {
        match &self.device {
            Requested::Found { name, .. } => Some(name),
            Requested::Unknown | Requested::Absent => None,
        }
    }

    /// That interface's forwarding.
    pub fn forwarding(&self) -> Option<i32> {
        match &self.device {
            Requested::Found { forwarding, .. } => *forwarding,
            Requested::Unknown | Requested::Absent => None,
        }
    }
}

impl Decode for AnycastRequest {
    type Wire = wire::AnycastRequest;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.flags & flag != 0;
        Self {
            address: has(wire::ADDRESS_READ).then(|| Ipv6Addr::from(wire.address)),
            requested_ifindex: wire.requested_ifindex,
            device: device(wire),
            errno: Errno::of_result(wire.ret),
            all_forwarding: has(wire::ALL_FORWARDING_READ).then_some(wire.all_forwarding),
            charge: Charge {
                size: has(wire::SIZE_READ).then_some(wire.size),
                sk_omem_alloc: has(wire::OMEM_READ).then_some(wire.sk_omem_alloc),
                optmem_max: has(wire::LIMIT_READ).then_some(wire.optmem_max),
                limit_of_netns: has(wire::LIMIT_OF_NETNS),
                seen: false,
            },
            net_admin: has(wire::CAPABILITIES_READ).then_some(wire.capabilities & NET_ADMIN != 0),
            socket: (wire.socket_inode != 0).then_some(wire.socket_inode),
        }
    }
}

fn device(wire: &wire::AnycastRequest) -> Requested {
    let has = |flag| wire.flags & flag != 0;
    if has(wire::DEVICE_FOUND) {
        Requested::Found {
            name: name(&wire.interface),
            mtu: has(wire::MTU_READ).then_some(wire.mtu),
            inet6: match (has(wire::INET6_READ), has(wire::DEVICE_HAS_INET6)) {
                (true, true) => Inet6State::Present,
                (true, false) => Inet6State::Missing,
                (false, _) => Inet6State::Unknown,
            },
            forwarding: has(wire::FORWARDING_READ).then_some(wire.forwarding),
        }
    } else if has(wire::DEVICE_ABSENT) {
        Requested::Absent
    } else {
        Requested::Unknown
    }
}
