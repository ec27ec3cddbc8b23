//! The choice of an IPv4 source address for a route with an IPv6 next hop, as
//! `fib_select_path` left it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::INTERFACE_NAME_LEN;

/// Payload of [`Kind::SourceSelection`](crate::Kind::SourceSelection).
///
/// IPv4 addresses are in the order in which they are written; all zero stands
/// for none.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SourceSelection {
    /// Lookups like this one that were not reported since the last that was.
    pub suppressed: u64,
    /// The next hop: `nhc_gw.ipv6`.
    pub next_hop: [u8; 16],
    /// Name of the interface that it is on, NUL-padded: `nhc_dev`.
    pub interface: [u8; INTERFACE_NAME_LEN],
    /// Where the packet goes: `flowi4.daddr`.
    pub destination: [u8; 4],
    /// What was chosen: `flowi4.saddr`.
    pub source: [u8; 4],
    /// The route's own source: `fib_info.fib_prefsrc`.
    pub prefsrc: [u8; 4],
    /// The route's destination: `fib_result.prefix`.
    pub prefix: [u8; 4],
    /// Index of the interface that the next hop is on.
    pub ifindex: u32,
    /// Index of the interface that was asked for, 0 for none: `flowic_oif`.
    pub oif: u32,
    /// Index of the VRF in which was looked, 0 for none: `flowic_l3mdev`.
    /// Kernels before 5.19 have no such member and say it in [`oif`](Self::oif).
    pub l3mdev: u32,
    /// The route's table: `fib_info.fib_tb_id`, 0 where unknown.
    pub table: u32,
    /// The route's metric: `fib_info.fib_priority`.
    pub metric: u32,
    /// Id of the route's nexthop object, 0 for none: `nexthop.id`.
    pub nexthop_id: u32,
    /// Constants of this module.
    pub flags: u32,
    /// Bits of the prefix: `fib_result.prefixlen`.
    pub prefix_len: u8,
    /// The packet's IP protocol: `flowic_proto`, 0 where unknown.
    pub protocol: u8,
    /// `nhc_flags` (`RTNH_F_*`).
    pub next_hop_flags: u8,
    /// Who made the route (`RTPROT_*`): `fib_info.fib_protocol`, 0 where
    /// unknown.
    pub route_protocol: u8,
}

const _: () = assert!(size_of::<SourceSelection>() == 88);

/// The source is an address of the next hop's interface.
pub const ON_INTERFACE: u32 = 1 << 0;
/// The interface has more addresses than were compared with the source.
pub const MORE_ADDRESSES: u32 = 1 << 1;
/// The route has several next hops of its own, without a nexthop object.
pub const SEVERAL_NEXT_HOPS: u32 = 1 << 2;
/// `prefix` was read.
pub const PREFIX_READ: u32 = 1 << 3;
/// `l3mdev` was read.
pub const L3MDEV_READ: u32 = 1 << 4;
/// `source` is not the interface's first address that would do, but the one
/// whose subnet the first 32 bits of the next hop lie in.
pub const BY_GATEWAY_BITS: u32 = 1 << 5;
/// The route has no options of its own: metrics such as an MTU, an
/// encapsulation, a realm, a scope other than a gateway's.
pub const NO_OPTIONS: u32 = 1 << 6;
/// No other route of the table has its prefix and metric.
pub const ONLY_ROUTE: u32 = 1 << 7;
