//! Where an address is that a proxy is to answer for, and what forwarding would take
//! away.

use serde::{Deserialize, Serialize};

use crate::record::Finding;

/// What userspace found of the proxy's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advertised {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the namespace.
    pub netns: u32,
    /// Whether the interface answers for the address in any case: as its own, its VRF's,
    /// or as anycast; `None` where that is not known.
    pub is_own: Option<bool>,
    /// The name of the interface by which the address is to be reached, if there is one.
    pub behind: Option<String>,
    /// Whether that is another one than the one that was asked by.
    pub is_elsewhere: bool,
    /// The names of interfaces that heed router advertisements (accept_ra = 1), and have
    /// routes from these or addresses that are not permanent.
    pub interfaces: Vec<String>,
}

impl Finding for Advertised {}
