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
    /// Choosing next hop and source address of an IPv4 packet.
    SourceSelection = 3,
    /// Writing a forwarding sysctl.
    ForwardingWrite = 4,
    /// An interface that begins or ceases to forward.
    ForwardingChange = 5,
    /// An address that becomes usable.
    AddressUsable = 6,
    /// A socket that asks for an anycast address.
    AnycastRequest = 7,
    /// Taking an anycast address, whoever asks for it.
    AnycastJoin = 8,
    /// Giving an anycast address up.
    AnycastLeave = 9,
    /// Removing the default routes of router advertisements.
    DefaultRoutePurge = 10,
    /// Removing one route.
    RouteDelete = 11,
    /// Duplicate address detection finding an address in use.
    DadFailure = 12,
    /// Sending a solicitation of duplicate address detection.
    DadSolicitation = 13,
    /// Receiving one's own solicitation of duplicate address detection.
    DadReflection = 14,
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
    /// The programs for kprobes.
    pub kprobes: Programs,
    /// The programs for a trampoline, which is preferred, if there are any.
    pub trampoline: Option<Programs>,
    /// Globals of [`MEMBERS`](crate::members::MEMBERS) without which the
    /// programs can say nothing.
    pub needs: &'static [&'static str],
    /// What watching this function instead of a preferred one costs.
    pub note: Option<&'static str>,
}

/// The programs of a candidate.
#[derive(Clone, Copy, Debug)]
pub struct Programs {
    /// The one to attach where the function is entered.
    pub entry: Option<&'static str>,
    /// The one to attach where it returns.
    pub ret: Option<&'static str>,
    /// The one in which they continue by a tail call, and the map that leads
    /// to it.
    pub continuation: Option<(&'static str, &'static str)>,
}

impl Programs {
    /// Without a continuation.
    pub const fn new(entry: Option<&'static str>, ret: Option<&'static str>) -> Self {
        Self {
            entry,
            ret,
            continuation: None,
        }
    }

    /// Both ends, or one: without the continuation.
    pub fn ends(&self) -> impl Iterator<Item = &'static str> {
        [self.entry, self.ret].into_iter().flatten()
    }
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
                kprobes: Programs {
                    entry: Some("multicast_join_enter"),
                    ret: Some("multicast_join_return"),
                    continuation: Some(("multicast_join_walk", "RETURN_CONTINUATIONS")),
                },
                trampoline: Some(Programs {
                    entry: None,
                    ret: Some("multicast_join_exit"),
                    continuation: Some(("multicast_join_exit_walk", "EXIT_CONTINUATIONS")),
                }),
                needs: &["SOCK_NET", "NET_INUM"],
                note: None,
            },
            Candidate {
                function: "ipv6_sock_mc_join",
                kprobes: Programs {
                    entry: Some("multicast_join_any_source_enter"),
                    ret: Some("multicast_join_return"),
                    continuation: Some(("multicast_join_walk", "RETURN_CONTINUATIONS")),
                },
                trampoline: None,
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
            kprobes: Programs::new(Some("option_memory_charge"), None),
            trampoline: Some(Programs::new(None, Some("option_memory_charged"))),
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
                kprobes: Programs::new(Some("set_token_enter"), Some("set_token_return")),
                trampoline: None,
                needs: &["INET6_DEV_DEV", "DEV_NET", "NET_INUM"],
                note: None,
            },
            Candidate {
                function: "inet6_set_link_af",
                kprobes: Programs::new(Some("set_link_af_enter"), Some("set_token_return")),
                trampoline: None,
                needs: &["DEV_NET", "NET_INUM"],
                note: Some("inlined into its caller, which is watched for requests with a token"),
            },
        ],
    },
    HookInfo {
        hook: Hook::SourceSelection,
        name: "source-selection",
        without: "IPv4 sources of routes with IPv6 next hops are not explained",
        candidates: &[Candidate {
            function: "fib_select_path",
            kprobes: Programs::new(
                Some("source_selection_enter"),
                Some("source_selection_return"),
            ),
            trampoline: Some(Programs::new(
                Some("source_selection_fentry"),
                Some("source_selection_fexit"),
            )),
            needs: &[
                "NET_INUM",
                "FIB_RESULT_NHC",
                "FIB_RESULT_FI",
                "NHC_DEV",
                "NHC_GW_FAMILY",
                "NHC_GW_IPV6",
                "FIB_INFO_PREFSRC",
                "FLOWI4_SADDR",
                "FLOWI4_DADDR",
                "DEV_IFINDEX",
                "DEV_IP_PTR",
                "IN_DEVICE_IFA_LIST",
                "IFADDR_LOCAL",
                "IFADDR_NEXT",
            ],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::ForwardingWrite,
        name: "forwarding-write",
        without: "which forwarding sysctl was written is not known",
        candidates: &[Candidate {
            function: "addrconf_sysctl_forward",
            kprobes: Programs::new(
                Some("forwarding_write_enter"),
                Some("forwarding_write_return"),
            ),
            trampoline: None,
            needs: &["CTL_DATA", "CTL_IDEV", "CTL_NET"],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::ForwardingChange,
        name: "forwarding-change",
        without: "anycast addresses taken because forwarding was turned on are not explained",
        candidates: &[Candidate {
            function: "dev_forward_change",
            kprobes: Programs::new(
                Some("forwarding_change_enter"),
                Some("forwarding_change_return"),
            ),
            trampoline: None,
            needs: &[],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::AddressUsable,
        name: "address-usable",
        without: "anycast addresses taken beside a new address are not explained",
        candidates: &[Candidate {
            function: "__ipv6_ifa_notify",
            kprobes: Programs::new(Some("address_usable_enter"), Some("address_usable_return")),
            trampoline: None,
            needs: &["IFADDR_IDEV"],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::AnycastRequest,
        name: "anycast-request",
        without: "anycast addresses that a socket asks for are not explained",
        candidates: &[Candidate {
            function: "ipv6_sock_ac_join",
            kprobes: Programs::new(
                Some("anycast_request_enter"),
                Some("anycast_request_return"),
            ),
            trampoline: None,
            needs: &[],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::AnycastJoin,
        name: "anycast-join",
        without: "anycast addresses that this host takes are not seen",
        candidates: &[Candidate {
            function: "__ipv6_dev_ac_inc",
            kprobes: Programs::new(Some("anycast_join_enter"), Some("anycast_join_return")),
            trampoline: None,
            needs: &[
                "INET6_DEV_DEV",
                "DEV_NET",
                "NET_INUM",
                "IDEV_ANYCAST",
                "ANYCAST_ADDR",
                "ANYCAST_NEXT",
            ],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::AnycastLeave,
        name: "anycast-leave",
        without: "anycast addresses that this host gives up are not seen",
        candidates: &[Candidate {
            function: "__ipv6_dev_ac_dec",
            kprobes: Programs::new(Some("anycast_leave_enter"), Some("anycast_leave_return")),
            trampoline: None,
            needs: &[
                "INET6_DEV_DEV",
                "DEV_NET",
                "NET_INUM",
                "IDEV_ANYCAST",
                "ANYCAST_ADDR",
                "ANYCAST_NEXT",
                "ANYCAST_USERS",
            ],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::DefaultRoutePurge,
        name: "default-route-purge",
        without: "default routes that vanish when forwarding is written are not explained",
        candidates: &[Candidate {
            function: "rt6_purge_dflt_routers",
            kprobes: Programs::new(
                Some("default_route_purge_enter"),
                Some("default_route_purge_return"),
            ),
            trampoline: None,
            needs: &["NET_INUM"],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::RouteDelete,
        name: "route-delete",
        without: "default routes that vanish when forwarding is written are not explained",
        candidates: &[Candidate {
            function: "fib6_del",
            kprobes: Programs::new(Some("route_delete_enter"), None),
            trampoline: None,
            needs: &[
                "ROUTE_FLAGS",
                "ROUTE_NODE",
                "ROUTE_NEXTHOP",
                "ROUTE_FIB_NH",
                "FIB_NH_DEV",
                "FIB_NH_GATEWAY",
                "DEV_IFINDEX",
                "DEV_NAME",
            ],
            note: None,
        }],
    },
    HookInfo {
        hook: Hook::DadFailure,
        name: "dad-failure",
        without: "failed duplicate address detection is not explained",
        candidates: &[Candidate {
            function: "addrconf_dad_failure",
            kprobes: Programs::new(Some("dad_failure"), None),
            trampoline: None,
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
            kprobes: Programs::new(Some("dad_solicitation"), None),
            trampoline: None,
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
            kprobes: Programs::new(Some("dad_reflection"), None),
            trampoline: None,
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
