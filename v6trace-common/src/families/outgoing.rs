//! IPv6 packets of programs that find no way out: what `ip6_dst_lookup_flow`, which
//! `connect()` and sending ask, answers to the sockets of processes, and which
//! route `ip6_route_output_flags` had found for that; and what `connect()` refuses
//! before it asks (`__sys_connect_file`).

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
    member::{Shape, members},
};

/// Looking for a route and a source for a socket.
pub const LOOKUP: Hook = Hook(29);
/// Looking for a route of what this host sends.
pub const ROUTE: Hook = Hook(30);
/// `connect()`
pub const CALL: Hook = Hook(31);

layout! {
    /// A socket of a process got no way out, or one that no answer comes back by.
    ///
    /// Values count only where their flag is set in [`found`](Self::found).
    pub struct OutgoingLookup: kind 19, 160 bytes {
        /// Where to: `flowi6.daddr`.
        pub destination: [u8; 16],
        /// The source so far, zeros without: `flowi6.saddr`.
        pub source: [u8; 16],
        /// The next hop of the route that was found, zeros without ([`WAY_OUT`]).
        pub gateway: [u8; 16],
        /// The destination of the route that rejects ([`ROUTE_FOUND`]).
        pub prefix: [u8; 16],
        /// Name of the interface that was asked for, or that it leaves by
        /// ([`WAY_OUT`]); NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// What the lookup returned: a negative errno, or 0.
        pub ret: i32,
        /// [`CONNECT`] or [`SEND`].
        pub operation: u32,
        /// `SOCK_*`: `sock.sk_type`
        pub socket_type: u32,
        /// The IP protocol: `sock.sk_protocol`
        pub protocol: u32,
        /// The port it goes to, 0 without.
        pub port: u32,
        /// Index of the interface that was asked for, by the socket or the address'
        /// scope; 0 without.
        pub asked: u32,
        /// Index of the interface that it leaves by ([`WAY_OUT`]).
        pub ifindex: u32,
        /// Index of the VRF in which was looked ([`VRF_READ`]), 0 for none.
        pub l3mdev: u32,
        /// The packet's mark: `flowic_mark`
        pub mark: u32,
        /// Bits of `prefix`.
        pub prefix_len: u32,
        /// The route's type (`RTN_*`): `fib6_info.fib6_type`
        pub route_type: u32,
        /// Who made it (`RTPROT_*`): `fib6_info.fib6_protocol`
        pub route_protocol: u32,
        /// Its table: `fib6_table.tb6_id`, 0 where unknown.
        pub table: u32,
        /// Its metric: `fib6_info.fib6_metric`
        pub metric: u32,
        /// The MTU of the interface that was asked for, bytes ([`ASKED_MTU_READ`]).
        pub mtu: u32,
        /// `net.ipv6.conf.IF.disable_ipv6` of that interface ([`ASKED_DISABLE_READ`]).
        pub disable_ipv6: i32,
        /// `net.ipv6.conf.all.disable_ipv6` ([`ALL_DISABLE_READ`])
        pub all_disable_ipv6: i32,
        /// Which values were read, and what was found.
        pub found: u32,
        /// Such lookups that were not reported since the last report.
        pub suppressed: u64,
    }
}

layout! {
    /// `connect()` to an address that means another host on each link, without
    /// saying which link, got EINVAL.
    pub struct ScopeMissing: kind 20, 40 bytes {
        /// Where to: `sockaddr_in6.sin6_addr`.
        pub destination: [u8; 16],
        /// `SOCK_*`: `sock.sk_type`
        pub socket_type: u32,
        /// The IP protocol: `sock.sk_protocol`
        pub protocol: u32,
        /// The port: `sockaddr_in6.sin6_port`.
        pub port: u32,
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// Such calls that were not reported since the last report.
        pub suppressed: u64,
    }
}

constants! {
    OPERATIONS of operation:
    /// `connect()`
    CONNECT = 1;
    /// Sending, or connecting anew what is connected already.
    SEND = 2;
}

constants! {
    FOUND of found:
    /// A route that rejects was found; `prefix` and what follows is of it.
    ROUTE_FOUND = 1 << 0;
    /// No route was found: the answer was the namespace's `ip6_null_entry`.
    NO_ROUTE = 1 << 1;
    /// A rule refused: the answer was `ip6_prohibit_entry` or
    /// `ip6_blk_hole_entry`.
    RULE_REJECTS = 1 << 2;
    /// The namespace has rules of its own: `fib6_has_custom_rules`.
    CUSTOM_RULES = 1 << 3;
    /// Whether it has was read.
    CUSTOM_RULES_READ = 1 << 4;
    /// `l3mdev` was read.
    VRF_READ = 1 << 5;
    /// The interface that was asked for exists.
    ASKED_FOUND = 1 << 6;
    /// No interface has that index.
    ASKED_ABSENT = 1 << 7;
    /// Whether it has IPv6 state (`net_device.ip6_ptr`) was read.
    ASKED_INET6_READ = 1 << 8;
    /// It has.
    ASKED_HAS_INET6 = 1 << 9;
    /// `mtu` was read.
    ASKED_MTU_READ = 1 << 10;
    /// `disable_ipv6` was read.
    ASKED_DISABLE_READ = 1 << 11;
    /// `all_disable_ipv6` was read.
    ALL_DISABLE_READ = 1 << 12;
    /// There is a way out; `gateway` and `ifindex` are of it.
    WAY_OUT = 1 << 13;
}

members! {
    $ outgoing_members:
    SOCK_OWN: Shape::Bytes(16), "sock.__sk_common.skc_v6_rcv_saddr",
        "programs that are bound to an address are counted with all that have none for there";
    FLOWI6_DADDR: Shape::Bytes(16), "flowi6.daddr",
        "sockets that find no way out are not explained";
    FLOWI6_SADDR: Shape::Bytes(16), "flowi6.saddr",
        "sockets that find no way out are not explained";
    FLOWI6_MARK: Shape::Bytes(4), "flowi6.__fl_common.flowic_mark",
        "the mark of a packet that finds no way out is not known";
    FLOWI6_L3MDEV: Shape::Bytes(4), "flowi6.__fl_common.flowic_l3mdev",
        "the VRF in which a packet finds no way out is not known";
    FLOWI6_DPORT: Shape::Bytes(2), "flowi6.uli.ports.dport",
        "the port of a packet that finds no way out is not known";
    FILE_SOCKET: Shape::Object, "file.private_data",
        "addresses without a scope are not explained";
    DST_ERROR: Shape::Bytes(2), "dst_entry.error",
        "routes that reject are not named";
    RT6_FROM: Shape::Object, "rt6_info.from",
        "routes that reject are not named";
    NET_NULL_ENTRY: Shape::Object, "net.ipv6.ip6_null_entry",
        "that there is no route is not recognised";
    NET_PROHIBIT_ENTRY: Shape::Object, "net.ipv6.ip6_prohibit_entry",
        "rules that reject are not recognised";
    NET_BLACKHOLE_ENTRY: Shape::Object, "net.ipv6.ip6_blk_hole_entry",
        "rules that reject are not recognised";
    NET_CUSTOM_RULES: Shape::Bytes(1), "net.ipv6.fib6_has_custom_rules",
        "whether a rule rejects is not known";
    NET_ADDRESSES_GENERATION: Shape::Bytes(4), "net.ipv6.dev_addr_genid",
        "a missing way out is told again after an hour, not once addresses have changed";
    NET_ROUTES_GENERATION: Shape::Bytes(4), "net.ipv6.fib6_sernum",
        "a missing way out is told again after an hour, not once routes have changed";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "outgoing",
    about: "connecting and sending without a route or a source",
    on_request: None,
    payloads: &[&OutgoingLookup::LAYOUT, &ScopeMissing::LAYOUT],
    parts: &[],
    constants: &[&OPERATIONS, &FOUND],
    hooks: &[
        HookInfo {
            hook: LOOKUP,
            name: "outgoing-lookup",
            about: "looking for a route and a source for a socket",
            without: "connecting and sending without a route or a source are not explained",
            candidates: &[Candidate {
                function: "ip6_dst_lookup_flow",
                kprobes: Programs::both("outgoing_lookup_enter", "outgoing_lookup_return"),
                trampoline: Some(Programs::ret("outgoing_lookup_fexit")),
                needs: &[
                    &kernel::NET_INUM,
                    &FLOWI6_DADDR,
                    &FLOWI6_SADDR,
                    &kernel::SOCK_TYPE,
                    &kernel::SOCK_PROTOCOL,
                    &kernel::SOCK_STATE,
                    &kernel::SOCK_BOUND,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: ROUTE,
            name: "outgoing-route",
            about: "looking for a route of what this host sends",
            without: "routes that reject are not named",
            candidates: &[Candidate {
                function: "ip6_route_output_flags",
                kprobes: Programs::ret("outgoing_route_return"),
                trampoline: Some(Programs::ret("outgoing_route_fexit")),
                needs: &[&DST_ERROR],
                note: None,
            }],
        },
        HookInfo {
            hook: CALL,
            name: "connect-call",
            about: "connect()",
            without: "link-local addresses without a scope are not explained",
            candidates: &[Candidate {
                function: "__sys_connect_file",
                kprobes: Programs::both("connect_call_enter", "connect_call_return"),
                trampoline: Some(Programs::ret("connect_call_fexit")),
                needs: &[
                    &FILE_SOCKET,
                    &kernel::SOCKET_SK,
                    &kernel::SOCK_BOUND,
                    &kernel::SOCK_NET,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
    ],
    also: &[],
    members: MEMBERS,
    variables: &[],
};
