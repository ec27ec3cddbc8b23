//! Who uses an address that this host has just taken as anycast, or given up.

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use crate::record::Finding;

/// Uses of an anycast address, as userspace found them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnycastUse {
    /// When they were looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// The boot time of the kernel event that this belongs to.
    pub of: u64,
    /// What was found.
    pub uses: Vec<Use>,
    /// Whether everything that uses an address was looked at.
    pub complete: bool,
    /// The VRF that the interface belongs to.
    pub vrf: Option<String>,
    /// Another interface of this host that has the address as an ordinary one.
    pub owner: Option<String>,
    /// What the interface has from router advertisements; `None` where that could
    /// not be looked up, or nobody looked.
    #[serde(default)]
    pub advertised: Option<Advertised>,
}

impl Finding for AnycastUse {}

/// What an interface has from router advertisements, or may have: it would be
/// lost if it ceased to heed them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advertised {
    /// Its addresses that are not permanent, each with its prefix length.
    pub addresses: Vec<(Ipv6Addr, u8)>,
    /// Routes that the kernel made from advertisements, for a person to read.
    pub routes: Vec<String>,
    /// Whether a default route of its own from an advertisement was seen to go,
    /// when forwarding was written.
    pub purged: bool,
}

impl Advertised {
    /// Whether there is, or was, anything.
    pub fn is_any(&self) -> bool {
        self.purged || !self.addresses.is_empty() || !self.routes.is_empty()
    }

    /// Whether an anycast address follows from one of the addresses.
    pub fn gives(&self, anycast: Ipv6Addr) -> bool {
        self.addresses.iter().any(|&(address, prefix_len)| {
            let beyond = 128_u32.saturating_sub(prefix_len.into());
            let mask = u128::MAX.checked_shl(beyond).unwrap_or(0);
            u128::from(address) & mask == u128::from(anycast)
        })
    }
}

/// One use of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// What uses it.
    pub kind: UseKind,
    /// Which, for a person to read.
    pub detail: String,
    /// The process, as `comm[pid]`, where one is known.
    pub process: Option<String>,
    /// The inode number of the socket, where it is one.
    pub inode: Option<u32>,
    /// For a connection that was there before the event and gone when v6trace
    /// looked.
    pub gone: Option<Gone>,
    /// How many more of the kind there are that are not listed.
    pub more: u32,
}

/// Between which times a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// How long before the event it was last seen established, nanoseconds.
    pub before_ns: u64,
    /// How long after the event it was found gone, nanoseconds.
    pub after_ns: u64,
}

/// What uses an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UseKind {
    /// A neighbour on the link has it.
    Neighbour,
    /// A TCP connection leads to it.
    Tcp,
    /// A route goes by way of it.
    Gateway,
}

impl UseKind {
    /// Its name in the evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Neighbour => "neighbour",
            Self::Tcp => "tcp",
            Self::Gateway => "gateway",
        }
    }
}
