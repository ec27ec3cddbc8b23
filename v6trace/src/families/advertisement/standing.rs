//! What an interface has, from whomever: whether it needs what it ignores.

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use crate::record::Finding;

/// What an interface has beside router advertisements, as userspace found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of its namespace.
    pub netns: u32,
    /// Its index.
    pub ifindex: u32,
    /// Its IPv6 addresses but for link-local ones, each with its prefix length.
    pub addresses: Vec<(Ipv6Addr, u8)>,
    /// IPv6 default routes by way of it; `None` where they could not be listed.
    pub default_routes: Option<Vec<DefaultRoute>>,
    /// The bridge or bond that gets its packets.
    pub master: Option<String>,
    /// The process that has the raw socket which was given the advertisement.
    pub taker: Option<Taker>,
}

impl Finding for Standing {}

/// An IPv6 default route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRoute {
    /// The next hop, where there is one.
    pub gateway: Option<Ipv6Addr>,
    /// Who made it: `RTPROT_*`.
    pub protocol: u8,
}

/// A process that takes advertisements itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taker {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub comm: String,
}

impl Standing {
    /// Whether the interface has an address or a default route.
    pub fn has_any(&self) -> Option<bool> {
        if !self.addresses.is_empty() {
            return Some(true);
        }
        self.default_routes
            .as_ref()
            .map(|routes| !routes.is_empty())
    }
}
