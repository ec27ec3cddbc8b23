//! Who uses an address that this host has just taken as anycast, or given up.

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
}

impl Finding for AnycastUse {}

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
