//! A join of a multicast group on a socket, as `__ipv6_sock_mc_join` left it; and
//! the memberships that sockets have, without a join.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
    member::{Shape, members},
};

/// Joining a multicast group on a socket.
pub const JOIN: Hook = Hook(0);
/// Charging a socket's option memory on behalf of such a join.
pub const OPTION_MEMORY: Hook = Hook(1);

layout! {
    /// A join of a multicast group on a socket returned.
    ///
    /// What could not be read is zero, and the [`flags`](Self::flags) say so: a
    /// value counts only where its flag is set.
    pub struct MulticastJoin: kind 1, 88 bytes {
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
        /// Which of the values above were read, and what was found.
        pub flags: u32,
        /// The socket's protocol (`IPPROTO_UDP`, `IPPROTO_ICMPV6` …).
        pub sk_protocol: u32,
    }
}

constants! {
    MODES of mode:
    /// `MCAST_EXCLUDE`: a plain join, all sources but those excluded.
    MODE_EXCLUDE = 0;
    /// `MCAST_INCLUDE`: a join made for one source (`MCAST_JOIN_SOURCE_GROUP`).
    MODE_INCLUDE = 1;
}

constants! {
    FLAGS of flags:
    /// The namespace's devices could be searched by index.
    DEVICES_READ = 1 << 0;
    /// A device with the requested index exists.
    DEVICE_FOUND = 1 << 1;
    /// That device has IPv6 state (`net_device.ip6_ptr` is not null).
    DEVICE_HAS_INET6 = 1 << 2;
    /// That IPv6 state is being torn down (`inet6_dev.dead`).
    DEVICE_DEAD = 1 << 3;
    /// `sk_omem_alloc` was read.
    OMEM_READ = 1 << 4;
    /// `optmem_max` was read.
    LIMIT_READ = 1 << 5;
    /// The limit is the namespace's own, else one for the whole machine.
    LIMIT_OF_NETNS = 1 << 6;
    /// `size` and `sk_omem_alloc` are those that the kernel compared, seen at
    /// `sock_kmalloc`; else those at the return.
    CHARGE_SEEN = 1 << 7;
    /// The socket belongs to the kernel (`sk_kern_sock`).
    KERNEL_SOCKET = 1 << 8;
    /// The memberships were counted.
    WALKED = 1 << 9;
    /// They were counted to the end of the list.
    WALK_COMPLETE = 1 << 10;
    /// One of them has this group and fits the requested index.
    SAME_GROUP_FOUND = 1 << 11;
    /// No device has the requested index.
    DEVICE_ABSENT = 1 << 12;
    /// The group was read.
    GROUP_READ = 1 << 13;
    /// Whether the device has IPv6 state was read.
    INET6_READ = 1 << 14;
    /// The device's MTU was read.
    MTU_READ = 1 << 15;
}

/// The program that the kernel runs for each file that a process has open, and that
/// writes what a socket has joined: its [`Holder`], then the interface index of each
/// membership, `listed` numbers of 32 bits.
pub const ITERATOR: &str = "multicast_memberships";
/// What it iterates over.
pub const ITERATED: &str = "task_file";
/// Memberships of one socket that are listed: a power of two.
pub const LISTED: usize = 4096;

/// A socket of IPv6 that has memberships.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Holder {
    /// Its inode number.
    pub socket_inode: u64,
    /// The inode number of its network namespace.
    pub netns: u32,
    /// Bytes of option memory in use.
    pub sk_omem_alloc: i32,
    /// Bytes that each membership takes of that.
    pub size: u32,
    /// Memberships that follow.
    pub listed: u32,
    /// Not 0: these are all.
    pub complete: u32,
    /// Zero.
    pub unused: u32,
}

members! {
    $ multicast_join_members:
    SOCK_KERN_SOCK: Shape::Bits, "sock.sk_kern_sock",
        "the kernel's own sockets are taken for the task's";
    NET_DEV_BASE_SEQ: Shape::Bytes(4), "net.dev_base_seq",
        "the memberships of a full socket are counted anew at each failure";
    INET_SOCK_PINET6: Shape::Object, "inet_sock.pinet6",
        "memberships are not counted";
    PINFO_MC_LIST: Shape::Object, "ipv6_pinfo.ipv6_mc_list",
        "memberships are not counted";
    MC_ADDR: Shape::Bytes(16), "ipv6_mc_socklist.addr",
        "the membership in the way is not found";
    MC_IFINDEX: Shape::Bytes(4), "ipv6_mc_socklist.ifindex",
        "memberships are not counted";
    MC_NEXT: Shape::Object, "ipv6_mc_socklist.next",
        "memberships are not counted";
    MC_SIZE: Shape::Size, "ipv6_mc_socklist",
        "the size of a charge is known only from sock_kmalloc";
    ITER_SEQ: Shape::Object, "bpf_iter_meta.seq",
        "check does not see the memberships of sockets";
    INODE_SUPERBLOCK: Shape::Object, "inode.i_sb",
        "check does not see the memberships of sockets";
    SUPERBLOCK_MAGIC: Shape::Bytes(8), "super_block.s_magic",
        "check does not see the memberships of sockets";
    SOCKET_OF_INODE: Shape::Object, "socket_alloc.vfs_inode",
        "check does not see the memberships of sockets";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "multicast-join",
    about: "joins of multicast groups on sockets",
    on_request: None,
    payloads: &[&MulticastJoin::LAYOUT],
    parts: &[],
    constants: &[&MODES, &FLAGS],
    hooks: &[
        HookInfo {
            hook: JOIN,
            name: "multicast-join",
            about: "joining a multicast group on a socket",
            without: "failed multicast joins are not seen",
            candidates: &[
                Candidate {
                    function: "__ipv6_sock_mc_join",
                    kprobes: Programs::both("multicast_join_enter", "multicast_join_return")
                        .continued("multicast_join_walk", "RETURN_CONTINUATIONS"),
                    trampoline: Some(
                        Programs::ret("multicast_join_exit")
                            .continued("multicast_join_exit_walk", "EXIT_CONTINUATIONS"),
                    ),
                    needs: &[&kernel::SOCK_NET, &kernel::NET_INUM],
                    note: None,
                },
                Candidate {
                    function: "ipv6_sock_mc_join",
                    kprobes: Programs::both(
                        "multicast_join_any_source_enter",
                        "multicast_join_return",
                    )
                    .continued("multicast_join_walk", "RETURN_CONTINUATIONS"),
                    trampoline: None,
                    needs: &[&kernel::SOCK_NET, &kernel::NET_INUM],
                    note: Some("joins with a source (MCAST_JOIN_SOURCE_GROUP) are not seen"),
                },
            ],
        },
        HookInfo {
            hook: OPTION_MEMORY,
            name: "option-memory",
            about: "charging a socket's option memory on behalf of such a join",
            without: "a failed join's size and sk_omem_alloc are those at its return",
            candidates: &[Candidate {
                function: "sock_kmalloc",
                kprobes: Programs::entry("option_memory_charge"),
                trampoline: Some(Programs::ret("option_memory_charged")),
                needs: &[&kernel::SOCK_OMEM_ALLOC],
                note: None,
            }],
        },
    ],
    also: &[],
    members: MEMBERS,
    variables: &[],
};
