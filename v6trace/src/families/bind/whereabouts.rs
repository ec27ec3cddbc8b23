//! Where an address is that a socket was refused: to which VRF its interfaces
//! belong, and which namespaces of the host have it.

use serde::{Deserialize, Serialize};

use crate::{explain::Subject, record::Finding};

/// Where an address is, as userspace found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the socket's namespace.
    pub netns: u32,
    /// The interfaces there that have the address, and the one that was asked for.
    pub here: Vec<Place>,
    /// Interfaces of other namespaces that have it, 16 at most, each with the
    /// namespace's inode number.
    pub elsewhere: Vec<(u32, String)>,
    /// Whether all other namespaces of this host were looked into.
    pub complete: bool,
    /// A process in each of these: (namespace, process id).
    pub processes: Vec<(u32, u32)>,
}

/// An interface of the socket's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its index.
    pub ifindex: u32,
    /// The VRF that it is, or belongs to.
    pub vrf: Option<String>,
}

impl Finding for Whereabouts {
    fn inhabitants(&self) -> &[(u32, u32)] {
        &self.processes
    }
}

impl Whereabouts {
    /// Where the address of the event is that is to be explained.
    pub(super) fn of(subject: Subject<'_>) -> Option<&Self> {
        let mut found = subject.session.found::<Self>();
        found.find(|found| found.netns == subject.event.netns)
    }

    /// The domain that an interface is in; `None` where that is not known. No
    /// interface is in no VRF.
    pub(super) fn domain_of(&self, ifindex: u32) -> Option<Domain<'_>> {
        if ifindex == 0 {
            return Some(Domain(None));
        }
        let mut here = self.here.iter();
        let place = here.find(|place| place.ifindex == ifindex)?;
        Some(Domain(place.vrf.as_deref()))
    }
}

/// What shares addresses: the interfaces of a VRF, or all those that are in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Domain<'a>(pub(super) Option<&'a str>);
