//! Where the network namespaces of this host are: those that have a name or a
//! process.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use super::{
    namespaces::{self, inode_of},
    processes,
};
use crate::container::Container;

/// Processes by which a namespace is entered: one, and another should that be the one
/// that is about to end.
const ENTRANCES: usize = 2;
/// Processes of a namespace whose containers are looked at. Where there are more, the
/// host's may be among them.
const ASKED: usize = 256;

/// The namespaces of this host.
#[derive(Debug, Default)]
pub(crate) struct Places {
    found: BTreeMap<u32, Place>,
    /// Whether there are processes whose namespaces may not be looked at, so
    /// that namespaces may be missing here.
    pub(crate) hidden: bool,
}

/// One namespace.
#[derive(Debug, Default)]
struct Place {
    named: Option<PathBuf>,
    /// All, the first of which mostly are the oldest and likeliest to stay.
    processes: Vec<u32>,
}

impl Places {
    /// Looks for them all.
    pub(crate) fn find() -> Self {
        let mut places = Self::default();
        for (inode, path) in namespaces::files() {
            places.found.entry(inode).or_default().named = Some(path);
        }
        for pid in processes::all() {
            match inode_of(&path(pid)) {
                Ok(inode) => places.found.entry(inode).or_default().processes.push(pid),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    places.hidden = true;
                }
                // It has ended.
                Err(_) => {}
            }
        }
        places
    }

    /// The inode numbers of all.
    pub(crate) fn inodes(&self) -> impl Iterator<Item = u32> {
        self.found.keys().copied()
    }

    /// The files that lead into a namespace.
    pub(crate) fn paths(&self, netns: u32) -> Vec<PathBuf> {
        let place = self.found.get(&netns);
        let named = place.and_then(|place| place.named.clone());
        let processes = self.living(netns).iter().take(ENTRANCES);
        named
            .into_iter()
            .chain(processes.map(|&pid| path(pid)))
            .collect()
    }

    /// Whether a namespace has a name.
    pub(crate) fn is_named(&self, netns: u32) -> bool {
        self.found
            .get(&netns)
            .is_some_and(|place| place.named.is_some())
    }

    /// Processes that live in a namespace.
    fn living(&self, netns: u32) -> &[u32] {
        let place = self.found.get(&netns);
        place.map_or(&[], |place| &place.processes)
    }

    /// These with their containers, where all of them are of one, or of one pod; else nothing,
    /// for the host or others are at work there as well, or may be where some are hidden.
    pub(crate) fn contained(&self, netns: u32) -> Vec<(u32, Container)> {
        let is_there = |pid: &&u32| inode_of(&path(**pid)).is_ok_and(|inode| inode == netns);
        let mut all: Vec<(u32, Container)> = Vec::new();
        for &pid in self.asked(netns).iter().filter(is_there) {
            match processes::is_part(pid).container {
                Some(it) if all.first().is_none_or(|(_, first)| it.is_beside(first)) => {
                    all.push((pid, it));
                }
                _ => return Vec::new(),
            }
        }
        all
    }

    /// The processes by whose containers a namespace is named: all that live in it, or
    /// none where some may be hidden or there are too many.
    fn asked(&self, netns: u32) -> &[u32] {
        let living = self.living(netns);
        if self.hidden || living.len() > ASKED {
            return &[];
        }
        living
    }

    /// A process that lives in a namespace, rather not `but`, which may have ended by
    /// the time that somebody reads of it.
    pub(crate) fn somebody(&self, netns: u32, but: Option<u32>) -> Option<u32> {
        let mut processes = self.living(netns).iter().copied();
        let first = processes.clone().next();
        processes.find(|&pid| Some(pid) != but).or(first)
    }
}

/// The namespace of a process.
pub(crate) fn path(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join("ns/net")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_about_to_end_is_named_last() {
        let place = |named: Option<&str>, processes: &[u32]| Place {
            named: named.map(PathBuf::from),
            processes: processes.to_vec(),
        };
        let mut places = Places {
            found: BTreeMap::from([
                (1, place(None, &[7, 8])),
                (2, place(None, &[7])),
                (3, place(Some("/run/netns/blue"), &[7])),
            ]),
            hidden: false,
        };
        assert_eq!(places.somebody(1, Some(9)), Some(7));
        assert_eq!(places.somebody(1, Some(7)), Some(8));
        assert_eq!(places.somebody(2, Some(7)), Some(7));
        assert_eq!(places.somebody(3, None), Some(7));
        assert!(places.is_named(3) && !places.is_named(1) && !places.is_named(4));
        assert_eq!(places.somebody(4, None), None);
        assert_eq!(places.paths(3).len(), 2);
        assert_eq!(places.asked(1), [7, 8]);
        places.hidden = true;
        assert!(places.asked(1).is_empty());
    }
}
