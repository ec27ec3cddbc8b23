//! What IPv4 addresses a network namespace has to choose a source from.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::record::Finding;

/// The interfaces and IPv4 addresses of a network namespace, in the kernel's
/// order, as userspace found them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// When they were looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the namespace.
    pub netns: u32,
    /// Its interfaces.
    pub interfaces: Vec<Interface>,
    /// Its IPv4 addresses.
    pub addresses: Vec<Address>,
}

impl Finding for Addresses {}

/// An interface, as far as the choice of a source depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its index.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
    /// Index of the VRF, bridge or bond that it belongs to.
    pub master: Option<u32>,
    /// Whether it is a VRF itself.
    pub is_vrf: bool,
    /// The table of a VRF.
    pub vrf_table: Option<u32>,
    /// Whether it works; `None` where a recording does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<LinkState>,
}

/// Whether an interface works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// It is up, and so is its link.
    Up,
    /// It is up but has no carrier.
    NoCarrier,
    /// It is down.
    Down,
    /// What a newer version says.
    #[serde(other)]
    Other,
}

/// An IPv4 address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The interface's index.
    pub ifindex: u32,
    /// The address itself, `IFA_LOCAL`.
    pub address: Ipv4Addr,
    /// Its scope (`RT_SCOPE_*`): 0 global, 253 link, 254 host.
    pub scope: u8,
}
