//! The table of hooks: which kernel function each one watches, and with which
//! of the kernel side's programs.
//!
//! A hook names its candidates in order of preference. Userspace attaches the
//! first whose function this kernel can trace; a later one counts as a
//! fallback, and its note says what is lost by it.

/// A hook, as records and loss counters name it.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Joining a multicast group on a socket.
    MulticastJoin = 0,
    /// Charging a socket's option memory on behalf of such a join.
    OptionMemory = 1,
    /// Setting the token of an interface.
    SetToken = 2,
    /// Duplicate address detection finding an address in use.
    DadFailure = 3,
    /// Sending a solicitation of duplicate address detection.
    DadSolicitation = 4,
    /// Receiving one's own solicitation of duplicate address detection.
    DadReflection = 5,
}

/// One hook and the ways to attach it.
#[derive(Debug)]
pub struct HookInfo {
    /// The hook that this line describes.
    pub hook: Hook,
    /// Its name in output, kebab-case.
    pub name: &'static str,
    /// What is not explained without it, as a clause.
    pub without: &'static str,
    /// The functions that serve it, most preferred first.
    pub candidates: &'static [Candidate],
}

/// One function that serves a hook.
#[derive(Debug)]
pub struct Candidate {
    /// The kernel function.
    pub function: &'static str,
    /// The program to attach where the function is entered.
    pub entry: Option<&'static str>,
    /// The program to attach where it returns.
    pub ret: Option<&'static str>,
    /// Globals of [`MEMBERS`](crate::members::MEMBERS) without which the
    /// programs can say nothing.
    pub needs: &'static [&'static str],
    /// What watching this function instead of a preferred one costs.
    pub note: Option<&'static str>,
}

/// Every hook, in the order of [`Hook`]'s numbers.
pub const HOOKS: &[HookInfo] = &[
    HookInfo {
        hook: Hook::MulticastJoin,
        name: "multicast-join",
        without: "failed multicast joins are not seen",
        candidates: &[
            Candidate {
                function: "__ipv6_sock_mc_join",
                entry: Some("multicast_join_enter"),
                ret: Some("multicast_join_return"),
                needs: &["SOCK_NET", "NET_INUM"],
                note: None,
            },
            Candidate {
                function: "ipv6_sock_mc_join",
                entry: Some("multicast_join_any_source_enter"),
                ret: Some("multicast_join_return"),
                needs: &["SOCK_NET", "NET_INUM"],
                note: Some("joins with a source (MCAST_JOIN_SOURCE_GROUP) are not seen"),
            },
        ],
    },
    HookInfo {
        hook: Hook::OptionMemory,
        name: "option-memory",
        without: "a failed join's size and sk_omem_alloc are those at its return",
        candidates: &[Candidate {
            function: "sock_kmalloc",
            entry: Some("option_memory_charge"),
            ret: None,
            needs: &["SOCK_OMEM_ALLOC"],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::SetToken,
        name: "set-token",
        without: "refused interface tokens are not explained",
        candidates: &[
            Candidate {
                function: "inet6_set_iftoken",
                entry: Some("set_token_enter"),
                ret: Some("set_token_return"),
                needs: &["INET6_DEV_DEV", "DEV_NET", "NET_INUM"],
                note: None,
            },
            Candidate {
                function: "inet6_set_link_af",
                entry: Some("set_link_af_enter"),
                ret: Some("set_token_return"),
                needs: &["DEV_NET", "NET_INUM"],
                note: Some("inlined into its caller, which is watched for requests with a token"),
            },
        ],
    },
    HookInfo {
        hook: Hook::DadFailure,
        name: "dad-failure",
        without: "failed duplicate address detection is not explained",
        candidates: &[Candidate {
            function: "addrconf_dad_failure",
            entry: Some("dad_failure"),
            ret: None,
            needs: &[
                "IFA_ADDR",
                "IFA_STATE",
                "IFA_IDEV",
                "INET6_DEV_DEV",
                "DEV_NET",
                "NET_INUM",
            ],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::DadSolicitation,
        name: "dad-solicitation",
        without: "late or cloned solicitations of duplicate address detection are not told apart",
        candidates: &[Candidate {
            function: "ndisc_send_ns",
            entry: Some("dad_solicitation"),
            ret: None,
            needs: &["DEV_NET", "DEV_IFINDEX", "NET_INUM"],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::DadReflection,
        name: "dad-reflection",
        without: "reflections that the kernel recognises by their nonce are not reported",
        candidates: &[Candidate {
            function: "ndisc_recv_ns",
            entry: Some("dad_reflection"),
            ret: None,
            needs: &[
                "SKB_DEV",
                "SKB_HEAD",
                "SKB_NETWORK_HEADER",
                "SKB_TRANSPORT_HEADER",
                "SKB_LEN",
                "DEV_NET",
                "DEV_IFINDEX",
                "NET_INUM",
            ],
            note: None,
        }],
    },
];

/// Programs that others continue in by a tail call, at their index in the
/// `CONTINUATIONS` map.
pub const CONTINUATIONS: &[&str] = &["multicast_join_walk"];

/// Index in [`CONTINUATIONS`] of the walk over a socket's memberships.
pub const CONTINUE_MULTICAST_JOIN_WALK: u32 = 0;

impl Hook {
    /// The hook that `value` stands for, if this version knows it.
    pub fn from_wire(value: u16) -> Option<Self> {
        HOOKS.get(usize::from(value)).map(|info| info.hook)
    }

    /// This hook's line in [`HOOKS`].
    pub const fn info(self) -> &'static HookInfo {
        &HOOKS[self as usize]
    }
}

const _: () = {
    let mut index = 0;
    while index < HOOKS.len() {
        assert!(
            HOOKS[index].hook as usize == index,
            "HOOKS is in the order of Hook"
        );
        index += 1;
    }
};
