//! A multicast join, with what could not be read told apart from zero.

use std::net::Ipv6Addr;

use v6trace_common::families::multicast_join as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::{Decode, device::Device},
};

/// A join of a multicast group that returned.
#[derive(Clone, Debug, PartialEq)]
pub struct MulticastJoin {
    /// The group; unspecified where it could not be read, which
    /// [`group_read`](Self::group_read) tells.
    pub group: Ipv6Addr,
    /// Whether the group was read.
    pub group_read: bool,
    /// The interface index of the request; 0 leaves the choice to the routes.
    pub requested_ifindex: u32,
    /// The device of that index.
    pub device: Device<Interface>,
    /// Why it failed; `None` when it did not.
    pub errno: Option<Errno>,
    /// Whether the join is for one source (`MCAST_JOIN_SOURCE_GROUP`).
    pub for_one_source: bool,
    /// The charge to the socket's option memory.
    pub charge: Charge,
    /// The socket's memberships, where they were counted.
    pub memberships: Option<Memberships>,
    /// The interface of the membership that is in the way, if one is.
    pub same_group_ifindex: Option<u32>,
    /// The socket.
    pub socket: Socket,
}

/// The interface that a join asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name at that moment.
    pub name: Name,
    /// Its MTU, bytes.
    pub mtu: Option<u32>,
    /// Its IPv6 state.
    pub inet6: Inet6State,
}

/// Whether a device speaks IPv6 (`net_device.ip6_ptr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inet6State {
    /// It does.
    Present,
    /// It did, and is going away (`inet6_dev.dead`).
    Dead,
    /// It does not.
    Missing,
    /// It could not be read.
    Unknown,
}

/// What `sock_kmalloc` compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Bytes asked for; `None` where not even the type's size is known.
    pub size: Option<u32>,
    /// Bytes in use before (`sk_omem_alloc`).
    pub sk_omem_alloc: Option<i32>,
    /// The limit (`optmem_max`).
    pub optmem_max: Option<i32>,
    /// Whether the limit is the namespace's own, else the machine's.
    pub limit_of_netns: bool,
    /// Whether these are the values at `sock_kmalloc`, else at the return.
    pub seen: bool,
}

impl Charge {
    /// Whether the kernel's own test refuses the charge; `None` where a value
    /// is not known. The test is `size <= max && omem + size < max`.
    pub fn refused(&self) -> Option<bool> {
        let size = i64::from(self.size?);
        let max = i64::from(self.optmem_max?);
        let omem = i64::from(self.sk_omem_alloc?);
        Some(size > max || omem + size >= max)
    }
}

/// A socket's memberships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memberships {
    /// How many.
    pub count: u32,
    /// How many of them are on interfaces that no longer exist.
    pub stale: Option<u32>,
    /// Whether all were counted, else there are more.
    pub complete: bool,
}

/// The socket of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Inode number, as `ss -e` shows it.
    pub inode: u64,
    /// Whether it belongs to the kernel.
    pub kernel: bool,
    /// Its protocol (`IPPROTO_*`).
    pub protocol: u32,
}

impl Decode for MulticastJoin {
    type Wire = wire::MulticastJoin;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.flags & flag != 0;
        Self {
            group: Ipv6Addr::from(wire.group),
            group_read: has(wire::GROUP_READ),
            requested_ifindex: wire.requested_ifindex,
            device: device(wire),
            errno: Errno::of_result(wire.ret),
            for_one_source: wire.mode == wire::MODE_INCLUDE,
            charge: Charge {
                size: (wire.size != 0).then_some(wire.size),
                sk_omem_alloc: has(wire::OMEM_READ).then_some(wire.sk_omem_alloc),
                optmem_max: has(wire::LIMIT_READ).then_some(wire.optmem_max),
                limit_of_netns: has(wire::LIMIT_OF_NETNS),
                seen: has(wire::CHARGE_SEEN),
            },
            memberships: has(wire::WALKED).then(|| Memberships {
                count: wire.memberships,
                stale: has(wire::DEVICES_READ).then_some(wire.stale_memberships),
                complete: has(wire::WALK_COMPLETE),
            }),
            same_group_ifindex: has(wire::SAME_GROUP_FOUND).then_some(wire.same_group_ifindex),
            socket: Socket {
                inode: wire.socket_inode,
                kernel: has(wire::KERNEL_SOCKET),
                protocol: wire.sk_protocol,
            },
        }
    }
}

impl MulticastJoin {
    /// The name of the interface that was asked for.
    pub fn interface(&self) -> Option<&str> {
        let interface = self.device.found()?;
        Some(&interface.name)
    }
}

fn device(wire: &wire::MulticastJoin) -> Device<Interface> {
    let has = |flag| wire.flags & flag != 0;
    Device::of(has(wire::DEVICE_FOUND), has(wire::DEVICE_ABSENT), || {
        Interface {
            name: name(&wire.interface),
            mtu: has(wire::MTU_READ).then_some(wire.mtu),
            inet6: match (has(wire::DEVICE_HAS_INET6), has(wire::DEVICE_DEAD)) {
                (true, false) => Inet6State::Present,
                (true, true) => Inet6State::Dead,
                (false, _) if has(wire::INET6_READ) => Inet6State::Missing,
                (false, _) => Inet6State::Unknown,
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_refused() {
        let charge = |size, omem, max| Charge {
            size: Some(size),
            sk_omem_alloc: Some(omem),
            optmem_max: Some(max),
            limit_of_netns: false,
            seen: true,
        };
        assert_eq!(charge(56, 20_424, 20_480).refused(), Some(true));
        assert_eq!(charge(56, 20_423, 20_480).refused(), Some(false));
        assert_eq!(charge(56, 0, 55).refused(), Some(true));
        assert_eq!(charge(u32::MAX, i32::MAX, i32::MAX).refused(), Some(true));
        assert_eq!(
            Charge {
                optmem_max: None,
                ..charge(1, 1, 1)
            }
            .refused(),
            None
        );
    }
}
