//! What is around an interface whose address was found in use.

use serde::{Deserialize, Serialize};

use crate::{explain::Subject, frame::Mac, record::Finding};

/// The interfaces around a duplicate address, as userspace found them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// When they were looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the address's namespace.
    pub netns: u32,
    /// The address's interface, and those of its namespace that may matter: with
    /// the MAC in question, in hairpin mode, or seen to ask for the address.
    /// `None` where the namespace's interfaces could not be listed.
    pub here: Option<Vec<Interface>>,
    /// Those of other namespaces of this host that may matter, each with the
    /// namespace's inode number.
    pub elsewhere: Vec<(u32, Interface)>,
    /// Where the other end of the address's interface is, of a veth, or what it
    /// is stacked on: namespace and index. `None` where there is none, or it was
    /// not found.
    pub other_end: Option<(u32, u32)>,
    /// The bond that the address's interface is, or is stacked on.
    #[serde(default)]
    pub bond: Option<Bond>,
    /// Whether all other namespaces of this host were looked into.
    pub complete: bool,
    /// A process in each of these namespaces: (namespace, process id).
    pub processes: Vec<(u32, u32)>,
}

/// An interface, as netlink describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its index.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
    /// Its MAC, where its link layer has one.
    pub mac: Option<Mac>,
    /// The index of its lower interface or peer (`IFLA_LINK`), which may be in
    /// another namespace.
    pub link: Option<u32>,
    /// The name of the bridge, bond or VRF that it belongs to.
    pub master: Option<String>,
    /// Whether it is a bridge's port in hairpin mode.
    pub hairpin: bool,
    /// Bits of the prefix with which it has the address in question; `None`
    /// where it does not have it.
    pub prefix_len: Option<u8>,
    /// The flags of that address, `IFA_F_*`; 0 where it does not have it.
    pub address_flags: u32,
    /// Whether it has the address in question as anycast; `None` where that is
    /// not known.
    #[serde(default)]
    pub anycast: Option<bool>,
    /// Whether it answers for the address in question as a proxy (`ip neigh show
    /// proxy`), likewise.
    #[serde(default)]
    pub proxy: Option<bool>,
}

/// Ports that are used together (`ip link add type bond`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bond {
    /// Inode number of the namespace that it is in.
    pub netns: u32,
    /// Its name.
    pub name: String,
    /// Its mode, such as `active-backup`.
    pub mode: String,
    /// The names of its ports.
    pub ports: Vec<String>,
    /// The port that is in use, where the mode uses one alone.
    pub active: Option<String>,
    /// Whether it listens to the others as well (`all_slaves_active`).
    pub all_ports_active: bool,
}

impl Finding for Surroundings {
    fn inhabitants(&self) -> &[(u32, u32)] {
        &self.processes
    }
}

impl Surroundings {
    /// What is around the event that is to be explained.
    pub(super) fn around(subject: Subject<'_>) -> Option<&Self> {
        let mut found = subject.session.found::<Self>();
        found.find(|found| found.netns == subject.event.netns)
    }
}

impl Interface {
    /// Whether it has the address in question.
    pub fn has_address(&self) -> bool {
        self.prefix_len.is_some()
    }
}
