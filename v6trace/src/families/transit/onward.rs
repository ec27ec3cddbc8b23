//! Whether a packet was for this host after all, and what forwarding would take away.

use serde::{Deserialize, Serialize};

use crate::record::Finding;

/// What userspace found in the namespace of a packet that was not forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onward {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the namespace.
    pub netns: u32,
    /// Whether the interface has the destination as its own, still tested for duplicates
    /// or having failed the test.
    pub is_own: bool,
    /// The names of interfaces that heed router advertisements (accept_ra = 1), and have
    /// routes from these or addresses that are not permanent.
    pub interfaces: Vec<String>,
}

impl Finding for Onward {}
