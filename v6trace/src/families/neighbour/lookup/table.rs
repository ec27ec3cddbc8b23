//! Counts the neighbours of every namespace: all of them share one table.

use std::{collections::BTreeMap, io};

pub(super) use crate::families::neighbour::TableUse;
use crate::{
    clock,
    families::neighbour::{Counts, Share},
    observe::{
        batch::Batch,
        enter,
        links::{self, Link},
        neighbours,
    },
};

/// Namespaces that are named.
const NAMED: usize = 8;

/// Counts, the namespace of the event first.
pub(super) fn look(netns: u32, batch: &mut Batch) -> TableUse {
    let (others, mut complete) = batch.others(netns);
    let mut shares = Vec::new();
    let mut all = Counts::default();
    for inode in [netns].into_iter().chain(others) {
        let paths = batch.places().paths(inode);
        match enter::within(inode, &paths, inside) {
            Ok((counts, fullest)) => {
                all += counts;
                shares.push(Share {
                    netns: inode,
                    counts,
                    fullest,
                });
            }
            // It is gone by now, and its neighbours with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                log::debug!("neighbours of network namespace {inode}: {error}");
                complete = false;
            }
        }
    }
    shares.sort_by_key(|share| std::cmp::Reverse(share.counts.total()));
    shares.retain(|share| share.counts.total() > 0);
    shares.truncate(NAMED);
    let places = batch.places();
    let processes = shares
        .iter()
        .filter_map(|share| Some((share.netns, places.somebody(share.netns, None)?)))
        .collect();
    TableUse {
        boot_ns: clock::boot_ns(),
        netns,
        shares,
        all,
        complete,
        processes,
    }
}

/// The entries of the calling thread's namespace, and those of its fullest interface.
fn inside() -> io::Result<(Counts, Option<(String, Counts)>)> {
    let mut by_interface: BTreeMap<u32, Counts> = BTreeMap::new();
    let mut all = Counts::default();
    neighbours::list(|entry| {
        if !entry.is_exempt {
            let one = neighbours::count(entry.state);
            all += one;
            *by_interface.entry(entry.ifindex).or_default() += one;
        }
        None::<()>
    })?;
    let fullest = by_interface
        .into_iter()
        .max_by_key(|(_, counts)| (counts.unanswered, counts.total()));
    let fullest = match fullest {
        Some((ifindex, counts)) => {
            let links: Vec<Link> = links::list()?;
            links::by_index(&links, ifindex).map(|link| (link.name.clone(), counts))
        }
        None => None,
    };
    Ok((all, fullest))
}
