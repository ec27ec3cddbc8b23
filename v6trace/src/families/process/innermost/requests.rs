//! Requests over netlink.

use super::{DISCARDED, Function, NO_WAY, PROHIBITED, REJECTED};
use crate::errno::Errno;

/// What the functions return that delete a rule, or make one; from 6.15 on in one of
/// their own.
const DELETING_RULES: &[(Errno, &[&str])] =
    &[(Errno::ENOENT, &["no rule has all that the request names"])];
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
        reasons: DELETING_RULES,
    },
    Function {
        name: "fib_delrule",
        reasons: DELETING_RULES,
    },
    Function {
        name: "fib_nl_newrule",
        reasons: MAKING_RULES,
    },
    Function {
        name: "fib_newrule",
        reasons: MAKING_RULES,
    },
    Function {
        name: "fib6_rule_configure",
        reasons: &[],
    },
    Function {
        name: "neigh_add",
        reasons: &[
            (
                Errno::ENOENT,
                &["there is no such entry, and none is to be made (NLM_F_CREATE)"],
            ),
            (
                Errno::EEXIST,
                &["a new entry is asked for (NLM_F_EXCL), and there is one already"],
            ),
        ],
    },
    Function {
        name: "neigh_delete",
        reasons: &[(
            Errno::ENOENT,
            &["the interface has no entry for that address"],
        )],
    },
    Function {
        name: "pneigh_delete",
        reasons: &[(
            Errno::ENOENT,
            &["no proxy entry has that address and interface"],
        )],
    },
    Function {
        name: "rtm_del_nexthop",
        reasons: &[(Errno::ENOENT, &["no next hop object has that id"])],
    },
    Function {
        name: "fib6_nh_init",
        reasons: &[(
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
        reasons: &[(
            Errno::ESRCH,
            &["there is no label for that prefix and interface"],
        )],
    },
    Function {
        name: "ip6addrlbl_add",
        reasons: MAKING_LABELS,
    },
    Function {
        name: "__ip6addrlbl_add",
        reasons: MAKING_LABELS,
    },
    Function {
        name: "inet6_rtm_getroute",
        reasons: &[
            (Errno::ENETUNREACH, NO_WAY),
            (Errno::EHOSTUNREACH, REJECTED),
            (Errno::EACCES, PROHIBITED),
            (Errno::EINVAL, DISCARDED),
            (
                Errno::ENODEV,
                &["the interface that the packets are to come in by (iif) is not there"],
            ),
        ],
    },
];
