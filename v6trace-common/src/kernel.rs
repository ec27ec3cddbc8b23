//! What more than one family reads of the kernel: tasks, sockets, namespaces,
//! devices, their IPv6 state, sysctls and addresses, routes, packets.

use crate::member::{Shape, Variable, members};

members! {
    $ kernel_members:
    TASK_FLAGS: Shape::Bytes(4), "task_struct.flags",
        "kernel workers are shown like other tasks";
    TASK_SOFTIRQS: Shape::Bytes(4),
        "task_struct.softirq_disable_cnt or task_struct.thread_info.preempt.count",
        "softirqs are told by the CPU's preemption counter, as is right without PREEMPT_RT";
    TASK_CRED: Shape::Object, "task_struct.cred",
        "what a task is capable of is not known";
    CRED_EFFECTIVE: Shape::Bytes(8), "cred.cap_effective",
        "what a task is capable of is not known";
    SOCK_NET: Shape::Object, "sock.__sk_common.skc_net.net",
        "the namespace of a socket is not known";
    SOCK_PROTOCOL: Shape::Bytes(2), "sock.sk_protocol",
        "the kernel's own sockets are not told apart, and refused requests not explained";
    SOCK_SOCKET: Shape::Object, "sock.sk_socket",
        "sockets are not told apart by inode";
    SOCKET_SK: Shape::Object, "socket.sk",
        "refused binds and addresses without a scope are not explained";
    SOCK_TYPE: Shape::Bytes(2), "sock.sk_type",
        "refused binds of sockets that are bound already, and ways out, are not explained";
    SOCK_FAMILY: Shape::Bytes(2), "sock.__sk_common.skc_family",
        "whether sockets are of IPv6 is not known: some memberships and system calls are left out";
    SOCK_STATE: Shape::Bytes(1), "sock.__sk_common.skc_state",
        "refused binds of sockets that are connected already, and ways out, are not explained";
    SOCK_BOUND: Shape::Bytes(4), "sock.__sk_common.skc_bound_dev_if",
        "the interface that a socket is bound to is not known";
    SOCK_NUM: Shape::Bytes(2), "sock.__sk_common.skc_num",
        "refused binds and options of sockets that are bound already are not recognised";
    SOCK_PEER: Shape::Bytes(16), "sock.__sk_common.skc_v6_daddr",
        "connecting a UDP socket is not told from sending";
    SOCK_V6ONLY: Shape::Bits, "sock.__sk_common.skc_ipv6only",
        "whether a socket is for IPv6 alone is not known";
    FLOW_OIF: Shape::Bytes(4), "flowi6.__fl_common.flowic_oif",
        "refused sources are not explained, and the interface that a packet is to leave by is not known";
    SOCK_OMEM_ALLOC: Shape::Bytes(4), "sock.sk_omem_alloc.counter",
        "a full option memory is not told from a lack of memory";
    SOCKET_INODE: Shape::Bytes(8), "socket_alloc.vfs_inode.i_ino",
        "sockets are not told apart by inode";
    FILE_INODE: Shape::Object, "file.f_inode",
        "values that sysctls refuse are not explained, and check does not see the memberships of sockets";
    NET_INUM: Shape::Bytes(4), "net.ns.inum",
        "namespaces are not told apart";
    NET_COUNT: Shape::Bytes(4), "net.ns.__ns_ref or net.ns.count or net.count",
        "what becomes of the interfaces of a namespace that goes away is told like other changes";
    NET_DEV_INDEX_HEAD: Shape::Object, "net.dev_index_head",
        "interfaces are not named, and stale memberships not counted";
    NET_OPTMEM_MAX: Shape::Bytes(4), "net.core.sysctl_optmem_max",
        "the global sysctl_optmem_max is read instead";
    DEV_INDEX_HLIST: Shape::Object, "net_device.index_hlist",
        "interfaces are not named, and stale memberships not counted";
    DEV_IFINDEX: Shape::Bytes(4), "net_device.ifindex",
        "interfaces are not named, and stale memberships not counted";
    DEV_NAME: Shape::Bytes(16), "net_device.name",
        "interfaces are not named";
    DEV_FLAGS: Shape::Bytes(4), "net_device.flags",
        "loopback and NOARP interfaces are not recognised";
    DEV_MTU: Shape::Bytes(4), "net_device.mtu",
        "the MTU of an interface without IPv6 is not shown";
    DEV_ADDR_LEN: Shape::Bytes(1), "net_device.addr_len",
        "an interface's own frames are not told from others'";
    DEV_TYPE: Shape::Bytes(2), "net_device.type",
        "an interface without an identifier to make addresses of is not recognised";
    DEV_IP6_PTR: Shape::Object, "net_device.ip6_ptr",
        "an interface without IPv6 is not recognised";
    DEV_NET: Shape::Object, "net_device.nd_net.net",
        "the namespace of an interface is not known";
    DEV_DISMANTLE: Shape::Bytes(1), "net_device.dismantle",
        "what an interface loses as it is deleted is told like other losses";
    DEV_STATE: Shape::Bytes(8), "net_device.state",
        "an interface without a carrier is not recognised";
    INET6_DEV_DEV: Shape::Object, "inet6_dev.dev",
        "the interface of an inet6_dev is not known";
    INET6_DEV_DEAD: Shape::Bytes(4), "inet6_dev.dead",
        "an interface on its way out is not recognised";
    INET6_DEV_IF_FLAGS: Shape::Bytes(4), "inet6_dev.if_flags",
        "unanswered router solicitations, and interfaces that come up without a link-local \
         address, are not explained";
    INET6_DEV_CNF: Shape::Object, "inet6_dev.cnf",
        "an interface's accept_dad, enhanced_dad and disable_ipv6 are not known, nor are changes of \
         what it heeds";
    IDEV_ADDRESSES: Shape::Object, "inet6_dev.addr_list",
        "which addresses an interface has is not known";
    IDEV_ANYCAST: Shape::Object, "inet6_dev.ac_list",
        "anycast addresses are not seen";
    CNF_FORWARDING: Shape::Bytes(4), "inet6_dev.cnf.forwarding",
        "an interface's forwarding is not known";
    CNF_FORCE_FORWARDING: Shape::Bytes(4), "inet6_dev.cnf.force_forwarding",
        "no interface is taken to forward on its own, as is right before 6.17";
    CNF_ACCEPT_RA: Shape::Bytes(4), "inet6_dev.cnf.accept_ra",
        "an interface's accept_ra is not known";
    CNF_DEFRTR: Shape::Bytes(4), "inet6_dev.cnf.accept_ra_defrtr",
        "what an interface heeds of router advertisements is not known";
    CNF_RTR_SOLICITS: Shape::Bytes(4), "inet6_dev.cnf.rtr_solicits",
        "an interface's router_solicitations is not known";
    CNF_ADDR_GEN_MODE: Shape::Bytes(4), "inet6_dev.cnf.addr_gen_mode",
        "an interface without an identifier to make addresses of is not recognised, nor one for \
         which none is made";
    NET_DEVCONF_ALL: Shape::Object, "net.ipv6.devconf_all",
        "the forwarding of the whole host is not known";
    NET_DEVCONF_DEFAULT: Shape::Object, "net.ipv6.devconf_dflt",
        "what interfaces begin with is not known";
    DEVCONF_FORWARDING: Shape::Bytes(4), "ipv6_devconf.forwarding",
        "the forwarding of the whole host is not known";
    DEVCONF_DISABLE_IPV6: Shape::Bytes(4), "ipv6_devconf.disable_ipv6",
        "disable_ipv6 is not known";
    DEVCONF_SECRET_SET: Shape::Bytes(1), "ipv6_devconf.stable_secret.initialized",
        "a missing stable_secret is not recognised";
    CTL_DATA: Shape::Object, "ctl_table.data",
        "which sysctl was written is not known";
    CTL_IDEV: Shape::Object, "ctl_table.extra1",
        "which sysctl was written is not known";
    CTL_NET: Shape::Object, "ctl_table.extra2",
        "which sysctl was written is not known";
    IFA_LIST: Shape::Object, "inet6_ifaddr.if_list",
        "the addresses of an interface are not looked at";
    IFA_ADDR: Shape::Bytes(16), "inet6_ifaddr.addr",
        "the addresses of an interface are not known";
    IFA_PREFIX_LEN: Shape::Bytes(4), "inet6_ifaddr.prefix_len",
        "the prefix length of an address is not known";
    IFA_FLAGS: Shape::Bytes(4), "inet6_ifaddr.flags",
        "what state an address is in is not known";
    IFA_PROTO: Shape::Bytes(1), "inet6_ifaddr.ifa_proto",
        "who made an address is not shown, as is right before 5.18";
    IFA_IDEV: Shape::Object, "inet6_ifaddr.idev",
        "the interface of an address is not known";
    ANYCAST_ADDR: Shape::Bytes(16), "ifacaddr6.aca_addr",
        "anycast addresses are not seen";
    ANYCAST_NEXT: Shape::Object, "ifacaddr6.aca_next",
        "anycast addresses are not seen";
    ROUTE_TABLE: Shape::Object, "fib6_info.fib6_table",
        "the table of a route is not known";
    TABLE_ID: Shape::Bytes(4), "fib6_table.tb6_id",
        "the table of a route is not known";
    ROUTE_FLAGS: Shape::Bytes(4), "fib6_info.fib6_flags",
        "routes that the kernel takes away are not recognised";
    ROUTE_DESTINATION: Shape::Bytes(16), "fib6_info.fib6_dst.addr",
        "routes that interfaces lose, and those that reject, are not named";
    ROUTE_PREFIX_LEN: Shape::Bytes(4), "fib6_info.fib6_dst.plen",
        "routes that interfaces lose, and those that reject, are not named";
    ROUTE_PROTOCOL: Shape::Bytes(1), "fib6_info.fib6_protocol",
        "routes that interfaces lose are not counted";
    ROUTE_METRIC: Shape::Bytes(4), "fib6_info.fib6_metric",
        "the metric of a route that rejects, or that goes, is not known";
    ROUTE_TYPE: Shape::Bytes(1), "fib6_info.fib6_type",
        "routes that reject are not named";
    ROUTE_NODE: Shape::Object, "fib6_info.fib6_node",
        "routes that go are not recognised";
    ROUTE_NEXTHOP: Shape::Object, "fib6_info.nh",
        "routes that go are not recognised";
    ROUTE_FIB_NH: Shape::Object, "fib6_info.fib6_nh",
        "routes that go are not recognised";
    NEXTHOP_ID: Shape::Bytes(4), "nexthop.id",
        "nexthop objects are not named";
    NEXTHOP_IS_GROUP: Shape::Bytes(1), "nexthop.is_group",
        "groups of nexthop objects are not told from single ones, and routes that go with their \
         object not explained";
    FIB_NH_DEV: Shape::Object, "fib6_nh.nh_common.nhc_dev",
        "routes that go are not recognised";
    FIB_NH_GATEWAY: Shape::Bytes(16), "fib6_nh.nh_common.nhc_gw.ipv6",
        "routes that go are not recognised";
    NHC_DEV: Shape::Object, "fib_nh_common.nhc_dev",
        "the interface of a next hop is not known";
    NHC_GW_FAMILY: Shape::Bytes(1), "fib_nh_common.nhc_gw_family",
        "IPv4 routes with IPv6 next hops are not recognised";
    NHC_GW_IPV6: Shape::Bytes(16), "fib_nh_common.nhc_gw.ipv6",
        "IPv6 next hops are not named";
    NHC_FLAGS: Shape::Bytes(1), "fib_nh_common.nhc_flags",
        "a next hop with onlink is not recognised";
    FIB_INFO_PREFSRC: Shape::Bytes(4), "fib_info.fib_prefsrc",
        "a route's own source is not known";
    FIB_INFO_NHS: Shape::Bytes(4), "fib_info.fib_nhs",
        "IPv6 next hops among several are seen only if they come first, and no command is given \
         for routes of IPv4 that lose their source";
    FIB_INFO_NH: Shape::Object, "fib_info.nh",
        "nexthop objects are not named";
    FIB_INFO_PRIORITY: Shape::Bytes(4), "fib_info.fib_priority",
        "the metric of a route is not known";
    FIB_INFO_PROTOCOL: Shape::Bytes(1), "fib_info.fib_protocol",
        "routes of routing daemons are not told from others";
    SKB_SK: Shape::Object, "sk_buff.sk",
        "the namespace of a refused request is not known";
    EXTACK_MESSAGE: Shape::Object, "netlink_ext_ack._msg",
        "what the kernel says of a refused request is not known";
    SKB_DEV: Shape::Object, "sk_buff.dev",
        "the interface of a packet is not known";
    SKB_HEAD: Shape::Object, "sk_buff.head",
        "packets are not read";
    SKB_DATA: Shape::Object, "sk_buff.data",
        "packets are not read";
    SKB_LEN: Shape::Bytes(4), "sk_buff.len",
        "packets are not read";
    SKB_DATA_LEN: Shape::Bytes(4), "sk_buff.data_len",
        "packets are not read";
    SKB_MAC_HEADER: Shape::Bytes(2), "sk_buff.mac_header",
        "packets are not read";
    SKB_NETWORK_HEADER: Shape::Bytes(2), "sk_buff.network_header",
        "packets are not read";
    SKB_TRANSPORT_HEADER: Shape::Bytes(2), "sk_buff.transport_header",
        "packets are not read";
    SKB_CB: Shape::Object, "sk_buff.cb",
        "advertisements in fragments are not told from others, and packets that are not forwarded \
         not explained";
    DST_DEV: Shape::Object, "dst_entry.dev",
        "sources that no answer comes back to are not recognised, nor where a packet that is not \
         forwarded would have gone";
    RT6_FLAGS: Shape::Bytes(4), "rt6_info.rt6i_flags",
        "sources that no answer comes back to are not recognised, nor where a packet that is not \
         forwarded would have gone";
    RT6_GATEWAY: Shape::Bytes(16), "rt6_info.rt6i_gateway",
        "sources that no answer comes back to are not recognised, nor where a packet that is not \
         forwarded would have gone";
}

/// Kernel variables that more than one family reads.
pub const VARIABLES: &[Variable] = &[
    Variable {
        global: "PER_CPU_OFFSET",
        symbols: &[("__per_cpu_offset", None)],
        unless: None,
        without: "which kernel function failed first is not known; and where softirqs are counted \
                  by CPU, they are taken for the task that they interrupt, and IPv4 sources not \
                  explained",
    },
    // Per CPU; lived in `pcpu_hot` from 6.2 to 6.14.
    Variable {
        global: "PREEMPT_COUNT",
        symbols: &[
            ("__preempt_count", None),
            ("pcpu_hot", Some("pcpu_hot.preempt_count")),
        ],
        unless: Some(&TASK_SOFTIRQS),
        without: "softirqs are taken for the task that they interrupt, and IPv4 sources not \
                  explained",
    },
    // The one limit of kernels whose namespaces have none of their own.
    Variable {
        global: "OPTMEM_MAX",
        symbols: &[("sysctl_optmem_max", None)],
        unless: Some(&NET_OPTMEM_MAX),
        without: "a full option memory is not told from a lack of memory",
    },
];
