//! Routes of IPv6 that the kernel refuses to add, change or delete
//! (`inet6_rtm_newroute`, `inet6_rtm_delroute`), and routes of IPv4 by way of an IPv6
//! gateway (`inet_rtm_newroute`): requests over netlink alone, so what the kernel
//! does to its routes by itself never counts.

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
};

/// Adding or changing a route of IPv6.
pub const ADD: Hook = Hook(35);
/// Deleting one.
pub const DELETE: Hook = Hook(36);
/// Adding or changing a route of IPv4.
pub const ADD4: Hook = Hook(37);

/// Bytes of a request that a record has room for, from its `struct rtmsg` on.
pub const REQUEST_LEN: usize = 256;
/// Bytes of the kernel's words.
pub const SAID_LEN: usize = 80;

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
}

/// What each of its functions needs.
const NEEDS: &[&crate::member::Member] = &[&kernel::SKB_SK, &kernel::SOCK_NET, &kernel::NET_INUM];

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "route",
    about: "routes that are refused",
    payloads: &[&RouteRefused::LAYOUT],
    parts: &[],
    constants: &[&KNOWN],
    hooks: &[
        HookInfo {
            hook: ADD,
            name: "route-add",
            about: "adding or changing a route of IPv6",
            without: "refused routes are not explained",
            candidates: &[Candidate {
                function: "inet6_rtm_newroute",
                kprobes: Programs::both("route_request_enter", "route_add_return"),
                trampoline: Some(Programs::ret("route_add_fexit")),
                needs: NEEDS,
                note: None,
            }],
        },
        HookInfo {
            hook: DELETE,
            name: "route-delete-request",
            about: "deleting a route of IPv6",
            without: "routes that are not there to be deleted are not explained",
            candidates: &[Candidate {
                function: "inet6_rtm_delroute",
                kprobes: Programs::both("route_request_enter", "route_delete_return"),
                trampoline: Some(Programs::ret("route_delete_fexit")),
                needs: NEEDS,
                note: None,
            }],
        },
        HookInfo {
            hook: ADD4,
            name: "route-add-ipv4",
            about: "adding or changing a route of IPv4, which may have an IPv6 gateway",
            without: "refused routes of IPv4 by way of an IPv6 gateway are not explained",
            candidates: &[Candidate {
                function: "inet_rtm_newroute",
                kprobes: Programs::both("route_request_enter", "route_add_ipv4_return"),
                trampoline: Some(Programs::ret("route_add_ipv4_fexit")),
                needs: NEEDS,
                note: None,
            }],
        },
    ],
    also: &[],
    members: &[],
    variables: &[],
};
