//! The choice of an IPv4 source address for a route with an IPv6 next hop, as
//! `fib_select_path` left it.

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
    member::{Shape, members},
};

/// Choosing next hop and source address of an IPv4 packet.
pub const SELECTION: Hook = Hook(3);

layout! {
    /// A source was chosen for an IPv4 route with an IPv6 next hop, or none found.
    pub struct SourceSelection: kind 3, 88 bytes {
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
        /// What was found.
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
}

constants! {
    FLAGS of flags:
    /// The source is an address of the next hop's interface.
    ON_INTERFACE = 1 << 0;
    /// The interface has more addresses than were compared with the source.
    MORE_ADDRESSES = 1 << 1;
    /// The route has several next hops of its own, without a nexthop object.
    SEVERAL_NEXT_HOPS = 1 << 2;
    /// `prefix` was read.
    PREFIX_READ = 1 << 3;
    /// `l3mdev` was read.
    L3MDEV_READ = 1 << 4;
    /// `source` is not the interface's first address that would do, but the one
    /// whose subnet the first 32 bits of the next hop lie in.
    BY_GATEWAY_BITS = 1 << 5;
    /// The route has no options of its own: metrics such as an MTU, an
    /// encapsulation, a realm, a scope other than a gateway's.
    NO_OPTIONS = 1 << 6;
    /// No other route of the table has its prefix and metric.
    ONLY_ROUTE = 1 << 7;
}

members! {
    $ source_selection_members:
    FIB_RESULT_PREFIX: Shape::Bytes(4), "fib_result.prefix",
        "routes are not named by their prefix";
    FIB_RESULT_PREFIXLEN: Shape::Bytes(1), "fib_result.prefixlen",
        "routes are not named by their prefix";
    FIB_RESULT_NHC: Shape::Object, "fib_result.nhc",
        "IPv4 routes with IPv6 next hops are not recognised";
    FIB_RESULT_FI: Shape::Object, "fib_result.fi",
        "IPv4 routes with IPv6 next hops are not recognised";
    FIB_RESULT_TABLE: Shape::Object, "fib_result.table",
        "of several default routes, only the first is looked at";
    FIB_RESULT_FA_HEAD: Shape::Object, "fib_result.fa_head",
        "the command that would change a route is not given";
    FIB_TABLE_NUM_DEFAULT: Shape::Bytes(4), "fib_table.tb_num_default",
        "of several default routes, only the first is looked at";
    FIB_ALIAS_NEXT: Shape::Object, "fib_alias.fa_list.next",
        "the command that would change a route is not given";
    FIB_ALIAS_INFO: Shape::Object, "fib_alias.fa_info",
        "the command that would change a route is not given";
    FIB_ALIAS_SLEN: Shape::Bytes(1), "fib_alias.fa_slen",
        "the command that would change a route is not given";
    FIB_ALIAS_TB_ID: Shape::Bytes(4), "fib_alias.tb_id",
        "the command that would change a route is not given";
    NHC_LWTSTATE: Shape::Object, "fib_nh_common.nhc_lwtstate",
        "the command that would change a route is not given";
    FIB_NH_REALM: Shape::Bytes(4), "fib_nh.nh_tclassid",
        "realms of routes are not known";
    FIB_INFO_SCOPE: Shape::Bytes(1), "fib_info.fib_scope",
        "the command that would change a route is not given";
    FIB_INFO_METRICS: Shape::Object, "fib_info.fib_metrics",
        "the command that would change a route is not given";
    DST_METRICS: Shape::Bytes(68), "dst_metrics.metrics",
        "the command that would change a route is not given";
    FIB_INFO_NHS: Shape::Bytes(4), "fib_info.fib_nhs",
        "IPv6 next hops among several are seen only if they come first";
    FIB_INFO_TB_ID: Shape::Bytes(4), "fib_info.fib_tb_id",
        "the table of a route is not known";
    FLOWI4_SADDR: Shape::Bytes(4), "flowi4.saddr",
        "the choice of an IPv4 source is not seen";
    FLOWI4_DADDR: Shape::Bytes(4), "flowi4.daddr",
        "the choice of an IPv4 source is not seen";
    FLOWI4_OIF: Shape::Bytes(4), "flowi4.__fl_common.flowic_oif",
        "the interface that a packet is bound to is not known";
    FLOWI4_L3MDEV: Shape::Bytes(4), "flowi4.__fl_common.flowic_l3mdev",
        "the VRF of an IPv4 lookup is told from its interfaces";
    FLOWI4_PROTO: Shape::Bytes(1), "flowi4.__fl_common.flowic_proto",
        "TCP and UDP are not told apart";
    FLOWI4_FLAGS: Shape::Bytes(1), "flowi4.__fl_common.flowic_flags",
        "sockets that write IP headers themselves are not told apart";
    NET_ADDRESS_GENERATION: Shape::Bytes(4), "net.ipv4.dev_addr_genid",
        "an IPv4 address that came and is of no use is told after a minute";
    DEV_IP_PTR: Shape::Object, "net_device.ip_ptr",
        "borrowed IPv4 sources are not recognised";
    IN_DEVICE_IFA_LIST: Shape::Object, "in_device.ifa_list",
        "borrowed IPv4 sources are not recognised";
    IN_IFADDR_LOCAL: Shape::Bytes(4), "in_ifaddr.ifa_local",
        "borrowed IPv4 sources are not recognised";
    IN_IFADDR_NEXT: Shape::Object, "in_ifaddr.ifa_next",
        "borrowed IPv4 sources are not recognised";
    IN_IFADDR_ADDRESS: Shape::Bytes(4), "in_ifaddr.ifa_address",
        "IPv4 sources that bits of the next hop decide are not recognised";
    IN_IFADDR_MASK: Shape::Bytes(4), "in_ifaddr.ifa_mask",
        "IPv4 sources that bits of the next hop decide are not recognised";
    IN_IFADDR_SCOPE: Shape::Bytes(1), "in_ifaddr.ifa_scope",
        "IPv4 sources that bits of the next hop decide are not recognised";
    IN_IFADDR_FLAGS: Shape::Bytes(4), "in_ifaddr.ifa_flags",
        "IPv4 sources that bits of the next hop decide are not recognised";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "source-selection",
    about: "IPv4 sources behind IPv6 next hops",
    on_request: None,
    payloads: &[&SourceSelection::LAYOUT],
    parts: &[],
    constants: &[&FLAGS],
    hooks: &[HookInfo {
        hook: SELECTION,
        name: "source-selection",
        about: "choosing next hop and source address of an IPv4 packet",
        without: "IPv4 sources of routes with IPv6 next hops are not explained",
        candidates: &[Candidate {
            function: "fib_select_path",
            kprobes: Programs::both("source_selection_enter", "source_selection_return"),
            trampoline: Some(Programs::both(
                "source_selection_fentry",
                "source_selection_fexit",
            )),
            needs: &[
                &kernel::NET_INUM,
                &FIB_RESULT_NHC,
                &FIB_RESULT_FI,
                &kernel::NHC_DEV,
                &kernel::NHC_GW_FAMILY,
                &kernel::NHC_GW_IPV6,
                &kernel::FIB_INFO_PREFSRC,
                &FLOWI4_SADDR,
                &FLOWI4_DADDR,
                &kernel::DEV_IFINDEX,
                &DEV_IP_PTR,
                &IN_DEVICE_IFA_LIST,
                &IN_IFADDR_LOCAL,
                &IN_IFADDR_NEXT,
            ],
            note: None,
        }],
    }],
    also: &[],
    members: MEMBERS,
    variables: &[],
};
