//! The table of what the programs must know of the running kernel: offsets of
//! struct members, sizes, and addresses of variables.
//!
//! Each line is a global of the kernel side. Userspace finds the member in the
//! kernel's BTF and sets the global before the programs are loaded, so that
//! the verifier sees constants and drops what an absent member guards.

/// The value of a global whose member, size or address this kernel lacks.
pub const ABSENT: u32 = u32::MAX;

/// How a member is read, and so what its global holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// So many bytes at an offset; the global holds the offset.
    Bytes(u32),
    /// A pointer or an embedded object whose address is wanted; the global
    /// holds the offset, and the size is the kernel's business.
    Object,
    /// Some bits; the global holds a packed [`Bits`].
    Bits,
    /// The size of a whole type.
    Size,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name of the global.
    pub global: &'static str,
    /// Type and member path, as `net.core.sysctl_optmem_max`; only the type
    /// for [`Shape::Size`].
    pub path: &'static str,
    /// How it is read.
    pub shape: Shape,
    /// What becomes of the explanations where this kernel lacks it, a clause.
    pub without: &'static str,
}

/// Where the bits of a bitfield are: within the 32-bit word at `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// Bytes from the start of the struct to the word.
    pub offset: u16,
    /// Bits below the field.
    pub shift: u8,
    /// Bits of the field.
    pub width: u8,
}

impl Bits {
    /// The form in which a global holds it.
    pub const fn pack(self) -> u32 {
        (self.offset as u32) | ((self.shift as u32) << 16) | ((self.width as u32) << 24)
    }

    /// The inverse of [`Bits::pack`].
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes the fields apart")]
    pub const fn unpack(packed: u32) -> Self {
        Self {
            offset: packed as u16,
            shift: (packed >> 16) as u8,
            width: (packed >> 24) as u8,
        }
    }

    /// The field's value in `word`.
    #[inline]
    pub const fn of(self, word: u32) -> u32 {
        (word >> (self.shift & 31)) & (u32::MAX >> ((32 - self.width as u32) & 31))
    }
}

/// Calls `$apply!` with the table, so that each side makes of it what it needs.
#[macro_export]
macro_rules! with_members {
    ($apply:ident) => {
        $apply! {
            // Which task, in which context.
            TASK_FLAGS: Shape::Bytes(4), "task_struct.flags",
                "kernel workers are shown like other tasks";
            TASK_SOFTIRQS: Shape::Bytes(4), "task_struct.softirq_disable_cnt",
                "softirqs are told by the preemption counter, as is right without PREEMPT_RT";
            // Which socket, in which namespace.
            SOCK_NET: Shape::Object, "sock.__sk_common.skc_net.net",
                "the namespace of a socket is not known";
            SOCK_SOCKET: Shape::Object, "sock.sk_socket",
                "sockets are not told apart by inode";
            SOCK_OMEM_ALLOC: Shape::Bytes(4), "sock.sk_omem_alloc.counter",
                "a full option memory is not told from a lack of memory";
            SOCK_PROTOCOL: Shape::Bytes(2), "sock.sk_protocol",
                "the kernel's own sockets are not told apart";
            SOCK_KERN_SOCK: Shape::Bits, "sock.sk_kern_sock",
                "the kernel's own sockets are taken for the task's";
            SOCKET_INODE: Shape::Bytes(8), "socket_alloc.vfs_inode.i_ino",
                "sockets are not told apart by inode";
            NET_INUM: Shape::Bytes(4), "net.ns.inum",
                "namespaces are not told apart";
            NET_OPTMEM_MAX: Shape::Bytes(4), "net.core.sysctl_optmem_max",
                "the global sysctl_optmem_max is read instead";
            // The namespace's devices by index, and the device.
            NET_DEV_INDEX_HEAD: Shape::Object, "net.dev_index_head",
                "interfaces are not named, and stale memberships not counted";
            NET_DEV_BASE_SEQ: Shape::Bytes(4), "net.dev_base_seq",
                "the memberships of a full socket are counted anew at each failure";
            DEV_INDEX_HLIST: Shape::Object, "net_device.index_hlist",
                "interfaces are not named, and stale memberships not counted";
            DEV_IFINDEX: Shape::Bytes(4), "net_device.ifindex",
                "interfaces are not named, and stale memberships not counted";
            DEV_NAME: Shape::Bytes(16), "net_device.name",
                "interfaces are not named";
            DEV_MTU: Shape::Bytes(4), "net_device.mtu",
                "the MTU of an interface without IPv6 is not shown";
            DEV_IP6_PTR: Shape::Object, "net_device.ip6_ptr",
                "an interface without IPv6 is not recognised";
            INET6_DEV_DEAD: Shape::Bytes(4), "inet6_dev.dead",
                "an interface on its way out is not recognised";
            DEV_FLAGS: Shape::Bytes(4), "net_device.flags",
                "loopback and NOARP interfaces are not recognised";
            DEV_NET: Shape::Object, "net_device.nd_net.net",
                "the namespace of an interface is not known";
            INET6_DEV_DEV: Shape::Object, "inet6_dev.dev",
                "the interface of an inet6_dev is not known";
            CNF_FORWARDING: Shape::Bytes(4), "inet6_dev.cnf.forwarding",
                "an interface's forwarding is not known";
            CNF_ACCEPT_RA: Shape::Bytes(4), "inet6_dev.cnf.accept_ra",
                "an interface's accept_ra is not known";
            CNF_FORCE_FORWARDING: Shape::Bytes(4), "inet6_dev.cnf.force_forwarding",
                "no interface is taken to forward on its own, as is right before 6.17";
            CNF_RTR_SOLICITS: Shape::Bytes(4), "inet6_dev.cnf.rtr_solicits",
                "an interface's router_solicitations is not known";
            // The socket's memberships.
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
            // An IPv4 route that was looked up, and what was asked for.
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
            NHC_DEV: Shape::Object, "fib_nh_common.nhc_dev",
                "the interface of a next hop is not known";
            NHC_GW_FAMILY: Shape::Bytes(1), "fib_nh_common.nhc_gw_family",
                "IPv4 routes with IPv6 next hops are not recognised";
            NHC_GW_IPV6: Shape::Bytes(16), "fib_nh_common.nhc_gw.ipv6",
                "IPv6 next hops are not named";
            NHC_FLAGS: Shape::Bytes(1), "fib_nh_common.nhc_flags",
                "a next hop with onlink is not recognised";
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
            FIB_INFO_PREFSRC: Shape::Bytes(4), "fib_info.fib_prefsrc",
                "a route's own source is not known";
            FIB_INFO_NHS: Shape::Bytes(4), "fib_info.fib_nhs",
                "IPv6 next hops among several are seen only if they come first";
            FIB_INFO_NH: Shape::Object, "fib_info.nh",
                "nexthop objects are not named";
            FIB_INFO_TB_ID: Shape::Bytes(4), "fib_info.fib_tb_id",
                "the table of a route is not known";
            FIB_INFO_PRIORITY: Shape::Bytes(4), "fib_info.fib_priority",
                "the metric of a route is not known";
            FIB_INFO_PROTOCOL: Shape::Bytes(1), "fib_info.fib_protocol",
                "routes of routing daemons are not told from others";
            NEXTHOP_ID: Shape::Bytes(4), "nexthop.id",
                "nexthop objects are not named";
            NEXTHOP_IS_GROUP: Shape::Bytes(1), "nexthop.is_group",
                "groups of nexthop objects are not told from single ones";
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
            // The IPv4 addresses of a device.
            DEV_IP_PTR: Shape::Object, "net_device.ip_ptr",
                "borrowed IPv4 sources are not recognised";
            IN_DEVICE_IFA_LIST: Shape::Object, "in_device.ifa_list",
                "borrowed IPv4 sources are not recognised";
            IFADDR_LOCAL: Shape::Bytes(4), "in_ifaddr.ifa_local",
                "borrowed IPv4 sources are not recognised";
            IFADDR_NEXT: Shape::Object, "in_ifaddr.ifa_next",
                "borrowed IPv4 sources are not recognised";
            IFADDR_ADDRESS: Shape::Bytes(4), "in_ifaddr.ifa_address",
                "IPv4 sources that bits of the next hop decide are not recognised";
            IFADDR_MASK: Shape::Bytes(4), "in_ifaddr.ifa_mask",
                "IPv4 sources that bits of the next hop decide are not recognised";
            IFADDR_SCOPE: Shape::Bytes(1), "in_ifaddr.ifa_scope",
                "IPv4 sources that bits of the next hop decide are not recognised";
            IFADDR_IPV4_FLAGS: Shape::Bytes(4), "in_ifaddr.ifa_flags",
                "IPv4 sources that bits of the next hop decide are not recognised";
            // Who writes which forwarding, and what an interface owns.
            CTL_DATA: Shape::Object, "ctl_table.data",
                "which forwarding sysctl was written is not known";
            CTL_IDEV: Shape::Object, "ctl_table.extra1",
                "which forwarding sysctl was written is not known";
            CTL_NET: Shape::Object, "ctl_table.extra2",
                "which forwarding sysctl was written is not known";
            NET_DEVCONF_ALL: Shape::Object, "net.ipv6.devconf_all",
                "the forwarding of the whole host is not known";
            DEVCONF_FORWARDING: Shape::Bytes(4), "ipv6_devconf.forwarding",
                "the forwarding of the whole host is not known";
            IDEV_ANYCAST: Shape::Object, "inet6_dev.ac_list",
                "anycast addresses are not seen";
            ANYCAST_ADDR: Shape::Bytes(16), "ifacaddr6.aca_addr",
                "anycast addresses are not seen";
            ANYCAST_NEXT: Shape::Object, "ifacaddr6.aca_next",
                "anycast addresses are not seen";
            ANYCAST_USERS: Shape::Bytes(4), "ifacaddr6.aca_users",
                "anycast addresses that are given up are not seen";
            IDEV_ADDRESSES: Shape::Object, "inet6_dev.addr_list",
                "the prefix length behind an anycast address is not known";
            IFADDR_LIST: Shape::Object, "inet6_ifaddr.if_list",
                "the prefix length behind an anycast address is not known";
            IFADDR_ADDR: Shape::Bytes(16), "inet6_ifaddr.addr",
                "the prefix length behind an anycast address is not known";
            IFADDR_PREFIX_LEN: Shape::Bytes(4), "inet6_ifaddr.prefix_len",
                "the prefix length behind an anycast address is not known";
            IFADDR_FLAGS: Shape::Bytes(4), "inet6_ifaddr.flags",
                "the prefix length behind an anycast address is not known";
            IFADDR_IDEV: Shape::Object, "inet6_ifaddr.idev",
                "anycast addresses taken beside a new address are not explained";
            // A route, and where it leads.
            ROUTE_FLAGS: Shape::Bytes(4), "fib6_info.fib6_flags",
                "default routes of router advertisements are not recognised";
            ROUTE_TABLE: Shape::Object, "fib6_info.fib6_table",
                "the table of a default route is not known";
            TABLE_ID: Shape::Bytes(4), "fib6_table.tb6_id",
                "the table of a default route is not known";
            ROUTE_NODE: Shape::Object, "fib6_info.fib6_node",
                "default routes of router advertisements are not recognised";
            ROUTE_NEXTHOP: Shape::Object, "fib6_info.nh",
                "default routes of router advertisements are not recognised";
            ROUTE_FIB_NH: Shape::Object, "fib6_info.fib6_nh",
                "default routes of router advertisements are not recognised";
            FIB_NH_DEV: Shape::Object, "fib6_nh.nh_common.nhc_dev",
                "default routes of router advertisements are not recognised";
            FIB_NH_GATEWAY: Shape::Bytes(16), "fib6_nh.nh_common.nhc_gw.ipv6",
                "default routes of router advertisements are not recognised";
            // An address, and what decides its duplicate address detection.
            IFA_ADDR: Shape::Bytes(16), "inet6_ifaddr.addr",
                "failed duplicate address detection is not explained";
            IFA_STATE: Shape::Bytes(4), "inet6_ifaddr.state",
                "failed duplicate address detection is not explained";
            IFA_IDEV: Shape::Object, "inet6_ifaddr.idev",
                "failed duplicate address detection is not explained";
            IFA_PREFIX_LEN: Shape::Bytes(4), "inet6_ifaddr.prefix_len",
                "the prefix length of a duplicate address is not known";
            IFA_FLAGS: Shape::Bytes(4), "inet6_ifaddr.flags",
                "whether a duplicate address is deleted is not known";
            IFA_DAD_NONCE: Shape::Bytes(8), "inet6_ifaddr.dad_nonce",
                "the nonce of an address is not known";
            IFA_STABLE_PRIVACY_RETRY: Shape::Bytes(1), "inet6_ifaddr.stable_privacy_retry",
                "whether a stable-privacy address is tried again is not known";
            INET6_DEV_CNF: Shape::Object, "inet6_dev.cnf",
                "an interface's accept_dad and enhanced_dad are not known";
            NET_IDGEN_RETRIES: Shape::Bytes(4), "net.ipv6.sysctl.idgen_retries",
                "whether a stable-privacy address is tried again is not known";
            DEVCONF_ACCEPT_DAD: Shape::Bytes(4), "ipv6_devconf.accept_dad",
                "accept_dad is not known";
            DEVCONF_ENHANCED_DAD: Shape::Bytes(4), "ipv6_devconf.enhanced_dad",
                "enhanced_dad is not known";
            DEVCONF_DISABLE_IPV6: Shape::Bytes(4), "ipv6_devconf.disable_ipv6",
                "disable_ipv6 is not known";
            DEV_ADDR: Shape::Object, "net_device.dev_addr",
                "an interface's own frames are not told from others'";
            DEV_ADDR_LEN: Shape::Bytes(1), "net_device.addr_len",
                "an interface's own frames are not told from others'";
            // A packet.
            SKB_DEV: Shape::Object, "sk_buff.dev",
                "the interface of a packet is not known";
            SKB_HEAD: Shape::Object, "sk_buff.head",
                "packets are not read";
            SKB_LEN: Shape::Bytes(4), "sk_buff.len",
                "packets are not read";
            SKB_MAC_HEADER: Shape::Bytes(2), "sk_buff.mac_header",
                "packets are not read";
            SKB_NETWORK_HEADER: Shape::Bytes(2), "sk_buff.network_header",
                "packets are not read";
            SKB_TRANSPORT_HEADER: Shape::Bytes(2), "sk_buff.transport_header",
                "packets are not read";
        }
    };
}

macro_rules! table {
    ($($global:ident: $shape:expr, $path:literal, $without:literal;)*) => {
        /// Every member that the programs read.
        pub const MEMBERS: &[Member] = &[
            $(Member { global: stringify!($global), path: $path, shape: $shape, without: $without },)*
        ];
    };
}
with_members!(table);

/// A kernel variable whose address the programs read from: a global of 64
/// bits, 0 where this kernel has no such variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The name of the global.
    pub global: &'static str,
    /// Symbols in which the value may live, first match wins; with each the
    /// member path to add, where the variable is a struct.
    pub symbols: &'static [(&'static str, Option<&'static str>)],
    /// The global of the member that makes it unnecessary, where there is one.
    pub unless: Option<&'static str>,
    /// What becomes of the explanations where it cannot be read, a clause.
    pub without: &'static str,
}

/// Every kernel variable that the programs read.
pub const VARIABLES: &[Variable] = &[
    // The one limit of kernels whose namespaces have none of their own.
    Variable {
        global: "OPTMEM_MAX",
        symbols: &[("sysctl_optmem_max", None)],
        unless: Some("NET_OPTMEM_MAX"),
        without: "a full option memory is not told from a lack of memory",
    },
    Variable {
        global: "PER_CPU_OFFSET",
        symbols: &[("__per_cpu_offset", None)],
        unless: None,
        without: "softirqs are taken for the task that they interrupt, and IPv4 sources not \
                  explained",
    },
    // Per CPU; lived in `pcpu_hot` from 6.2 to 6.14.
    Variable {
        global: "PREEMPT_COUNT",
        symbols: &[
            ("__preempt_count", None),
            ("pcpu_hot", Some("pcpu_hot.preempt_count")),
        ],
        unless: None,
        without: "softirqs are taken for the task that they interrupt, and IPv4 sources not \
                  explained",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_survive_packing() {
        let bits = Bits {
            offset: 504,
            shift: 17,
            width: 3,
        };
        assert_eq!(Bits::unpack(bits.pack()), bits);
        assert_eq!(bits.of(0b101 << 17), 0b101);
        assert_ne!(bits.pack(), ABSENT);
    }
}
