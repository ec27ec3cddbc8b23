//! An anycast address that an interface took or gave up, as
//! `__ipv6_dev_ac_inc` and `__ipv6_dev_ac_dec` left it, and a socket's request
//! for one that `ipv6_sock_ac_join` refused.

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs,
    families::forwarding,
    kernel,
    kind::{constants, layout},
    member::{Shape, members},
};

/// An interface that begins or ceases to forward.
pub const FORWARDING_CHANGED: Hook = Hook(5);
/// An address that becomes usable, or goes.
pub const USABLE: Hook = Hook(6);
/// A socket that asks for an anycast address.
pub const REQUEST: Hook = Hook(7);
/// Taking an anycast address, whoever asks for it.
pub const JOIN: Hook = Hook(8);
/// Giving an anycast address up.
pub const LEAVE: Hook = Hook(9);

layout! {
    /// An anycast address that an interface took or gave up; written only where it
    /// did not own the address before, or no longer does.
    pub struct AnycastChange: kind 4, 88 bytes {
        /// The anycast address.
        pub address: [u8; 16],
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Name of the interface whose forwarding was written, NUL-padded
        /// ([`WRITTEN_INTERFACE`]).
        pub written_interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// [`JOINED`] or [`RELEASED`].
        pub change: u32,
        /// What led to it: [`FORWARDING_CHANGE`], [`ADDRESS_USABLE`] or
        /// [`SETSOCKOPT`].
        pub trigger: u32,
        /// Which forwarding sysctl was written: [`WRITTEN_ALL`],
        /// [`WRITTEN_INTERFACE`], or 0 where none was or it is not known.
        pub written: u32,
        /// Prefix length of the interface's address from which this one follows,
        /// bits ([`PREFIX_FOUND`]).
        pub prefix_len: u32,
        /// `net.ipv6.conf.IF.forwarding` ([`FORWARDING_READ`])
        pub forwarding: i32,
        /// `net.ipv6.conf.all.forwarding` ([`ALL_FORWARDING_READ`])
        pub all_forwarding: i32,
        /// `net.ipv6.conf.IF.accept_ra` ([`ACCEPT_RA_READ`])
        pub accept_ra: i32,
        /// `net.ipv6.conf.IF.force_forwarding` ([`FORCE_FORWARDING_READ`])
        pub force_forwarding: i32,
        /// Which of the values above were read, and what was found.
        pub flags: u32,
    }
}

layout! {
    /// Payload of a record, written only where the request failed.
    pub struct AnycastRequest: kind 8, 80 bytes {
        /// Inode number of the socket, as in `/proc/PID/fd` and `ss -e`.
        pub socket_inode: u64,
        /// The address that was asked for ([`ADDRESS_READ`]).
        pub address: [u8; 16],
        /// Name of the interface that was asked for, NUL-padded
        /// ([`DEVICE_FOUND`]).
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// The interface index in the request; 0 lets the routing table decide.
        pub requested_ifindex: u32,
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// `net.ipv6.conf.IF.forwarding` of that interface ([`FORWARDING_READ`])
        pub forwarding: i32,
        /// `net.ipv6.conf.all.forwarding` ([`ALL_FORWARDING_READ`])
        pub all_forwarding: i32,
        /// Bytes that the request charges to the socket's option memory
        /// ([`SIZE_READ`]).
        pub size: u32,
        /// Bytes of option memory in use without them ([`OMEM_READ`]).
        pub sk_omem_alloc: i32,
        /// The limit that applies to the socket, bytes ([`LIMIT_READ`]).
        pub optmem_max: i32,
        /// Which of the values above were read, and what was found: constants of
        /// this module.
        pub flags: u32,
        /// The MTU of the interface, bytes ([`MTU_READ`]).
        pub mtu: u32,
        /// The lower 32 of the task's effective capabilities
        /// ([`CAPABILITIES_READ`]).
        pub capabilities: u32,
    }
}

constants! {
    CHANGES of change:
    /// The interface took the address.
    JOINED = 1;
    /// The interface gave the address up.
    RELEASED = 2;
}

constants! {
    TRIGGERS of trigger:
    /// The interface began, or ceased, to forward.
    FORWARDING_CHANGE = 1;
    /// An address became usable on an interface that forwards.
    ADDRESS_USABLE = 2;
    /// A socket asked for it (`IPV6_JOIN_ANYCAST`).
    SETSOCKOPT = 3;
}

constants! {
    WRITTEN of written:
    /// `net.ipv6.conf.all.forwarding` was written.
    WRITTEN_ALL = 1;
    /// The forwarding of one interface was written.
    WRITTEN_INTERFACE = 2;
}

constants! {
    FLAGS of flags:
    /// The interface has an address whose prefix this one begins.
    PREFIX_FOUND = 1 << 0;
    /// The interface has this very address as an ordinary one that is in force.
    OWN_ADDRESS = 1 << 1;
    /// All addresses of the interface were looked at.
    ADDRESSES_COMPLETE = 1 << 2;
    /// `forwarding` was read.
    FORWARDING_READ = 1 << 3;
    /// `all_forwarding` was read.
    ALL_FORWARDING_READ = 1 << 4;
    /// `accept_ra` was read.
    ACCEPT_RA_READ = 1 << 5;
    /// `force_forwarding` was read, as kernels since 6.17 have it.
    FORCE_FORWARDING_READ = 1 << 6;
    /// `address` was read.
    ADDRESS_READ = 1 << 7;
    /// An interface with the requested index exists.
    DEVICE_FOUND = 1 << 8;
    /// No interface has the requested index.
    DEVICE_ABSENT = 1 << 9;
    /// Whether the interface has IPv6 state (`net_device.ip6_ptr`) was read.
    INET6_READ = 1 << 10;
    /// It has.
    DEVICE_HAS_INET6 = 1 << 11;
    /// `mtu` was read.
    MTU_READ = 1 << 12;
    /// `size` is known.
    SIZE_READ = 1 << 13;
    /// `sk_omem_alloc` was read.
    OMEM_READ = 1 << 14;
    /// `optmem_max` was read.
    LIMIT_READ = 1 << 15;
    /// The limit is the namespace's own, else one for the whole machine.
    LIMIT_OF_NETNS = 1 << 16;
    /// `capabilities` was read.
    CAPABILITIES_READ = 1 << 17;
}

members! {
    $ anycast_members:
    ANYCAST_USERS: Shape::Bytes(4), "ifacaddr6.aca_users",
        "anycast addresses that are given up are not seen";
    AC_SIZE: Shape::Size, "ipv6_ac_socklist",
        "what an anycast address on a socket charges to its option memory is not known";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "anycast",
    about: "anycast addresses that this host takes and gives up, or is refused",
    on_request: None,
    payloads: &[&AnycastChange::LAYOUT, &AnycastRequest::LAYOUT],
    parts: &[],
    constants: &[&CHANGES, &TRIGGERS, &WRITTEN, &FLAGS],
    hooks: &[
        HookInfo {
            hook: FORWARDING_CHANGED,
            name: "forwarding-change",
            about: "an interface that begins or ceases to forward",
            without: "anycast addresses taken because forwarding was turned on are not explained",
            candidates: &[Candidate {
                function: "dev_forward_change",
                kprobes: Programs::both("forwarding_change_enter", "forwarding_change_return"),
                trampoline: None,
                needs: &[],
                note: None,
            }],
        },
        HookInfo {
            hook: USABLE,
            name: "address-usable",
            about: "an address that becomes usable, or goes",
            without: "anycast addresses taken beside a new address are not explained, nor \
                      addresses that interfaces lose",
            candidates: &[Candidate {
                function: "__ipv6_ifa_notify",
                kprobes: Programs::both("address_usable_enter", "address_usable_return"),
                trampoline: None,
                needs: &[&kernel::IFA_IDEV],
                note: None,
            }],
        },
        HookInfo {
            hook: REQUEST,
            name: "anycast-request",
            about: "a socket that asks for an anycast address",
            without: "anycast addresses that a socket asks for are not explained, nor why it gets none",
            candidates: &[Candidate {
                function: "ipv6_sock_ac_join",
                kprobes: Programs::both("anycast_request_enter", "anycast_request_return"),
                trampoline: None,
                needs: &[],
                note: None,
            }],
        },
        HookInfo {
            hook: JOIN,
            name: "anycast-join",
            about: "taking an anycast address, whoever asks for it",
            without: "anycast addresses that this host takes are not seen",
            candidates: &[Candidate {
                function: "__ipv6_dev_ac_inc",
                kprobes: Programs::both("anycast_join_enter", "anycast_join_return"),
                trampoline: None,
                needs: &[
                    &kernel::INET6_DEV_DEV,
                    &kernel::DEV_NET,
                    &kernel::NET_INUM,
                    &kernel::IDEV_ANYCAST,
                    &kernel::ANYCAST_ADDR,
                    &kernel::ANYCAST_NEXT,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: LEAVE,
            name: "anycast-leave",
            about: "giving an anycast address up",
            without: "anycast addresses that this host gives up are not seen",
            candidates: &[Candidate {
                function: "__ipv6_dev_ac_dec",
                kprobes: Programs::both("anycast_leave_enter", "anycast_leave_return"),
                trampoline: None,
                needs: &[
                    &kernel::INET6_DEV_DEV,
                    &kernel::DEV_NET,
                    &kernel::NET_INUM,
                    &kernel::IDEV_ANYCAST,
                    &kernel::ANYCAST_ADDR,
                    &kernel::ANYCAST_NEXT,
                    &ANYCAST_USERS,
                ],
                note: None,
            }],
        },
    ],
    also: &[forwarding::WRITE],
    members: MEMBERS,
    variables: &[],
};
