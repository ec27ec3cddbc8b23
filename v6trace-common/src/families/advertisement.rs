//! Router advertisements, and what of them the kernel does not heed: what
//! `ndisc_rcv` and `ndisc_router_discovery` had in hand, which address
//! `addrconf_prefix_rcv_add_addr` did not make, and solicitations that nobody
//! answered (`addrconf_rs_timer`).

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
    member::{Shape, members},
    neighbour::NeighbourFrame,
};

/// Processing a router advertisement.
pub const ADVERTISEMENT: Hook = Hook(21);
/// Receiving a message of neighbour discovery.
pub const RECEIVED: Hook = Hook(22);
/// Handing a packet to a raw socket.
pub const RAW: Hook = Hook(23);
/// Making an address of an advertised prefix.
pub const PREFIX: Hook = Hook(24);
/// The timer of router solicitations.
pub const SOLICITATION: Hook = Hook(25);

/// Bytes of an advertisement's frame that a record has room for.
pub const FRAME_LEN: usize = 1024;
/// Bytes of it that are copied at most: an advertisement over Ethernet with some
/// thirty prefixes.
pub const FRAME_COPIED: u32 = 1016;

layout! {
    /// The beginning of an advertisement's frame, from its link layer on.
    pub struct AdvertisementFrame: 1032 bytes {
        /// The bytes; only the first [`copied`](Self::copied) count.
        pub bytes: [u8; FRAME_LEN],
        /// How many bytes were copied; 0 where the frame could not be read.
        pub copied: u16,
        /// Bytes of the whole frame.
        pub length: u16,
        /// Where the IPv6 header begins; 0 without a link layer.
        pub network: u16,
        /// Where the ICMPv6 header begins.
        pub transport: u16,
    }
}

layout! {
    /// A router advertisement was processed; written where it, or what it is
    /// processed by, is not what it was when the router's last one was.
    ///
    /// The interface's values are those before the call, which is when the kernel
    /// tests them; each counts only where its flag is set in [`read`](Self::read). What
    /// came of it, [`DEFAULT_ROUTE_WENT`], is known at the return.
    pub struct RouterAdvertisement: kind 13, 1136 bytes {
        /// The frame.
        pub frame: AdvertisementFrame,
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Inode number of a raw socket that was given the advertisement as well;
        /// 0 without.
        pub taker: u64,
        /// Index of the interface.
        pub ifindex: u32,
        /// `net_device.mtu`
        pub mtu: u32,
        /// `net.ipv6.conf.IF.forwarding`
        pub forwarding: i32,
        /// `net.ipv6.conf.IF.accept_ra`
        pub accept_ra: i32,
        /// `net.ipv6.conf.IF.accept_ra_defrtr`
        pub accept_ra_defrtr: i32,
        /// `net.ipv6.conf.IF.accept_ra_pinfo`
        pub accept_ra_pinfo: i32,
        /// `net.ipv6.conf.IF.accept_ra_min_hop_limit`
        pub accept_ra_min_hop_limit: i32,
        /// `net.ipv6.conf.IF.accept_ra_mtu`
        pub accept_ra_mtu: i32,
        /// `net.ipv6.conf.IF.accept_ra_from_local`
        pub accept_ra_from_local: i32,
        /// `net.ipv6.conf.IF.autoconf`
        pub autoconf: i32,
        /// `net.ipv6.conf.IF.accept_ra_rtr_pref`
        pub accept_ra_rtr_pref: i32,
        /// `net.ipv6.conf.IF.accept_ra_rt_info_min_plen`
        pub accept_ra_rt_info_min_plen: i32,
        /// `net.ipv6.conf.IF.accept_ra_rt_info_max_plen`
        pub accept_ra_rt_info_max_plen: i32,
        /// `net.ipv6.conf.IF.accept_ra_min_lft`
        pub accept_ra_min_lft: i32,
        /// `net.ipv6.conf.IF.ra_honor_pio_pflag`
        pub ra_honor_pio_pflag: i32,
        /// `net.ipv6.conf.IF.addr_gen_mode`
        pub addr_gen_mode: i32,
        /// `net_device.type` (`ARPHRD_*`)
        pub device_type: u16,
        /// `net_device.addr_len`: bytes of an address of the link, 0 without.
        pub addr_len: u16,
        /// How many raw sockets were given the advertisement.
        pub takers: u32,
        /// Records of this interface that were not written since the last one.
        pub suppressed: u32,
        /// Which values were read, and what was found.
        pub read: u32,
    }
}

layout! {
    /// A router advertisement that the kernel did not look into, or a redirect
    /// that it did not follow.
    pub struct RouterMessageIgnored: kind 14, 176 bytes {
        /// The frame.
        pub frame: NeighbourFrame,
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// `net.ipv6.conf.IF.forwarding`
        pub forwarding: i32,
        /// `net.ipv6.conf.IF.accept_redirects`
        pub accept_redirects: i32,
        /// Not 0: it came in fragments, and the interface ignores such messages
        /// (`net.ipv6.conf.IF.suppress_frag_ndisc`).
        pub fragmented: u32,
        /// Records of this interface that were not written since the last one.
        pub suppressed: u32,
        /// Which values were read: the bit [`SYSCTLS_READ`] for both sysctls.
        pub read_sysctls: u32,
    }
}

layout! {
    /// An address was not made of an advertised prefix.
    pub struct AdvertisedAddressRefused: kind 15, 64 bytes {
        /// The address.
        pub address: [u8; 16],
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// What the function returned.
        pub ret: i32,
        /// Addresses of the interface.
        pub addresses: u32,
        /// `net.ipv6.conf.IF.max_addresses`
        pub max_addresses: i32,
        /// `net.ipv6.conf.IF.disable_ipv6`
        pub disable_ipv6: i32,
        /// Not 0: `addresses` are all that there are.
        pub addresses_complete: u32,
        /// Records of this interface that were not written since the last one.
        pub suppressed: u32,
        /// Which values were read: the bit [`SYSCTLS_READ`] for both sysctls.
        pub read_sysctls: u32,
    }
}

layout! {
    /// An interface's router solicitations were not answered: the kernel gave up, or
    /// goes on after as many as a host is to send.
    pub struct SolicitationsUnanswered: kind 16, 32 bytes {
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// `inet6_dev.rs_probes`: how many were sent.
        pub rs_probes: u32,
        /// `net.ipv6.conf.IF.router_solicitations`
        pub router_solicitations: i32,
        /// `inet6_dev.if_flags` (`IF_*`).
        pub if_flags: u32,
    }
}

constants! {
    READ of read:
    /// `forwarding` to `autoconf` were read.
    SYSCTLS_READ = 1 << 0;
    /// `accept_ra_rtr_pref` to `accept_ra_rt_info_max_plen` were read.
    ROUTE_INFO_READ = 1 << 1;
    /// `accept_ra_min_lft` was read, as later kernels have it.
    MIN_LFT_READ = 1 << 2;
    /// `ra_honor_pio_pflag` was read, as kernels since 6.12 have it.
    PFLAG_READ = 1 << 3;
    /// `mtu` was read.
    MTU_READ = 1 << 4;
    /// All addresses of the interface were looked at.
    ADDRESSES_COMPLETE = 1 << 5;
    /// The interface itself has the advertisement's source as an address.
    OWN_SOURCE = 1 << 6;
    /// The same was told ten seconds ago or more, and still no program takes the
    /// advertisement; told only where the interface accepts none.
    STILL_IGNORED = 1 << 7;
    /// `addr_gen_mode`, `device_type`, `addr_len`, token and secret were read.
    IDENTIFIER_READ = 1 << 8;
    /// The interface has a token.
    TOKEN_SET = 1 << 9;
    /// There is a `stable_secret`, of the interface or of `default`.
    STABLE_SECRET_SET = 1 << 10;
    /// The interface has a link-local address, and not tentative.
    LINK_LOCAL_USABLE = 1 << 11;
    /// The kernel removed a default route by way of the router, as the advertisement said
    /// so: the family of routes tells it.
    DEFAULT_ROUTE_WENT = 1 << 12;
    /// The interface ignores advertisements, as it forwards, and has no address but a
    /// link-local one.
    WITHOUT_ADDRESS = 1 << 13;
}

members! {
    $ advertisement_members:
    SKB_PARM_FLAGS: Shape::Bytes(2), "inet6_skb_parm.flags",
        "advertisements in fragments are not told from others";
    INET6_DEV_RS_TIMER: Shape::Object, "inet6_dev.rs_timer",
        "unanswered router solicitations are not explained";
    INET6_DEV_RS_PROBES: Shape::Bytes(1), "inet6_dev.rs_probes",
        "unanswered router solicitations are not explained";
    CNF_PINFO: Shape::Bytes(4), "inet6_dev.cnf.accept_ra_pinfo",
        "what an interface heeds of router advertisements is not known";
    CNF_MIN_HOP_LIMIT: Shape::Bytes(4), "inet6_dev.cnf.accept_ra_min_hop_limit",
        "what an interface heeds of router advertisements is not known";
    CNF_RA_MTU: Shape::Bytes(4), "inet6_dev.cnf.accept_ra_mtu",
        "what an interface heeds of router advertisements is not known";
    CNF_FROM_LOCAL: Shape::Bytes(4), "inet6_dev.cnf.accept_ra_from_local",
        "what an interface heeds of router advertisements is not known";
    CNF_AUTOCONF: Shape::Bytes(4), "inet6_dev.cnf.autoconf",
        "what an interface heeds of router advertisements is not known";
    CNF_RTR_PREF: Shape::Bytes(4), "inet6_dev.cnf.accept_ra_rtr_pref",
        "route information that is ignored is not explained";
    CNF_RT_INFO_MIN: Shape::Bytes(4), "inet6_dev.cnf.accept_ra_rt_info_min_plen",
        "route information that is ignored is not explained";
    CNF_RT_INFO_MAX: Shape::Bytes(4), "inet6_dev.cnf.accept_ra_rt_info_max_plen",
        "route information that is ignored is not explained";
    CNF_MIN_LFT: Shape::Bytes(4), "inet6_dev.cnf.accept_ra_min_lft",
        "no lifetime is taken to be too short, as is right where there is no such sysctl";
    CNF_PFLAG: Shape::Bytes(1), "inet6_dev.cnf.ra_honor_pio_pflag",
        "the P flag of a prefix is taken for ignored, as is right before 6.12";
    CNF_ACCEPT_REDIRECTS: Shape::Bytes(4), "inet6_dev.cnf.accept_redirects",
        "redirects that are ignored are not explained";
    CNF_SUPPRESS_FRAGMENTS: Shape::Bytes(4), "inet6_dev.cnf.suppress_frag_ndisc",
        "advertisements in fragments are not told from others";
    INET6_DEV_TOKEN: Shape::Bytes(16), "inet6_dev.token",
        "an interface without an identifier to make addresses of is not recognised";
    CNF_MAX_ADDRESSES: Shape::Bytes(4), "inet6_dev.cnf.max_addresses",
        "addresses that an interface has no room for are not explained";
    CNF_DISABLE_IPV6: Shape::Bytes(4), "inet6_dev.cnf.disable_ipv6",
        "addresses that an interface has no room for are not explained";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "advertisement",
    about: "router advertisements that are ignored, wholly or in part",
    on_request: None,
    payloads: &[
        &RouterAdvertisement::LAYOUT,
        &RouterMessageIgnored::LAYOUT,
        &AdvertisedAddressRefused::LAYOUT,
        &SolicitationsUnanswered::LAYOUT,
    ],
    parts: &[&AdvertisementFrame::LAYOUT, &NeighbourFrame::LAYOUT],
    constants: &[&READ],
    hooks: &[
        HookInfo {
            hook: ADVERTISEMENT,
            name: "router-advertisement",
            about: "processing a router advertisement",
            without: "router advertisements that are ignored are not explained",
            candidates: &[Candidate {
                function: "ndisc_router_discovery",
                kprobes: Programs::both(
                    "router_advertisement_enter",
                    "router_advertisement_return",
                )
                .return_outlasts(),
                trampoline: Some(
                    Programs::both("router_advertisement_fentry", "router_advertisement_fexit")
                        .return_outlasts(),
                ),
                needs: &[
                    &kernel::SKB_DEV,
                    &kernel::SKB_HEAD,
                    &kernel::SKB_NETWORK_HEADER,
                    &kernel::SKB_TRANSPORT_HEADER,
                    &kernel::DEV_NET,
                    &kernel::DEV_IFINDEX,
                    &kernel::DEV_IP6_PTR,
                    &kernel::NET_INUM,
                    &kernel::INET6_DEV_CNF,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: RECEIVED,
            name: "router-message",
            about: "receiving a message of neighbour discovery",
            without: "router advertisements that are invalid, and redirects, are not explained",
            candidates: &[Candidate {
                function: "ndisc_rcv",
                kprobes: Programs::entry("router_message"),
                trampoline: Some(Programs::entry("router_message_fentry")),
                needs: &[
                    &kernel::SKB_DEV,
                    &kernel::SKB_HEAD,
                    &kernel::SKB_NETWORK_HEADER,
                    &kernel::SKB_TRANSPORT_HEADER,
                    &kernel::DEV_NET,
                    &kernel::DEV_IFINDEX,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: RAW,
            name: "advertisement-to-socket",
            about: "handing a router advertisement to a program's raw socket",
            without: "which program processes router advertisements itself is not known",
            candidates: &[Candidate {
                function: "rawv6_rcv",
                kprobes: Programs::entry("advertisement_to_socket"),
                trampoline: Some(Programs::entry("advertisement_to_socket_fentry")),
                needs: &[
                    &kernel::SKB_HEAD,
                    &kernel::SKB_TRANSPORT_HEADER,
                    &kernel::SOCK_SOCKET,
                    &kernel::SOCKET_INODE,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: PREFIX,
            name: "advertised-address",
            about: "making an address of an advertised prefix",
            without: "advertised addresses that an interface has no room for are not explained",
            candidates: &[Candidate {
                function: "addrconf_prefix_rcv_add_addr",
                // It has more arguments than a trampoline passes on.
                kprobes: Programs::both("advertised_address_enter", "advertised_address_return"),
                trampoline: None,
                needs: &[&kernel::DEV_NET, &kernel::DEV_IFINDEX, &kernel::NET_INUM],
                note: None,
            }],
        },
        HookInfo {
            hook: SOLICITATION,
            name: "router-solicitation",
            about: "the timer of an interface's router solicitations",
            without: "router solicitations that nobody answers are not explained",
            candidates: &[Candidate {
                function: "addrconf_rs_timer",
                kprobes: Programs::entry("router_solicitation_timer"),
                trampoline: None,
                needs: &[
                    &INET6_DEV_RS_TIMER,
                    &INET6_DEV_RS_PROBES,
                    &kernel::INET6_DEV_IF_FLAGS,
                    &kernel::INET6_DEV_DEAD,
                    &kernel::INET6_DEV_DEV,
                    &kernel::CNF_FORWARDING,
                    &kernel::CNF_ACCEPT_RA,
                    &kernel::CNF_RTR_SOLICITS,
                    &kernel::DEV_NET,
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
