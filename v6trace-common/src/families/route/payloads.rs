//! What the records of this family hold.

use crate::{
    INTERFACE_NAME_LEN,
    kind::{constants, layout},
};

/// Bytes of a request that a record has room for, from its `struct rtmsg` on.
pub const REQUEST_LEN: usize = 256;
/// Bytes of the kernel's words.
pub const SAID_LEN: usize = 80;
/// Routes, but for a default route, that a record of those that went has room for.
pub const ROUTES: usize = 8;

layout! {
    /// A request to add, change or delete a route failed.
    ///
    /// The interface's values are those at the return; each counts only where its
    /// flag is set in [`known`](Self::known).
    pub struct RouteRefused: kind 23, 400 bytes {
        /// The request as it was sent, from its `struct rtmsg` on; zeros behind it.
        pub request: [u8; REQUEST_LEN],
        /// What the kernel says of it beside the errno: `netlink_ext_ack._msg`,
        /// NUL-padded.
        pub said: [u8; SAID_LEN],
        /// Name of the interface that the request names, NUL-padded
        /// ([`INTERFACE_FOUND`]).
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Bytes of the request; those beyond [`REQUEST_LEN`] are not in it.
        pub request_len: u32,
        /// What was asked for: `nlmsghdr.nlmsg_type` (`RTM_*`).
        pub message_type: u32,
        /// How: `nlmsghdr.nlmsg_flags` (`NLM_F_*`).
        pub message_flags: u32,
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// Index of the interface that the request names, 0 without: of several next
        /// hops each has its own, in the request.
        pub ifindex: u32,
        /// Its flags: `net_device.flags` (`IFF_*`).
        pub device_flags: u32,
        /// Its MTU, bytes.
        pub mtu: u32,
        /// `net.ipv6.conf.IF.disable_ipv6`
        pub disable_ipv6: i32,
        /// Which values were read, and what was found.
        pub known: u32,
        /// Such failures that were not reported since the last report.
        pub suppressed: u32,
        /// Always 0.
        pub reserved: u64,
    }
}

layout! {
    /// The kernel removed routes by itself: of one interface, table and gateway, or with
    /// nexthop objects of one interface and table, or with their source, and for one
    /// reason. Routes of IPv6 stay where their source goes, and have none any more; so does
    /// one of several next hops where the carrier goes, and is marked.
    ///
    /// They may go one after the other: the record's time is that of the newest, the task
    /// that of the first, and it is told once none has followed for a while.
    pub struct RoutesGone: kind 25, 688 bytes {
        /// The first of them that is no default route.
        pub routes: [GoneRoute; ROUTES],
        /// The first default route among them.
        pub default_route: GoneRoute,
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Name of the interface that the message came in by, NUL-padded
        /// ([`GONE_BY_MESSAGE`]).
        pub message_interface: [u8; INTERFACE_NAME_LEN],
        /// The source that they had ([`GONE_SOURCE`]), of IPv4 as `::ffff:0:0/96`.
        pub source: [u8; 16],
        /// When the first of them went, nanoseconds since boot.
        pub first_boot_ns: u64,
        /// Index of the interface.
        pub ifindex: u32,
        /// Index of the interface that the message came in by, 0 where it is not known.
        pub message_ifindex: u32,
        /// Why they went.
        pub reason: u32,
        /// How many went; those beyond [`ROUTES`] are not in `routes`.
        pub count: u32,
        /// How many of them were default routes.
        pub default_count: u32,
        /// Type of the ICMPv6 message by which they went ([`GONE_BY_MESSAGE`]), 0 where
        /// it is not known.
        pub message: u32,
        /// The router lifetime in a router advertisement, seconds ([`GONE_BY_MESSAGE`]).
        pub router_lifetime: u32,
        /// `net.ipv6.conf.IF.forwarding`, -1 where it could not be read.
        pub forwarding: i32,
        /// `net.ipv6.conf.IF.accept_ra`, -1 where it could not be read.
        pub accept_ra: i32,
        /// `net.ipv6.conf.IF.accept_ra_defrtr`, -1 where it could not be read.
        pub accept_ra_defrtr: i32,
        /// `net.ipv6.conf.IF.ignore_routes_with_linkdown`, -1 where it could not be read.
        pub ignore_linkdown: i32,
        /// Such routes of the interface that were not reported since the last report.
        pub suppressed: u32,
        /// Of which protocol they are: `AF_INET6`, or `AF_INET`, whose destinations are
        /// written as `::ffff:0:0/96` with the bits of the address of IPv4.
        pub family: u32,
        /// Always 0.
        pub reserved: u32,
    }
}

layout! {
    /// A route that went.
    pub struct GoneRoute: 64 bytes {
        /// Its destination.
        pub destination: [u8; 16],
        /// Its gateway, zeros without.
        pub gateway: [u8; 16],
        /// Bits of the destination.
        pub prefix_len: u32,
        /// Who made it: `fib6_info.fib6_protocol`, `fib_info.fib_protocol` (`RTPROT_*`).
        pub route_protocol: u32,
        /// Its table: `fib6_table.tb6_id`, 0 where it could not be read.
        pub table: u32,
        /// Its metric: `fib6_info.fib6_metric`, `fib_info.fib_priority`
        pub metric: u32,
        /// `fib6_info.fib6_flags` (`RTF_*`), 0 of IPv4.
        pub route_flags: u32,
        /// The number of its nexthop object, 0 without: `nexthop.id`.
        pub nexthop_id: u32,
        /// How many next hops it has beside this one, which of IPv6 are routes with the same
        /// prefix and metric: `fib6_info.fib6_nsiblings`, `fib_info.fib_nhs`; all bits set
        /// where that could not be read.
        pub siblings: u32,
        /// The number of the last nexthop object of that, where it is a group; 0 otherwise.
        pub member_id: u32,
    }
}

constants! {
    REASONS of reason:
    /// Their lifetime ran out (`fib6_info.expires`).
    GONE_EXPIRED = 1;
    /// A message of neighbour discovery took them away.
    GONE_BY_MESSAGE = 2;
    /// Their nexthop object went, as the interface has lost its carrier.
    GONE_WITH_CARRIER = 3;
    /// Their nexthop object went, as the interface was set down.
    GONE_WITH_DOWN = 4;
    /// The address that was their source went.
    GONE_SOURCE = 5;
    /// The interface has lost its carrier, by which one of several next hops goes.
    GONE_HOP = 6;
}

constants! {
    PROTOCOLS of family:
    /// `AF_INET`
    IPV4 = 2;
    /// `AF_INET6`
    IPV6 = 10;
}

constants! {
    KNOWN of known:
    /// The request was read.
    REQUEST_READ = 1 << 0;
    /// Whether the kernel says something of it was read.
    SAID_READ = 1 << 1;
    /// An interface with that index exists.
    INTERFACE_FOUND = 1 << 2;
    /// No interface has that index.
    INTERFACE_ABSENT = 1 << 3;
    /// `device_flags` was read.
    DEVICE_FLAGS_READ = 1 << 4;
    /// `mtu` was read.
    MTU_READ = 1 << 5;
    /// Whether the interface has IPv6 state (`net_device.ip6_ptr`) was read.
    INET6_READ = 1 << 6;
    /// It has.
    HAS_INET6 = 1 << 7;
    /// `disable_ipv6` was read.
    DISABLE_READ = 1 << 8;
    /// It waited until the session's end, with `suppressed` others before it.
    HELD_BACK = 1 << 9;
}
