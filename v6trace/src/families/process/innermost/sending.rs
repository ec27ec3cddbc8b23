//! Finding the way of packets, and sending them.

use super::{DISCARDED, Function, NO_WAY, PROHIBITED, REJECTED};
use crate::errno::Errno;

/// What is too long for one packet, or its fragments.
const TOO_LONG: (Errno, &[&str]) = (
    Errno::EMSGSIZE,
    &[
        "it is longer than the MTU of the way, and the socket lets nobody make fragments of it \
         (IPV6_MTU_DISCOVER, IPV6_DONTFRAG)",
        "it is longer than 65535 bytes",
        "an earlier datagram was, and a router or this host said so meanwhile (the socket's \
         pending error)",
    ],
);
const NO_ADDRESS: (Errno, &[&str]) = (
    Errno::EDESTADDRREQ,
    &["the socket is not connected, and no address was given"],
);

/// What finds the way of a packet comes to.
const WAY: &[(Errno, &[&str])] = &[
    (Errno::ENETUNREACH, NO_WAY),
    (Errno::EHOSTUNREACH, REJECTED),
    (Errno::EACCES, PROHIBITED),
    (Errno::EINVAL, DISCARDED),
    (
        Errno::EADDRNOTAVAIL,
        &["no address of this host may be the source of packets there"],
    ),
    (
        Errno::EAFNOSUPPORT,
        &["the source is an IPv4 address (::ffff:0:0/96), and the destination is none"],
    ),
];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "ip6_dst_lookup_flow",
        reasons: WAY,
    },
    Function {
        name: "ip6_sk_dst_lookup_flow",
        reasons: WAY,
    },
    Function {
        name: "xfrm_lookup_with_ifid",
        reasons: &[(
            Errno::EPERM,
            &[
                "an IPsec policy with the action block has the packet (ip xfrm policy)",
                "no IPsec policy has it, and what none has is blocked (ip xfrm policy getdefault)",
            ],
        )],
    },
    Function {
        name: "ip6_append_data",
        reasons: &[TOO_LONG],
    },
    Function {
        name: "__ip6_append_data",
        reasons: &[TOO_LONG],
    },
    Function {
        name: "ip6_make_skb",
        reasons: &[TOO_LONG],
    },
    Function {
        name: "ip6_datagram_send_ctl",
        reasons: &[(
            Errno::ENODEV,
            &[
                "IPV6_PKTINFO is given, and the interface that it names, or the socket, is not there",
            ],
        )],
    },
    Function {
        name: "udp_cmsg_send",
        reasons: &[],
    },
    Function {
        name: "udp_v6_send_skb",
        reasons: &[],
    },
    Function {
        name: "udpv6_sendmsg",
        reasons: &[NO_ADDRESS],
    },
    Function {
        name: "rawv6_sendmsg",
        reasons: &[NO_ADDRESS],
    },
    Function {
        name: "ping_common_sendmsg",
        reasons: &[
            (Errno::EMSGSIZE, &["it is longer than 65535 bytes"]),
            (
                Errno::EINVAL,
                &[
                    "it is shorter than the header of ICMPv6",
                    "a ping socket sends echo requests alone (type 128, code 0)",
                ],
            ),
        ],
    },
    Function {
        name: "ip6_local_out",
        reasons: &[(
            Errno::EPERM,
            &[
                "netfilter drops it (a rule, a full table of connections, or a security module, at \
                 output or postrouting)",
                "a BPF program of the control group drops it (egress)",
            ],
        )],
    },
];
