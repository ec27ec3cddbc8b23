//! Making sockets, connecting them, and their options.

use super::Function;
use crate::errno::Errno;

const TOO_SHORT: &str = "the address given is shorter than that of IPv6";
const NOT_MANAGED: &str =
    "the socket sends flow labels (IPV6_FLOWINFO_SEND), and has not got the one given";
const NO_SCOPE: &str =
    "the destination is link-local, and neither it nor the socket names an interface";
const OTHER_SCOPE: &str =
    "the destination is link-local, and names another interface than the socket is bound to";
const V6_ONLY: &str = "the destination is an IPv4 address, and the socket has IPV6_V6ONLY";

/// What finds the port that a connection leaves from.
pub(super) const CHOOSING_PORTS: &str = "__inet_hash_connect";

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "__sock_create",
        tests: &[(
            Errno::EAFNOSUPPORT,
            &["nothing in the kernel makes sockets of that family, as with ipv6.disable=1"],
        )],
    },
    Function {
        name: "inet6_create",
        tests: &[
            (
                Errno::EPROTONOSUPPORT,
                &["there are sockets of that type, and none with that protocol"],
            ),
            (
                Errno::ESOCKTNOSUPPORT,
                &["IPv6 has no sockets of that type"],
            ),
            (
                Errno::EPERM,
                &[
                    "a raw socket takes CAP_NET_RAW in the user namespace that the network \
                     namespace belongs to",
                    "a BPF program of the control group refuses it",
                ],
            ),
            (Errno::EINVAL, &["no protocol has such a number"]),
        ],
    },
    Function {
        name: "ping_init_sock",
        tests: &[(
            Errno::EACCES,
            &["the process has no group within net.ipv4.ping_group_range"],
        )],
    },
    Function {
        name: "tcp_v6_connect",
        tests: &[
            (
                Errno::EAFNOSUPPORT,
                &["the address given is of another family than the socket"],
            ),
            (
                Errno::EINVAL,
                &[TOO_SHORT, NOT_MANAGED, NO_SCOPE, OTHER_SCOPE],
            ),
            (
                Errno::ENETUNREACH,
                &["the destination is a multicast group", V6_ONLY],
            ),
        ],
    },
    Function {
        name: "__ip6_datagram_connect",
        tests: &[
            (
                Errno::EAFNOSUPPORT,
                &[
                    "the address given is of another family than AF_INET6 and AF_INET",
                    "it is of AF_INET, and the socket has IPV6_V6ONLY",
                ],
            ),
            (
                Errno::EINVAL,
                &[TOO_SHORT, NOT_MANAGED, NO_SCOPE, OTHER_SCOPE],
            ),
            (Errno::ENETUNREACH, &[V6_ONLY]),
        ],
    },
    Function {
        name: CHOOSING_PORTS,
        tests: &[(
            Errno::EADDRNOTAVAIL,
            &[
                "no port of net.ipv4.ip_local_port_range, or of IP_LOCAL_PORT_RANGE, is left for that \
                 destination and port",
                "the socket is bound to a port that has a connection there already",
            ],
        )],
    },
    Function {
        name: "ipv6_flowlabel_opt",
        tests: &[
            (
                Errno::EPERM,
                &[
                    "who has that flow label shares it with nobody, in another way than this one \
                     asks for, or only with its own process or user",
                    "labels are to be reflected, and net.ipv6.flowlabel_consistency is set",
                ],
            ),
            (
                Errno::EEXIST,
                &["a new flow label is asked for (IPV6_FL_F_EXCL), and it is in use"],
            ),
            (
                Errno::ENOENT,
                &["nobody has that flow label, and it is not to be made (IPV6_FL_F_CREATE)"],
            ),
        ],
    },
    Function {
        name: "fl_create",
        tests: &[(
            Errno::EPERM,
            &["to keep a flow label for longer than the kernel's limit takes CAP_NET_ADMIN"],
        )],
    },
];
