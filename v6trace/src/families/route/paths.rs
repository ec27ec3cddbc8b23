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
    /// Routes of any table with the very prefix that was asked for, or of routes that lost
    /// a next hop, likewise.
    pub same_prefix: Option<Vec<Known>>,
    /// Its own addresses among those that were asked for as gateway or source.
    pub addresses: Vec<Own>,
    /// The interfaces that next hops name, as far as they are there.
    pub interfaces: Vec<Interface>,
}

impl Finding for Paths {}

/// An interface that a next hop names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its index.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
    /// Whether it is up.
    pub is_up: bool,
    /// The table of the VRF that it is in, if it is in one.
    pub vrf_table: Option<u32>,
}

/// A route that there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its destination.
    pub prefix: Ipv6Addr,
    /// Bits of that.
    pub prefix_len: u8,
    /// The sources that it is for, and the bits of that; `None` for all.
    pub source: Option<(Ipv6Addr, u8)>,
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
    /// The source of what leaves by it, where it says.
    pub prefsrc: Option<Ipv6Addr>,
    /// The number of its nexthop object.
    pub nexthop_id: Option<u32>,
    /// How many next hops it has.
    pub hops: usize,
    /// Whether the kernel passes it over (`RTNH_F_DEAD`).
    pub is_dead: bool,
    /// Whether none of its interfaces has a carrier (`RTNH_F_LINKDOWN`).
    #[serde(default)]
    pub is_linkdown: bool,
}

impl Paths {
    /// The name of an interface that a next hop names.
    pub(super) fn name(&self, ifindex: u32) -> Option<&str> {
        self.interface(ifindex).map(|it| it.name.as_str())
    }

    /// The table of its VRF, if it is in one.
    pub(super) fn vrf(&self, ifindex: u32) -> Option<u32> {
        self.interface(ifindex)?.vrf_table
    }

    fn interface(&self, ifindex: u32) -> Option<&Interface> {
        let mut found = self.interfaces.iter();
        found.find(|interface| interface.ifindex == ifindex)
    }
}

impl Known {
    /// Whether its prefix has the address.
    pub(super) fn has(&self, address: Ipv6Addr) -> bool {
        prefix::has(self.prefix, self.prefix_len, address)
    }
}
