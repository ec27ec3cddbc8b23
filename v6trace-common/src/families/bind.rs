//! Sockets that are refused a local address: by `bind` (`inet6_bind_sk`, before 6.6
//! `inet6_bind`), or as the source of what they send (`ip6_datagram_send_ctl`); and
//! those that there are none of, since the kernel has no IPv6 (`__sock_create`).

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
    member::{Member, Shape, Variable, members},
};

/// Binding a socket.
pub const BIND: Hook = Hook(26);
/// Reading the control data of what a socket sends.
pub const SEND_SOURCE: Hook = Hook(27);
/// Making a socket.
pub const SOCKET: Hook = Hook(28);

/// Interfaces with the address that a record has room for.
pub const HOLDERS: usize = 4;

layout! {
    /// A socket was refused a local address.
    ///
    /// All values are those when the call returned; its flags in
    /// [`known`](Self::known) say which of them were read.
    pub struct LocalAddressRefused: kind 17, 304 bytes {
        /// The address.
        pub address: [u8; 16],
        /// Name of the interface `ifindex`, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// The interfaces of the namespace that have the address: the first ones, and
        /// `ifindex` if it is one of them.
        pub holders: [AddressHolder; HOLDERS],
        /// Inode number of the socket.
        pub socket_inode: u64,
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// The interface by way of which the kernel looks for the address; 0 is any.
        pub ifindex: u32,
        /// The one that was asked for with the address (`sin6_scope_id`,
        /// `ipi6_ifindex`), or 0.
        pub scope_id: u32,
        /// The one that the socket is bound to, or 0; after a bind with a scope, that.
        pub bound_ifindex: u32,
        /// The port, 0 for any; of a source always 0.
        pub port: u32,
        /// `net.ipv4.ip_unprivileged_port_start`
        pub unprivileged_port_start: i32,
        /// `sock.sk_type` (`SOCK_*`)
        pub sk_type: u32,
        /// `sock.sk_protocol` (`IPPROTO_*`)
        pub sk_protocol: u32,
        /// `sock.sk_state` (`TCP_*`): 7 where it is neither connected nor listens.
        pub sk_state: u32,
        /// The port that the socket has already (`inet_num`), or 0.
        pub inet_num: u32,
        /// How many interfaces have the address; more than there is room for are
        /// counted.
        pub holder_count: u32,
        /// `net_device.flags` of lo (`IFF_*`).
        pub loopback_flags: u32,
        /// `net.ipv6.conf.lo.disable_ipv6`
        pub loopback_disable_ipv6: i32,
        /// The lower half of the task's effective capabilities (`cred.cap_effective`).
        pub capabilities: u32,
        /// What is known.
        pub known: u32,
        /// `sock.sk_uid`: who made the socket.
        pub sk_uid: u32,
        /// Addresses that were refused in the namespace and not reported before this
        /// one, since too many were.
        pub suppressed: u32,
        /// Always 0.
        pub unused: u32,
    }
}

constants! {
    KNOWN of known:
    /// `sk_type`, `sk_protocol`, `sk_state`, `inet_num` and `bound_ifindex` were read.
    SOCKET_READ = 1 << 0;
    /// Whether the socket is for IPv6 alone was read.
    V6ONLY_READ = 1 << 1;
    /// It is.
    V6ONLY = 1 << 2;
    /// `unprivileged_port_start` was read.
    PORT_START_READ = 1 << 3;
    /// There is an interface `ifindex`.
    DEVICE_FOUND = 1 << 4;
    /// There is none.
    DEVICE_ABSENT = 1 << 5;
    /// All interfaces of the namespace were looked at for the address.
    ALL_LOOKED_AT = 1 << 6;
    /// `loopback_flags` was read.
    LOOPBACK_READ = 1 << 7;
    /// `loopback_disable_ipv6` was read.
    LOOPBACK_DISABLE_READ = 1 << 8;
    /// `capabilities` was read.
    CAPABILITIES_READ = 1 << 9;
    /// Whether the socket shares its port was read.
    REUSE_READ = 1 << 10;
    /// It has `SO_REUSEADDR`.
    REUSE_ADDRESS = 1 << 11;
    /// It has `SO_REUSEPORT`.
    REUSE_PORT = 1 << 12;
    /// `sk_uid` was read.
    UID_READ = 1 << 13;
}

layout! {
    /// An interface that has the address.
    pub struct AddressHolder: 48 bytes {
        /// Its name, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Its index.
        pub ifindex: u32,
        /// Flags of the address (`IFA_F_*`); 0 as anycast.
        pub address_flags: u32,
        /// Bits of its prefix; 0 as anycast.
        pub prefix_len: u32,
        /// `net_device.flags` of the interface (`IFF_*`).
        pub device_flags: u32,
        /// `inet6_dev.if_flags` of it.
        pub inet6_flags: u32,
        /// `net_device.state` of it: bit 2 is that there is no carrier.
        pub device_state: u32,
        /// What is known of it.
        pub held_as: u32,
        /// Always 0.
        pub unused: u32,
    }
}

constants! {
    HELD_AS of held_as:
    /// It has the address as anycast, not as its own.
    AS_ANYCAST = 1 << 0;
    /// `device_flags` was read.
    DEVICE_FLAGS_READ = 1 << 1;
    /// `inet6_flags` was read.
    INET6_FLAGS_READ = 1 << 2;
    /// `device_state` was read.
    DEVICE_STATE_READ = 1 << 3;
}

layout! {
    /// There was no IPv6 socket to be had.
    pub struct SocketRefused: kind 18, 24 bytes {
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// The type that was asked for (`SOCK_*`).
        pub socket_type: u32,
        /// The protocol that was asked for (`IPPROTO_*`).
        pub protocol: u32,
        /// The parameter `disable` of the kernel's IPv6.
        pub ipv6_disable: i32,
        /// Which of the values above were read.
        pub parameters: u32,
        /// Always 0.
        pub unused: u32,
    }
}

constants! {
    PARAMETERS of parameters:
    /// `ipv6_disable` was read.
    IPV6_DISABLE_READ = 1 << 0;
}

members! {
    $ bind_members:
    SOCK_REUSE: Shape::Bits, "sock.__sk_common.skc_reuse",
        "whether a socket shares its port is not known";
    SOCK_REUSEPORT: Shape::Bits, "sock.__sk_common.skc_reuseport",
        "whether a socket shares its port is not known";
    SOCK_UID: Shape::Bytes(4), "sock.sk_uid.val",
        "which user's a socket is is not known";
    NET_PORT_START: Shape::Bytes(4), "net.ipv4.sysctl_ip_prot_sock",
        "ports that need a privilege are not recognised";
    NET_DEVICES: Shape::Object, "net.dev_base_head",
        "where an address is that sockets are refused is not known";
    DEV_LIST: Shape::Object, "net_device.dev_list",
        "where an address is that sockets are refused is not known";
    NET_LOOPBACK: Shape::Object, "net.loopback_dev",
        "why ::1 is not there is not known";
    MSG_CONTROL: Shape::Object, "msghdr.msg_control",
        "refused sources are not explained";
    MSG_CONTROL_LEN: Shape::Bytes(8), "msghdr.msg_controllen",
        "refused sources are not explained";
}

/// What a refused address is explained by.
const NEEDS: &[&Member] = &[
    &kernel::SOCK_NET,
    &kernel::NET_INUM,
    &NET_DEVICES,
    &DEV_LIST,
    &kernel::DEV_IP6_PTR,
    &kernel::DEV_IFINDEX,
    &kernel::IDEV_ADDRESSES,
    &kernel::IFA_LIST,
    &kernel::IFA_ADDR,
    &kernel::IFA_FLAGS,
    &kernel::SOCKET_SK,
    &kernel::SOCK_BOUND,
    &MSG_CONTROL,
    &MSG_CONTROL_LEN,
    &kernel::FLOW_OIF,
];

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "bind",
    about: "sockets that are refused a local address, and that IPv6 is switched off",
    on_request: None,
    payloads: &[&LocalAddressRefused::LAYOUT, &SocketRefused::LAYOUT],
    parts: &[&AddressHolder::LAYOUT],
    constants: &[&KNOWN, &HELD_AS, &PARAMETERS],
    hooks: &[
        HookInfo {
            hook: BIND,
            name: "bind",
            about: "binding a socket to a local address",
            without: "refused binds are not explained",
            // The first is called by the second, where it is there (from 6.6 on), and by
            // MPTCP as well.
            candidates: &[
                Candidate {
                    function: "inet6_bind_sk",
                    kprobes: Programs::both("bind_enter", "bind_sk_return"),
                    trampoline: Some(Programs::ret("bind_sk_exit")),
                    needs: NEEDS,
                    note: None,
                },
                Candidate {
                    function: "inet6_bind",
                    kprobes: Programs::both("bind_enter", "bind_return"),
                    trampoline: Some(Programs::ret("bind_exit")),
                    needs: NEEDS,
                    note: None,
                },
            ],
        },
        HookInfo {
            hook: SEND_SOURCE,
            name: "send-source",
            about: "reading the source that a socket asks for with what it sends",
            without: "refused sources are not explained",
            candidates: &[Candidate {
                function: "ip6_datagram_send_ctl",
                kprobes: Programs::both("send_source_enter", "send_source_return"),
                trampoline: Some(Programs::ret("send_source_exit")),
                needs: NEEDS,
                note: None,
            }],
        },
        HookInfo {
            hook: SOCKET,
            name: "socket",
            about: "making an IPv6 socket",
            without: "that there are no IPv6 sockets is not seen",
            candidates: &[Candidate {
                function: "__sock_create",
                kprobes: Programs::both("socket_enter", "socket_return"),
                trampoline: Some(Programs::ret("socket_exit")),
                needs: &[],
                note: None,
            }],
        },
    ],
    also: &[],
    members: MEMBERS,
    variables: &[Variable {
        global: "IPV6_DISABLE",
        symbols: &[("disable_ipv6_mod", None)],
        unless: None,
        without: "whether ipv6.disable switched IPv6 off is not known",
    }],
};
