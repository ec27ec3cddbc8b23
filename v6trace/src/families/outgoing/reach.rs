//! Which routes and addresses there are that a way out might have had.

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use crate::record::Finding;

/// What a network namespace has for a destination, as userspace found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the namespace.
    pub netns: u32,
    /// Where to.
    pub destination: Ipv6Addr,
    /// Its IPv6 addresses; of more than are listed, the global ones first.
    pub addresses: Vec<Own>,
    /// Routes of any table whose prefix has the destination, longest first;
    /// `None` where they could not be listed.
    pub ways: Option<Vec<Way>>,
    /// The rules that are not the kernel's own, likewise; those that refuse first.
    pub rules: Option<Vec<Rule>>,
}

impl Finding for Reach {}

/// An address of this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// The address.
    pub address: Ipv6Addr,
    /// Bits of its prefix.
    pub prefix_len: u8,
    /// Its interface's index.
    pub ifindex: u32,
    /// That interface's name.
    pub interface: String,
    /// `IFA_F_*`, those of the first byte.
    pub flags: u8,
}

/// Whether an address is global and not only unique locally.
pub(super) fn is_global(address: Ipv6Addr) -> bool {
    address.segments()[0] >> 13 == 1
}

/// A route that might lead there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Its destination.
    pub prefix: Ipv6Addr,
    /// Bits of that.
    pub prefix_len: u8,
    /// Its table.
    pub table: u32,
    /// `RTN_*`
    pub kind: u8,
    /// The next hop, where there is one.
    pub gateway: Option<Ipv6Addr>,
    /// The name of the interface that it leaves by; `None` of several.
    pub interface: Option<String>,
    /// Whether the kernel passes it over, since its interface is down or has no
    /// carrier that it would need (`RTNH_F_DEAD`).
    pub is_dead: bool,
    /// Whether it is for some sources only (`RTA_SRC`).
    pub of_sources: bool,
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its number.
    pub priority: u32,
    /// `FR_ACT_*`
    pub action: u8,
}

impl Rule {
    /// `FR_ACT_BLACKHOLE`
    pub const BLACKHOLE: u8 = 6;
    /// `FR_ACT_UNREACHABLE`
    pub const UNREACHABLE: u8 = 7;
    /// `FR_ACT_PROHIBIT`
    pub const PROHIBIT: u8 = 8;
}
