//! Names of network namespaces, as `ip netns` gives them.
//!
//! The kernel uses a namespace's inode number again as soon as it is free, so
//! a name holds only while the directory of names is unchanged.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{clock, event, record::Namespace};

/// Where `ip netns add` mounts namespaces.
const NAMED: &str = "/run/netns";

/// The namespace that v6trace is in.
pub(crate) const OWN: &str = "/proc/self/ns/net";

/// How long after a change of the directory its namespaces are in place.
const SETTLED: Duration = Duration::from_secs(1);

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Namespaces {
    names: BTreeMap<u32, String>,
    /// When the directory of names last changed.
    changed: Option<SystemTime>,
    /// Whether that was long enough before the last look.
    settled: bool,
}

impl Namespaces {
    /// The names that came, changed or went since the last time.
    pub(crate) fn scan(&mut self) -> Vec<Namespace> {
        let changed = fs::metadata(NAMED)
            .and_then(|directory| directory.modified())
            .ok();
        if changed == self.changed && self.settled {
            return Vec::new();
        }
        self.changed = changed;
        // `ip netns add` makes the file first and mounts the namespace on it
        // then, which the directory does not show: so look again.
        let age = changed.and_then(|changed| changed.elapsed().ok());
        self.settled = age.is_none_or(|age| age > SETTLED);
        let before = std::mem::replace(&mut self.names, named());
        let boot_ns = clock::boot_ns();
        let gone = before
            .keys()
            .filter(|inode| !self.names.contains_key(inode))
            .map(|&inode| Namespace {
                boot_ns,
                inode,
                name: None,
            });
        let found = self
            .names
            .iter()
            .filter(|(inode, name)| before.get(inode) != Some(name))
            .map(|(&inode, name)| Namespace {
                boot_ns,
                inode,
                name: Some(name.clone()),
            });
        gone.chain(found).collect()
    }
}

fn named() -> BTreeMap<u32, String> {
    files()
        .filter_map(|(inode, path)| {
            let name = path.file_name()?;
            Some((inode, event::text(name.as_encoded_bytes())))
        })
        .collect()
}

/// The namespaces that have a name: inode numbers and files.
pub(crate) fn files() -> impl Iterator<Item = (u32, PathBuf)> {
    let entries = fs::read_dir(NAMED).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let path = entry.path();
        Some((inode_of(&path).ok()?, path))
    })
}

/// The inode number of a namespace, by the path of its file.
pub fn inode_of(path: &Path) -> io::Result<u32> {
    let inode = fs::metadata(path)?.ino();
    u32::try_from(inode).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "its inode number is no namespace's",
        )
    })
}
