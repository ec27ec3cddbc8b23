//! Default routes of router advertisements that `rt6_purge_dflt_routers`
//! removed, since somebody wrote a forwarding sysctl; and the end of such a write.

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs,
    families::anycast,
    kernel,
    kind::layout,
    member::{Shape, members},
};

/// Writing a forwarding sysctl.
pub const WRITE: Hook = Hook(4);
/// Removing the default routes of router advertisements.
pub const PURGE: Hook = Hook(10);
/// Removing one route.
pub const ROUTE_DELETE: Hook = Hook(11);

/// Routes that a record has room for.
pub const ROUTES: usize = 8;

layout! {
    /// Default routes of router advertisements were removed since a forwarding
    /// sysctl was written.
    pub struct DefaultRoutesPurged: kind 5, 408 bytes {
        /// The first of the routes.
        pub routes: [PurgedRoute; ROUTES],
        /// Name of the interface whose forwarding was written, NUL-padded
        /// ([`WRITTEN_INTERFACE`](super::anycast::WRITTEN_INTERFACE)).
        pub written_interface: [u8; INTERFACE_NAME_LEN],
        /// Which forwarding sysctl was written, as in an anycast change.
        pub written: u32,
        /// How many routes were removed; those beyond [`ROUTES`] are not in
        /// `routes`.
        pub count: u32,
    }
}

layout! {
    /// One route that was removed.
    pub struct PurgedRoute: 48 bytes {
        /// The router.
        pub gateway: [u8; 16],
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// `net.ipv6.conf.IF.forwarding`, -1 where it could not be read.
        pub forwarding: i32,
        /// `net.ipv6.conf.IF.accept_ra`, -1 where it could not be read.
        pub accept_ra: i32,
        /// The route's table: `fib6_table.tb6_id`, 0 where it could not be read.
        pub table: u32,
    }
}

layout! {
    /// A write of a forwarding sysctl is over, of which there are records: those of the
    /// same thread since it began.
    pub struct ForwardingWritten: kind 30, 56 bytes {
        /// When it began, nanoseconds since boot.
        pub began_ns: u64,
        /// Name of the interface whose forwarding was written, NUL-padded
        /// ([`WRITTEN_INTERFACE`](super::anycast::WRITTEN_INTERFACE)).
        pub written_interface: [u8; INTERFACE_NAME_LEN],
        /// Which forwarding sysctl was written, as in an anycast change.
        pub written: u32,
        /// Interfaces that are up, loopback aside, and began to forward.
        pub routers: u32,
        /// Those of them that have accept_ra = 1, and ignore advertisements from now on.
        pub deaf: u32,
        /// Interfaces that are up, loopback aside, and ceased to forward.
        pub hosts: u32,
        /// Those of them that have accept_ra = 1, and heed advertisements from now on.
        pub hearing: u32,
        /// Records of anycast addresses.
        pub anycast: u32,
        /// Default routes of router advertisements that were removed.
        pub purged: u32,
        /// Always 0.
        pub reserved: u32,
    }
}

members! {
    $ forwarding_members:
    INFO_REQUEST: Shape::Object, "nl_info.nlh",
        "routes that somebody asks to be removed are looked at like others";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "forwarding",
    about: "what a write of a forwarding sysctl takes away",
    on_request: None,
    payloads: &[&DefaultRoutesPurged::LAYOUT, &ForwardingWritten::LAYOUT],
    parts: &[&PurgedRoute::LAYOUT],
    constants: &[],
    hooks: &[
        HookInfo {
            hook: WRITE,
            name: "forwarding-write",
            about: "writing a forwarding sysctl",
            without: "which forwarding sysctl was written is not known",
            candidates: &[Candidate {
                function: "addrconf_sysctl_forward",
                kprobes: Programs::both("forwarding_write_enter", "forwarding_write_return"),
                trampoline: None,
                needs: &[&kernel::CTL_DATA, &kernel::CTL_IDEV, &kernel::CTL_NET],
                note: None,
            }],
        },
        HookInfo {
            hook: PURGE,
            name: "default-route-purge",
            about: "removing the default routes of router advertisements",
            without: "default routes that vanish when forwarding is written are not explained",
            candidates: &[Candidate {
                function: "rt6_purge_dflt_routers",
                kprobes: Programs::both("default_route_purge_enter", "default_route_purge_return"),
                trampoline: None,
                needs: &[&kernel::NET_INUM],
                note: None,
            }],
        },
        HookInfo {
            hook: ROUTE_DELETE,
            name: "route-delete",
            about: "removing one route",
            without: "default routes that vanish when forwarding is written are not explained, \
                      nor routes that interfaces lose, or that the kernel removes by itself",
            candidates: &[Candidate {
                function: "fib6_del",
                kprobes: Programs::entry("route_delete_enter"),
                trampoline: Some(Programs::entry("route_delete_fentry")),
                needs: &[
                    &kernel::ROUTE_FLAGS,
                    &kernel::ROUTE_NODE,
                    &kernel::ROUTE_NEXTHOP,
                    &kernel::ROUTE_FIB_NH,
                    &kernel::FIB_NH_DEV,
                    &kernel::FIB_NH_GATEWAY,
                    &kernel::DEV_IFINDEX,
                    &kernel::DEV_NAME,
                ],
                note: None,
            }],
        },
    ],
    also: &[anycast::FORWARDING_CHANGED],
    members: MEMBERS,
    variables: &[],
};
