//! What fills the table of neighbours, which all namespaces share.

use serde::{Deserialize, Serialize};

use crate::record::Finding;

/// Who has how many entries, as userspace found them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableUse {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the namespace in which a neighbour got no entry.
    pub netns: u32,
    /// The namespaces with the most entries, most first.
    pub shares: Vec<Share>,
    /// All that were counted, of all namespaces that were looked into.
    pub all: Counts,
    /// Whether all namespaces of this host were looked into.
    pub complete: bool,
    /// A process in each of these namespaces: (namespace, process id).
    pub processes: Vec<(u32, u32)>,
}

/// What one namespace has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Its inode number.
    pub netns: u32,
    /// Its entries.
    pub counts: Counts,
    /// The name of the interface with the most that did not answer, or else the most, and
    /// those of it.
    pub fullest: Option<(String, Counts)>,
}

/// Entries that take room in the table, by what is known of the neighbour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// It is looked for, or was in vain: INCOMPLETE and FAILED.
    pub unanswered: u32,
    /// It has answered: REACHABLE, STALE, DELAY and PROBE.
    pub answered: u32,
    /// Nobody is asked: NOARP, which groups of multicast are, and NONE.
    pub other: u32,
}

impl Counts {
    /// All of them.
    pub const fn total(self) -> u32 {
        self.unanswered
            .saturating_add(self.answered)
            .saturating_add(self.other)
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.unanswered = self.unanswered.saturating_add(more.unanswered);
        self.answered = self.answered.saturating_add(more.answered);
        self.other = self.other.saturating_add(more.other);
    }
}

impl Finding for TableUse {
    fn inhabitants(&self) -> &[(u32, u32)] {
        &self.processes
    }
}
