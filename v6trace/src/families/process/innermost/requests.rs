//! Requests over netlink.

use super::{Function, NO_WAY, PROHIBITED, REJECTED};
use crate::errno::Errno;

/// What the functions return that delete a rule, or make one; from 6.15 on in one of
/// their own.
const DELETING_RULES: &[(Errno, &[&str])] = &[
    (Errno::ENOENT, &["no rule has all that the request names"]),
    (Errno::EPERM, &["the rule is the kernel's own, and stays"]),
];
const MAKING_RULES: &[(Errno, &[&str])] = &[(
    Errno::EEXIST,
    &["a new rule is asked for (NLM_F_EXCL), and there is the same already"],
)];

/// What those return that make an address label.
const MAKING_LABELS: &[(Errno, &[&str])] = &[(
    Errno::EEXIST,
    &["there is a label for that prefix and interface, and it is not to be replaced"],
)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "fib_nl_delrule",
        tests: DELETING_RULES,
    },
    Function {
        name: "fib_delrule",
        tests: DELETING_RULES,
    },
    Function {
        name: "fib_nl_newrule",
        tests: MAKING_RULES,
    },
    Function {
        name: "fib_newrule",
        tests: MAKING_RULES,
    },
    Function {
        name: "fib6_rule_configure",
        tests: &[(
            Errno::EINVAL,
            &[
                "the rule is for table 0, which is none",
                "its tos has a bit of ECN (from 5.18 on)",
                "its flow label has a bit that its mask lacks, or the mask has one too many (from \
                 6.14 on)",
            ],
        )],
    },
    Function {
        name: "neigh_add",
        tests: &[
            (
                Errno::ENOENT,
                &["there is no such entry, and none is to be made (NLM_F_CREATE)"],
            ),
            (
                Errno::EEXIST,
                &["a new entry is asked for (NLM_F_EXCL), and there is one already"],
            ),
            (
                Errno::EINVAL,
                &[
                    "the request names no address or no interface",
                    "the link address is shorter than those of the interface",
                    "IPv6 is disabled on the interface",
                    "its flags exclude each other (from 5.16 on)",
                ],
            ),
        ],
    },
    Function {
        name: "neigh_delete",
        tests: &[(
            Errno::ENOENT,
            &["the interface has no entry for that address"],
        )],
    },
    Function {
        name: "pneigh_delete",
        tests: &[(
            Errno::ENOENT,
            &["no proxy entry has that address and interface"],
        )],
    },
    Function {
        name: "rtm_del_nexthop",
        tests: &[(Errno::ENOENT, &["no next hop object has that id"])],
    },
    Function {
        name: "fib6_nh_init",
        tests: &[(
            Errno::EHOSTUNREACH,
            &[
                "no route leads to its gateway",
                "the route to its gateway has a gateway itself",
                "the route to its gateway leaves by another interface",
            ],
        )],
    },
    Function {
        name: "ip6addrlbl_newdel",
        tests: &[
            (
                Errno::ESRCH,
                &["there is no label for that prefix and interface"],
            ),
            (
                Errno::EINVAL,
                &[
                    "the request has no prefix or no label, or the label 0xffffffff",
                    "its prefix has more than 128 bits",
                    "the interface that it names is not there",
                ],
            ),
        ],
    },
    Function {
        name: "ip6addrlbl_add",
        tests: MAKING_LABELS,
    },
    Function {
        name: "__ip6addrlbl_add",
        tests: MAKING_LABELS,
    },
    Function {
        name: "inet6_rtm_getroute",
        tests: &[
            (Errno::ENETUNREACH, NO_WAY),
            (Errno::EHOSTUNREACH, REJECTED),
            (Errno::EACCES, PROHIBITED),
        ],
    },
];
