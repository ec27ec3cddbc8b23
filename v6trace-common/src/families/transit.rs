//! Packets for other hosts that reach this one, and are not passed on: as `ip6_forward`
//! drops them where this host is no router, and those whose sender is to be told by an
//! ICMPv6 error. The former is called for each packet that a router forwards: watched on
//! request alone.

use super::outgoing;
use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
    member::{Shape, members},
};

/// Forwarding a packet.
pub const FORWARD: Hook = Hook(41);
/// Telling the sender of a packet that it was dropped.
pub const ERROR: Hook = Hook(49);
/// Looking for the way of such an error.
pub const ERROR_ROUTE: Hook = Hook(50);
/// Sending it.
pub const ERROR_SENT: Hook = Hook(51);

/// Bytes of an address on the link that a record has room for.
pub const LLADDR_LEN: usize = 8;

layout! {
    /// A packet that came in for another host, and the way that the kernel had found for it.
    pub struct Packet: 112 bytes {
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
        /// Its length, with the header.
        pub length: u32,
        /// Its hop limit as it came in.
        pub hop_limit: u32,
        /// What follows its header (`IPPROTO_*`).
        pub next_header: u32,
    }
}

layout! {
    /// A packet for another host came in, and `net.ipv6.conf.all.forwarding` was 0.
    pub struct NotForwarded: kind 29, 128 bytes {
        /// What came in.
        pub packet: Packet,
        /// `net.ipv6.conf.IF.forwarding` of the interface by which it came in, -1
        /// where it could not be read.
        pub forwarding: i32,
        /// `net.ipv6.conf.IF.force_forwarding` of the same, -1 where the kernel has
        /// none, or it could not be read.
        pub force_forwarding: i32,
        /// Such packets that were not reported since the last report.
        pub suppressed: u32,
        /// Always 0.
        pub reserved: u32,
    }
}

layout! {
    /// A packet that came in was dropped, and its sender was to be told by an ICMPv6 error.
    pub struct PacketDropped: kind 34, 144 bytes {
        /// What came in.
        pub packet: Packet,
        /// Its own ICMPv6 type, -1 where it is another packet, or that could not be read.
        pub inner_type: i32,
        /// The type of the error.
        pub message_type: u32,
        /// Its code.
        pub code: u32,
        /// The MTU in it, of a packet that is too big.
        pub mtu: u32,
        /// What became of the error.
        pub told: u32,
        /// What the lookup of its way returned: a negative errno, or 0.
        pub ret: i32,
        /// Whether errors of this type have a rate limit (`net.ipv6.icmp.ratemask`), -1
        /// where that could not be read.
        pub limited: i32,
        /// Such packets that were not reported since the last report.
        pub suppressed: u32,
    }
}

constants! {
    OUTCOMES of told:
    /// It was sent.
    TOLD = 1;
    /// There is no way to the sender.
    NOT_ROUTED = 2;
    /// It did not get as far as looking for a way.
    NOT_LOOKED_UP = 3;
    /// There is a way, and it was not sent all the same.
    NOT_SENT = 4;
}

members! {
    $ transit_members:
    SKB_DST: Shape::Bytes(8), "sk_buff._skb_refdst",
        "where a packet that is not forwarded would have gone is not known";
    NET_ICMP_RATEMASK: Shape::Object, "net.ipv6.sysctl.icmpv6_ratemask",
        "whether the rate limit holds an ICMPv6 error back is not known";
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
    payloads: &[&NotForwarded::LAYOUT, &PacketDropped::LAYOUT],
    parts: &[&Packet::LAYOUT],
    constants: &[&OUTCOMES],
    hooks: &[
        HookInfo {
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
        },
        HookInfo {
            hook: ERROR,
            name: "transit-error",
            about: "telling the sender of a packet that it was dropped",
            without: "errors that do not reach the sender of a packet are not explained",
            candidates: &[Candidate {
                function: "icmp6_send",
                kprobes: Programs::both("transit_error_enter", "transit_error_return")
                    .return_outlasts(),
                trampoline: Some(
                    Programs::both("transit_error_fentry", "transit_error_fexit").return_outlasts(),
                ),
                needs: &[
                    &kernel::SKB_DEV,
                    &kernel::SKB_HEAD,
                    &kernel::SKB_NETWORK_HEADER,
                    &kernel::DEV_NET,
                    &kernel::DEV_IFINDEX,
                    &kernel::NET_INUM,
                    &SKB_DST,
                    &SKB_PARM_IIF,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: ERROR_ROUTE,
            name: "transit-error-route",
            about: "looking for the way back to the sender of a packet",
            without: "why an error does not reach the sender of a packet is not known",
            candidates: &[Candidate {
                function: "ip6_dst_lookup",
                kprobes: Programs::ret("transit_route_return"),
                trampoline: Some(Programs::ret("transit_route_fexit")),
                needs: &[],
                note: None,
            }],
        },
        HookInfo {
            hook: ERROR_SENT,
            name: "transit-error-sent",
            about: "sending an ICMPv6 error",
            without: "errors that do not reach the sender of a packet are not explained",
            candidates: &[Candidate {
                function: "icmpv6_push_pending_frames",
                kprobes: Programs::entry("transit_error_pushed"),
                trampoline: Some(Programs::entry("transit_error_pushed_fentry")),
                needs: &[],
                note: None,
            }],
        },
    ],
    also: &[outgoing::ROUTE],
    members: MEMBERS,
    variables: &[],
};
