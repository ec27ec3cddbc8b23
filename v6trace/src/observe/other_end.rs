//! Where the other end of an interface is, which may be in another network namespace.

use std::{io, path::PathBuf};

use super::{batch::Batch, enter, links::Link, nsid};
use crate::event::Event;

/// Where the other end of an interface of the event's namespace is: namespace
/// and index. `None` without another end, or where it is in none of `others`.
pub(crate) fn of(
    event: &Event,
    link: &Link,
    others: &[u32],
    batch: &mut Batch,
) -> io::Result<Option<(u32, u32)>> {
    let Some(ifindex) = link.other_end else {
        return Ok(None);
    };
    let Some(wanted) = link.other_end_nsid else {
        return Ok(Some((event.netns, ifindex)));
    };
    let candidates: Vec<(u32, Vec<PathBuf>)> = others
        .iter()
        .map(|&inode| (inode, batch.places().paths(inode)))
        .collect();
    let paths = batch.paths_for(event);
    enter::within(event.netns, &paths, || {
        let is_it = |inode: u32, paths: &[PathBuf]| {
            let id = enter::open(inode, paths).and_then(|file| nsid::of(&file));
            id.is_ok_and(|id| id == Some(wanted))
        };
        let mut candidates = candidates.iter();
        let found = candidates.find(|(inode, paths)| is_it(*inode, paths));
        Ok(found.map(|(inode, _)| (*inode, ifindex)))
    })
}
