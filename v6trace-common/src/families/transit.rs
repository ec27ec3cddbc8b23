//! Packets for other hosts that reach this one, and are not passed on, as
//! `ip6_forward` drops them. It is called for each packet that a router forwards:
//! watched on request alone.

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::layout,
    member::{Shape, members},
};

/// Forwarding a packet.
pub const FORWARD: Hook = Hook(41);

/// Bytes of an address on the link that a record has room for.
pub const LLADDR_LEN: usize = 8;

layout! {
    /// A packet for another host came in, and `net.ipv6.conf.all.forwarding` was 0.
    pub struct NotForwarded: kind 29, 128 bytes {
        /// Where it came from.
        pub source: [u8; 16],
        /// Where it was to go.
        pub destination: [u8; 16],
        /// The gateway of the route for it, zeros for none.
        pub gateway: [u8; 16],
        /// Name of the interface by which it came in, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Name of the one by which it would have gone out, NUL-padded.
        pub out_interface: [u8; INTERFACE_NAME_LEN],
        /// The address on the link that it came from, where that is Ethernet.
        pub lladdr: [u8; LLADDR_LEN],
        /// Bytes of that, 0 where there is none.
        pub lladdr_len: u32,
        /// Index of the interface by which it came in.
        pub ifindex: u32,
        /// Index of the one by which it would have gone out, 0 where that could not
        /// be read.
        pub out_ifindex: u32,
        /// `net.ipv6.conf.IF.forwarding` of the interface by which it came in, -1
        /// where it could not be read.
        pub forwarding: i32,
        /// `net.ipv6.conf.IF.force_forwarding` of the same, -1 where the kernel has
        /// none, or it could not be read.
        pub force_forwarding: i32,
        /// Its length, with the header.
        pub length: u32,
        /// Its hop limit as it came in.
        pub hop_limit: u32,
        /// What follows its header (`IPPROTO_*`).
        pub next_header: u32,
        /// Such packets that were not reported since the last report.
        pub suppressed: u32,
        /// Always 0.
        pub reserved: u32,
    }
}

members! {
    $ transit_members:
    SKB_DST: Shape::Bytes(8), "sk_buff._skb_refdst",
        "where a packet that is not forwarded would have gone is not known";
    SKB_PKT_TYPE: Shape::Bits, "sk_buff.pkt_type",
        "packets that are not forwarded are not explained";
    SKB_PARM_IIF: Shape::Bytes(4), "inet6_skb_parm.iif",
        "packets that are not forwarded are not explained";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "transit",
    about: "packets for other hosts that are not passed on; on request, --family transit",
    on_request: Some("it is asked about every packet that a router forwards"),
    payloads: &[&NotForwarded::LAYOUT],
    parts: &[],
    constants: &[],
    hooks: &[HookInfo {
        hook: FORWARD,
        name: "forward",
        about: "forwarding a packet",
        without: "packets that are not forwarded are not explained",
        candidates: &[Candidate {
            function: "ip6_forward",
            kprobes: Programs::entry("forward_enter"),
            trampoline: Some(Programs::entry("forward_fentry")),
            needs: &[
                &kernel::SKB_DEV,
                &kernel::SKB_HEAD,
                &kernel::SKB_NETWORK_HEADER,
                &kernel::SKB_CB,
                &kernel::DEV_NET,
                &kernel::DEV_IFINDEX,
                &kernel::NET_INUM,
                &kernel::NET_DEVCONF_ALL,
                &kernel::DEVCONF_FORWARDING,
                &SKB_PKT_TYPE,
                &SKB_PARM_IIF,
            ],
            note: None,
        }],
    }],
    also: &[],
    members: MEMBERS,
    variables: &[],
};
