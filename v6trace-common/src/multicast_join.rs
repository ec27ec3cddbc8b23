//! A join of a multicast group on a socket, as `__ipv6_sock_mc_join` left it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::INTERFACE_NAME_LEN;

/// Payload of [`Kind::MulticastJoin`](crate::Kind::MulticastJoin).
///
/// What could not be read is zero, and the [`flags`](Self::flags) say so: a
/// value counts only where its flag is set.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MulticastJoin {
    /// Inode number of the socket, as in `/proc/PID/fd` and `ss -e`.
    pub socket_inode: u64,
    /// The group that was to be joined.
    pub group: [u8; 16],
    /// Name of the interface that was asked for, NUL-padded ([`DEVICE_FOUND`]).
    pub interface: [u8; INTERFACE_NAME_LEN],
    /// The interface index in the request; 0 lets the routing table decide.
    pub requested_ifindex: u32,
    /// The MTU of that interface, bytes ([`MTU_READ`]).
    pub mtu: u32,
    /// What the function returned: 0 or a negative errno.
    pub ret: i32,
    /// The filter mode of the join, `MCAST_EXCLUDE` or `MCAST_INCLUDE`.
    pub mode: u32,
    /// Bytes that the join charges to the socket's option memory.
    pub size: u32,
    /// Bytes of option memory in use before that ([`OMEM_READ`]).
    pub sk_omem_alloc: i32,
    /// The limit that applies to the socket, bytes ([`LIMIT_READ`]).
    pub optmem_max: i32,
    /// Memberships of the socket ([`WALKED`]).
    pub memberships: u32,
    /// How many of them are on interfaces that no longer exist ([`WALKED`] and
    /// [`DEVICES_READ`]).
    pub stale_memberships: u32,
    /// Interface index of the membership that stands in this join's way
    /// ([`SAME_GROUP_FOUND`]).
    pub same_group_ifindex: u32,
    /// Which of the values above were read, and what was found: constants of
    /// this module.
    pub flags: u32,
    /// The socket's protocol (`IPPROTO_UDP`, `IPPROTO_ICMPV6` …).
    pub sk_protocol: u32,
}

const _: () = assert!(size_of::<MulticastJoin>() == 88);

/// `MCAST_EXCLUDE`: a plain join, all sources but those excluded.
pub const MODE_EXCLUDE: u32 = 0;
/// `MCAST_INCLUDE`: a join made for one source (`MCAST_JOIN_SOURCE_GROUP`).
pub const MODE_INCLUDE: u32 = 1;

/// The namespace's devices could be searched by index.
pub const DEVICES_READ: u32 = 1 << 0;
/// A device with the requested index exists.
pub const DEVICE_FOUND: u32 = 1 << 1;
/// That device has IPv6 state (`net_device.ip6_ptr` is not null).
pub const DEVICE_HAS_INET6: u32 = 1 << 2;
/// That IPv6 state is being torn down (`inet6_dev.dead`).
pub const DEVICE_DEAD: u32 = 1 << 3;
/// `sk_omem_alloc` was read.
pub const OMEM_READ: u32 = 1 << 4;
/// `optmem_max` was read.
pub const LIMIT_READ: u32 = 1 << 5;
/// The limit is the namespace's own, else one for the whole machine.
pub const LIMIT_OF_NETNS: u32 = 1 << 6;
/// `size` and `sk_omem_alloc` are those that the kernel compared, seen at
/// `sock_kmalloc`; else those at the return.
pub const CHARGE_SEEN: u32 = 1 << 7;
/// The socket belongs to the kernel (`sk_kern_sock`).
pub const KERNEL_SOCKET: u32 = 1 << 8;
/// The memberships were counted.
pub const WALKED: u32 = 1 << 9;
/// They were counted to the end of the list.
pub const WALK_COMPLETE: u32 = 1 << 10;
/// One of them has this group and fits the requested index.
pub const SAME_GROUP_FOUND: u32 = 1 << 11;
/// No device has the requested index.
pub const DEVICE_ABSENT: u32 = 1 << 12;
/// The group was read.
pub const GROUP_READ: u32 = 1 << 13;
/// Whether the device has IPv6 state was read.
pub const INET6_READ: u32 = 1 << 14;
/// The device's MTU was read.
pub const MTU_READ: u32 = 1 << 15;
