//! Which processes descend from some, as `/proc` tells it.

use std::{collections::HashSet, fs};

use super::processes;

/// These processes, and those that descend from them.
pub(crate) fn descendants(of: &[u32]) -> Vec<u32> {
    let mut found = of.to_vec();
    let mut known: HashSet<u32> = found.iter().copied().collect();
    let parents = parents();
    let mut from = 0;
    while from < found.len() {
        let parent = found[from];
        let children = parents.iter().filter(|(_, of)| *of == parent);
        found.extend(
            children
                .map(|(child, _)| child)
                .filter(|child| known.insert(**child)),
        );
        from += 1;
    }
    found
}

/// Each process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let parents = processes::all().filter_map(|id| {
        let stat = fs::read(format!("/proc/{id}/stat")).ok()?;
        Some((id, parent(&stat)?))
    });
    parents.collect()
}

/// The parent in a process's `stat`: the second field behind its name, which may hold
/// anything.
fn parent(stat: &[u8]) -> Option<u32> {
    let behind = memchr::memrchr(b')', stat)? + 1;
    let mut fields = stat.get(behind..)?.split(|&byte| byte == b' ').skip(2);
    str::from_utf8(fields.next()?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(parent(b"812 (a) S 1 (b) R 7 8 9"), Some(7));
        assert_eq!(parent(b"812 (radvd) S 1 812 812 0"), Some(1));
        assert_eq!(parent(b"812 (radvd"), None);
    }

    #[test]
    fn this_process_descends_from_its_parent() {
        let own = std::process::id();
        let stat = fs::read("/proc/self/stat").unwrap();
        let found = descendants(&[parent(&stat).unwrap()]);
        assert!(found.contains(&own));
        assert_eq!(descendants(&[own])[0], own);
    }
}
