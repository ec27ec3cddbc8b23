//! Which processes have sockets open.

use std::{
    collections::{HashMap, HashSet},
    fs,
    os::unix::ffi::OsStrExt as _,
};

use super::processes;
use crate::event::text;

/// The process that starts all others, and opens sockets for them.
const INIT: u32 = 1;

/// Who has a socket open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Whoever uses it: the first process that is found, and init only where no
    /// other one has it.
    pub(crate) pid: u32,
    pub(crate) comm: String,
    /// The other processes that have it.
    also: Vec<u32>,
}

impl Owner {
    /// Whether the process has it open.
    pub(crate) fn has(&self, pid: u32) -> bool {
        self.pid == pid || self.also.contains(&pid)
    }
}

/// Who has each socket open.
pub(crate) fn of(wanted: &HashSet<u32>) -> HashMap<u32, Owner> {
    let mut holders: HashMap<u32, Vec<u32>> = HashMap::new();
    if wanted.is_empty() {
        return HashMap::new();
    }
    for pid in processes::all() {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
        for descriptor in descriptors.into_iter().flatten().flatten() {
            let inode = fs::read_link(descriptor.path())
                .ok()
                .and_then(|target| socket_inode(target.as_os_str().as_bytes()));
            if let Some(inode) = inode.filter(|inode| wanted.contains(inode)) {
                let pids = holders.entry(inode).or_default();
                // A process may have it open several times.
                if pids.last() != Some(&pid) {
                    pids.push(pid);
                }
            }
        }
    }
    let owners = holders.into_iter();
    let owners = owners.filter_map(|(inode, pids)| Some((inode, owner(pids)?)));
    owners.collect()
}

fn owner(mut pids: Vec<u32>) -> Option<Owner> {
    let named = pids.iter().position(|&pid| pid != INIT);
    let first = if pids.is_empty() { None } else { Some(0) };
    let pid = pids.remove(named.or(first)?);
    let comm = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    let comm = comm.strip_suffix(b"\n").unwrap_or(&comm);
    Some(Owner {
        pid,
        comm: text(comm),
        also: pids,
    })
}

/// The inode number in "socket:[12345]".
fn socket_inode(target: &[u8]) -> Option<u32> {
    let digits = target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_are_sockets() {
        assert_eq!(socket_inode(b"socket:[12345]"), Some(12345));
        assert_eq!(socket_inode(b"socket:[]"), None);
        assert_eq!(socket_inode(b"pipe:[12345]"), None);
        assert_eq!(socket_inode(b"/dev/null"), None);
    }

    #[test]
    fn whoever_is_not_init_is_named() {
        let named = |pids: &[u32]| owner(pids.to_vec()).map(|owner| (owner.pid, owner.also));
        assert_eq!(named(&[1, 77, 78]), Some((77, vec![1, 78])));
        assert_eq!(named(&[1]), Some((1, Vec::new())));
        assert_eq!(named(&[]), None);
    }
}
