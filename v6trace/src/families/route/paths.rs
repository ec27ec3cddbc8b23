//! Which routes and addresses there are beside a route that was refused.

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use crate::{families::outgoing::Own, prefix, record::Finding};

/// What a network namespace has, as userspace found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the namespace.
    pub netns: u32,
    /// Routes of any table whose prefix has a gateway that was asked for, longest
    /// first; `None` where they could not be listed, or do not matter.
    pub to_gateways: Option<Vec<Known>>,
    /// Routes of any table with the very prefix that was asked for, likewise.
    pub same_prefix: Option<Vec<Known>>,
    /// Its own addresses among those that were asked for as gateway or source.
    pub addresses: Vec<Own>,
    /// The interfaces that next hops name, as far as they are there: index, name,
    /// whether it is up.
    pub interfaces: Vec<(u32, String, bool)>,
}

impl Finding for Paths {}

/// A route that there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its destination.
    pub prefix: Ipv6Addr,
    /// Bits of that.
    pub prefix_len: u8,
    /// Its table.
    pub table: u32,
    /// `RTN_*`
    pub kind: u8,
    /// Who made it: `RTPROT_*`.
    pub protocol: u8,
    /// Its metric.
    pub metric: u32,
    /// The gateway, where there is one.
    pub gateway: Option<Ipv6Addr>,
    /// The name of the interface that it leaves by; `None` of several.
    pub interface: Option<String>,
    /// How many next hops it has.
    pub hops: usize,
    /// Whether the kernel passes it over (`RTNH_F_DEAD`).
    pub is_dead: bool,
}

impl Paths {
    /// The name of an interface that a next hop names.
    pub(super) fn name(&self, ifindex: u32) -> Option<&str> {
        let mut found = self.interfaces.iter();
        found
            .find(|(index, ..)| *index == ifindex)
            .map(|(_, name, _)| name.as_str())
    }
}

impl Known {
    /// Whether its prefix has the address.
    pub(super) fn has(&self, address: Ipv6Addr) -> bool {
        prefix::has(self.prefix, self.prefix_len, address)
    }
}
