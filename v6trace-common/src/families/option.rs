//! Options of level IPv6 that a socket is refused (`ipv6_setsockopt`), those of
//! multicast routing among them. Memberships have families of their own.

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
    member::{Shape, members},
};

/// Setting an option.
pub const SET: Hook = Hook(33);

layout! {
    /// An option was refused.
    ///
    /// All values are those when the call returned; its flags in
    /// [`read`](Self::read) say which of them were read.
    pub struct OptionRefused: kind 21, 112 bytes {
        /// Name of the interface `ifindex`, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Name of the interface `bound_ifindex`, NUL-padded; empty where none has that
        /// index.
        pub bound_interface: [u8; INTERFACE_NAME_LEN],
        /// Inode number of the socket.
        pub socket_inode: u64,
        /// Inode number of the socket that routes multicasts by the same table.
        pub router_inode: u64,
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// The option (`IPV6_*`, `MRT6_*`).
        pub option: u32,
        /// The first four bytes of its value.
        pub value: i32,
        /// The four bytes after these.
        pub more: u32,
        /// Bytes of the value.
        pub length: u32,
        /// The interface that the value is or names, 0 for none.
        pub ifindex: u32,
        /// The interface that the socket is bound to, or 0.
        pub bound_ifindex: u32,
        /// `sock.sk_type` (`SOCK_*`)
        pub sk_type: u32,
        /// `sock.sk_protocol` (`IPPROTO_*`)
        pub sk_protocol: u32,
        /// `sock.sk_state` (`TCP_*`): 1 where it is connected.
        pub sk_state: u32,
        /// The port that the socket has, or 0; of a raw socket its protocol.
        pub inet_num: u32,
        /// The lower half of the task's effective capabilities (`cred.cap_effective`).
        pub capabilities: u32,
        /// The table of multicast routes that the socket is for (`MRT6_TABLE`).
        pub table: u32,
        /// Calls that were refused likewise and not reported before this one.
        pub suppressed: u32,
        /// What was read.
        pub read: u32,
        /// Always 0.
        pub unused: u32,
    }
}

constants! {
    READ of read:
    /// `value` was read.
    VALUE_READ = 1 << 0;
    /// `more` was read.
    MORE_READ = 1 << 1;
    /// `sk_type`, `sk_protocol`, `sk_state`, `inet_num` and `bound_ifindex` were read.
    STATE_READ = 1 << 2;
    /// Whether the socket is for IPv6 alone was read.
    IPV6ONLY_READ = 1 << 3;
    /// It is.
    IPV6ONLY = 1 << 4;
    /// `capabilities` was read.
    TASK_READ = 1 << 5;
    /// There is an interface `ifindex`.
    INTERFACE_FOUND = 1 << 6;
    /// There is none.
    INTERFACE_ABSENT = 1 << 7;
    /// There is none, but `interface` has the index whose bytes are in the other order.
    SWAPPED_FOUND = 1 << 8;
    /// `table` was read.
    TABLE_READ = 1 << 9;
    /// All tables of multicast routes of the namespace were looked at.
    TABLES_READ = 1 << 10;
    /// The table is one of them.
    TABLE_FOUND = 1 << 11;
    /// A socket routes by it.
    ROUTED = 1 << 12;
    /// It is this one.
    ROUTED_BY_THIS = 1 << 13;
    /// Whether a socket routes by it was read.
    ROUTER_READ = 1 << 14;
}

members! {
    $ option_members:
    RAW_TABLE: Shape::Bytes(4), "raw6_sock.ip6mr_table",
        "refused multicast routing is not explained";
    NET_MROUTE_TABLES: Shape::Object, "net.ipv6.mr6_tables",
        "refused multicast routing is not explained";
    MR_TABLE_LIST: Shape::Object, "mr_table.list",
        "refused multicast routing is not explained";
    MR_TABLE_ID: Shape::Bytes(4), "mr_table.id",
        "refused multicast routing is not explained";
    MR_TABLE_SOCKET: Shape::Object, "mr_table.mroute_sk",
        "refused multicast routing is not explained";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "option",
    about: "socket options of IPv6 that are refused, those of multicast routing among them",
    on_request: None,
    payloads: &[&OptionRefused::LAYOUT],
    parts: &[],
    constants: &[&READ],
    hooks: &[HookInfo {
        hook: SET,
        name: "option",
        about: "setting a socket option of IPv6",
        without: "refused options are not explained",
        candidates: &[Candidate {
            function: "ipv6_setsockopt",
            kprobes: Programs::both("option_enter", "option_return"),
            trampoline: Some(Programs::ret("option_exit")),
            needs: &[&kernel::SOCK_NET, &kernel::NET_INUM],
            note: None,
        }],
    }],
    also: &[],
    members: MEMBERS,
    variables: &[],
};
