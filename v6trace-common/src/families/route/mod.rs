//! Routes of IPv6 that the kernel refuses to add, change or delete
//! (`inet6_rtm_newroute`, `inet6_rtm_delroute`), and routes of IPv4 by way of an IPv6
//! gateway (`inet_rtm_newroute`), over netlink; those of IPv6 also by an ioctl
//! (`ipv6_route_ioctl`), whose record is as of a request that asks for the same. And
//! routes that the kernel removes by itself: of IPv6 (`fib6_del`, which the family
//! `forwarding` watches), and of IPv4 by way of an IPv6 gateway (`call_fib4_notifiers`);
//! or that lose their source with its address (`fib6_remove_prefsrc`), or a next hop with
//! a carrier (`fib6_ifdown`).

mod payloads;

use crate::{
    Candidate, Family, Hook, HookInfo, Programs,
    families::{address, advertisement, forwarding},
    kernel,
    member::{Shape, members},
};
pub use payloads::*;

/// Adding or changing a route of IPv6.
pub const ADD: Hook = Hook(35);
/// Deleting one.
pub const DELETE: Hook = Hook(36);
/// Adding or changing a route of IPv4.
pub const ADD4: Hook = Hook(37);
/// Taking an address that goes from a route of IPv6 whose source it is.
pub const SOURCE: Hook = Hook(42);
/// Telling of a change of the routes of IPv4.
pub const CHANGE4: Hook = Hook(43);
/// Telling a route of IPv6 that an interface lost its carrier, or goes.
pub const LINK: Hook = Hook(44);
/// Adding or deleting one of IPv6 by an ioctl.
pub const IOCTL: Hook = Hook(46);

members! {
    $ route_members:
    ROUTE_EXPIRES: Shape::Bytes(8), "fib6_info.expires",
        "routes whose lifetime ran out are not recognised";
    ROUTE_SOURCE_LEN: Shape::Bytes(4), "fib6_info.fib6_src.plen",
        "routes that went are not told from those for some sources";
    ROUTE_SIBLINGS: Shape::Bytes(4), "fib6_info.fib6_nsiblings",
        "next hops that lose their carrier are not explained, and no command is given for \
         routes that lose their source";
    EVENT_DEV: Shape::Object, "arg_netdev_event.dev",
        "next hops that lose their carrier are not explained";
    EVENT: Shape::Bytes(8), "arg_netdev_event.event",
        "next hops that lose their carrier are not explained";
    LINK_CHANGES: Shape::Value, "netdev_cmd.NETDEV_CHANGE",
        "next hops that lose their carrier are not explained";
    FIB_NH_FLAGS: Shape::Bytes(1), "fib6_nh.nh_common.nhc_flags",
        "next hops that lose their carrier are not explained";
    CNF_IGNORE_LINKDOWN: Shape::Bytes(4), "inet6_dev.cnf.ignore_routes_with_linkdown",
        "whether next hops without a carrier are passed over is not known";
    ROUTE_PREFSRC: Shape::Bytes(16), "fib6_info.fib6_prefsrc.addr",
        "routes that lose their source are not explained";
    ROUTE_PREFSRC_LEN: Shape::Bytes(4), "fib6_info.fib6_prefsrc.plen",
        "routes that lose their source are not explained";
    FIB_ENTRY_GONE: Shape::Value, "fib_event_type.FIB_EVENT_ENTRY_DEL",
        "routes of IPv4 that go are not explained";
    FIB_ENTRY_INFO: Shape::Object, "fib_entry_notifier_info.fi",
        "routes of IPv4 that go are not explained";
    FIB_ENTRY_DESTINATION: Shape::Bytes(4), "fib_entry_notifier_info.dst",
        "routes of IPv4 that go are not explained";
    FIB_ENTRY_LEN: Shape::Bytes(4), "fib_entry_notifier_info.dst_len",
        "routes of IPv4 that go are not explained";
    FIB_ENTRY_TYPE: Shape::Bytes(1), "fib_entry_notifier_info.type",
        "routes of IPv4 that go are not explained";
    FIB_ENTRY_TABLE: Shape::Bytes(4), "fib_entry_notifier_info.tb_id",
        "the table of a route of IPv4 that goes is not known";
    FIB_INFO_FLAGS: Shape::Bytes(4), "fib_info.fib_flags",
        "routes of IPv4 that go are not explained";
    FIB_INFO_HOP: Shape::Object, "fib_info.fib_nh",
        "routes of IPv4 that go are not explained";
    DEV_L3MDEV: Shape::Object, "net_device.l3mdev_ops",
        "interfaces are not taken for VRFs, as is right where there are none";
    DEV_UPPER: Shape::Object, "net_device.adj_list.upper",
        "routes that are refused to ioctls are not explained";
    ADJACENT_DEV: Shape::Object, "netdev_adjacent.dev",
        "routes that are refused to ioctls are not explained";
    ADJACENT_LIST: Shape::Object, "netdev_adjacent.list",
        "routes that are refused to ioctls are not explained";
    NEXTHOP_GROUP: Shape::Object, "nexthop.nh_grp",
        "routes that go with the last of a group of nexthop objects are not explained";
    GROUP_COUNT: Shape::Bytes(2), "nh_group.num_nh",
        "routes that go with the last of a group of nexthop objects are not explained";
    GROUP_ENTRIES: Shape::Object, "nh_group.nh_entries",
        "routes that go with the last of a group of nexthop objects are not explained";
    GROUP_ENTRY_NEXTHOP: Shape::Object, "nh_grp_entry.nh",
        "routes that go with the last of a group of nexthop objects are not explained";
    NEXTHOP_INFO: Shape::Object, "nexthop.nh_info",
        "routes that go with their nexthop object are not explained";
    NEXTHOP_REJECTS: Shape::Bytes(1), "nh_info.reject_nh",
        "routes that go with their nexthop object are not explained";
    NEXTHOP_FIB_NH: Shape::Object, "nh_info.fib6_nh",
        "routes that go with their nexthop object are not explained";
}

/// What each of its functions needs.
const NEEDS: &[&crate::member::Member] = &[&kernel::SKB_SK, &kernel::SOCK_NET, &kernel::NET_INUM];

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "route",
    about: "routes that are refused, and that the kernel takes away",
    on_request: None,
    payloads: &[&RouteRefused::LAYOUT, &RoutesGone::LAYOUT],
    parts: &[&GoneRoute::LAYOUT],
    constants: &[&KNOWN, &REASONS, &PROTOCOLS],
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
        HookInfo {
            hook: SOURCE,
            name: "route-source",
            about: "taking an address from routes of IPv6 whose source it is",
            without: "routes that lose their source are not explained",
            candidates: &[Candidate {
                function: "fib6_remove_prefsrc",
                kprobes: Programs::both("route_source_enter", "route_source_return"),
                trampoline: Some(Programs::both("route_source_fentry", "route_source_fexit")),
                needs: &[
                    &ROUTE_PREFSRC,
                    &ROUTE_PREFSRC_LEN,
                    &kernel::ROUTE_FIB_NH,
                    &kernel::FIB_NH_DEV,
                    &kernel::DEV_NET,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: LINK,
            name: "route-link",
            about: "telling a route of IPv6 that an interface lost its carrier, or goes",
            without: "next hops that lose their carrier are not explained",
            candidates: &[Candidate {
                function: "fib6_ifdown",
                kprobes: Programs::entry("route_link_enter"),
                trampoline: Some(Programs::entry("route_link_fentry")),
                needs: &[
                    &ROUTE_SIBLINGS,
                    &EVENT_DEV,
                    &EVENT,
                    &LINK_CHANGES,
                    &FIB_NH_FLAGS,
                    &kernel::ROUTE_FIB_NH,
                    &kernel::FIB_NH_DEV,
                    &kernel::DEV_STATE,
                    &kernel::DEV_NET,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: CHANGE4,
            name: "route-change-ipv4",
            about: "telling of a change of the routes of IPv4",
            without: "routes of IPv4 by way of an IPv6 gateway that go are not explained",
            candidates: &[Candidate {
                function: "call_fib4_notifiers",
                kprobes: Programs::entry("route_change_ipv4"),
                trampoline: Some(Programs::entry("route_change_ipv4_fentry")),
                needs: &[
                    &FIB_ENTRY_GONE,
                    &FIB_ENTRY_INFO,
                    &FIB_INFO_FLAGS,
                    &FIB_INFO_HOP,
                    &kernel::FIB_INFO_NH,
                    &kernel::NHC_GW_FAMILY,
                    &kernel::NHC_DEV,
                    &kernel::DEV_NET,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: IOCTL,
            name: "route-ioctl",
            about: "adding or deleting a route of IPv6 by an ioctl",
            without: "routes that are refused to `route -A inet6` are not explained",
            candidates: &[Candidate {
                function: "ipv6_route_ioctl",
                kprobes: Programs::both("route_ioctl_enter", "route_ioctl_return"),
                trampoline: None,
                needs: &[&kernel::NET_INUM, &DEV_UPPER, &ADJACENT_DEV, &ADJACENT_LIST],
                note: None,
            }],
        },
    ],
    also: &[
        forwarding::ROUTE_DELETE,
        advertisement::RECEIVED,
        address::FLAGS_CHANGED,
    ],
    members: MEMBERS,
    variables: &[],
};
