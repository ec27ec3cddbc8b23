//! Which process routes multicasts.

use serde::{Deserialize, Serialize};

use crate::{explain::Subject, record::Finding};

/// The process that has the socket by which multicasts are routed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Multicasts {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the socket.
    pub inode: u64,
    /// The process's id.
    pub pid: u32,
    /// Its name.
    pub comm: String,
}

impl Finding for Multicasts {}

impl Multicasts {
    /// Who has the socket with this inode number.
    pub(super) fn of(inode: u64, subject: Subject<'_>) -> Option<&Self> {
        let mut found = subject.session.found::<Self>();
        found.find(|found| found.inode == inode)
    }
}
