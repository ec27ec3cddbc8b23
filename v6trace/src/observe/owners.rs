//! Which processes have sockets open.

use std::{
    collections::{HashMap, HashSet},
    fs,
    os::unix::ffi::OsStrExt as _,
};

use crate::event::text;

/// Which process has each socket open: the first that is found.
pub(crate) fn of(wanted: &HashSet<u32>) -> HashMap<u32, (u32, String)> {
    let mut owners = HashMap::new();
    if wanted.is_empty() {
        return owners;
    }
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        let descriptors = fs::read_dir(process.path().join("fd"));
        for descriptor in descriptors.into_iter().flatten().flatten() {
            let Some(inode) = fs::read_link(descriptor.path())
                .ok()
                .and_then(|target| socket_inode(target.as_os_str().as_bytes()))
            else {
                continue;
            };
            if wanted.contains(&inode) && !owners.contains_key(&inode) {
                let comm = fs::read(process.path().join("comm")).unwrap_or_default();
                let comm = comm.strip_suffix(b"\n").unwrap_or(&comm);
                owners.insert(inode, (pid, text(comm)));
            }
            if owners.len() == wanted.len() {
                return owners;
            }
        }
    }
    owners
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
}
