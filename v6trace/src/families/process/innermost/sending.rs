//! Finding the way of packets, and sending them.

use super::{Function, NO_WAY, PROHIBITED, REJECTED};
use crate::errno::Errno;

/// What is too long for one packet, or its fragments.
const TOO_LONG: (Errno, &[&str]) = (
    Errno::EMSGSIZE,
    &[
        "it is longer than the MTU of the way, and the socket lets nobody make fragments of it \
         (IPV6_MTU_DISCOVER, IPV6_DONTFRAG)",
        "it is longer than 65535 bytes",
        "its headers alone are longer than the MTU",
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
    (
        Errno::EINVAL,
        &["a route or rule of type blackhole has the destination"],
    ),
    (
        Errno::EADDRNOTAVAIL,
        &["no address of this host may be the source of packets there"],
    ),
];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "ip6_dst_lookup_flow",
        tests: WAY,
    },
    Function {
        name: "ip6_sk_dst_lookup_flow",
        tests: WAY,
    },
    Function {
        name: "xfrm_lookup_with_ifid",
        tests: &[(
            Errno::EPERM,
            &[
                "an IPsec policy with the action block has the packet (ip xfrm policy)",
                "no IPsec policy has it, and what none has is blocked (ip xfrm policy getdefault)",
            ],
        )],
    },
    Function {
        name: "ip6_append_data",
        tests: &[TOO_LONG],
    },
    Function {
        name: "__ip6_append_data",
        tests: &[TOO_LONG],
    },
    Function {
        name: "ip6_make_skb",
        tests: &[TOO_LONG],
    },
    Function {
        name: "ip6_datagram_send_ctl",
        tests: &[
            (
                Errno::EPERM,
                &["headers with options for hops or the destination take CAP_NET_RAW"],
            ),
            (
                Errno::ENODEV,
                &["the interface that IPV6_PKTINFO names is not there"],
            ),
        ],
    },
    Function {
        name: "udp_cmsg_send",
        tests: &[],
    },
    Function {
        name: "udp_v6_send_skb",
        tests: &[],
    },
    Function {
        name: "udpv6_sendmsg",
        tests: &[
            NO_ADDRESS,
            (
                Errno::ENETUNREACH,
                &["the destination is an IPv4 address, and the socket has IPV6_V6ONLY"],
            ),
        ],
    },
    Function {
        name: "rawv6_sendmsg",
        tests: &[
            NO_ADDRESS,
            (
                Errno::EAFNOSUPPORT,
                &["the address given is of another family than the socket"],
            ),
        ],
    },
    Function {
        name: "ping_common_sendmsg",
        tests: &[
            (Errno::EMSGSIZE, &["it is longer than 65535 bytes"]),
            (
                Errno::EINVAL,
                &["a ping socket sends echo requests alone (type 128, from 5.13 on 160 as well)"],
            ),
        ],
    },
    Function {
        name: "ip6_local_out",
        tests: &[(
            Errno::EPERM,
            &[
                "a rule of netfilter drops it (chains of the hooks output and postrouting)",
                "a BPF program of the control group drops it (egress)",
            ],
        )],
    },
];
