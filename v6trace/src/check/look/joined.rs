//! What sockets have joined, as the kernel side lists it, where it takes much of
//! their option memory.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use v6trace_common::families::multicast_join::Holder;
use zerocopy::FromBytes as _;

use crate::{
    attach::{self, AttachError},
    check::{Joined, Snapshot, Unread, joined, snapshot::LISTED},
    privilege::Privileges,
};

/// Memberships to be read, or why they cannot be.
pub(crate) type Memberships = Result<attach::Memberships, AttachError>;
/// As they were read.
pub(super) type Listed = Result<attach::Listed, AttachError>;

/// Gives every namespace the sockets whose memberships matter; and says what was not
/// read.
pub(super) fn give(snapshots: &mut [Snapshot], listed: Listed) -> Unread {
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => {
            log::debug!("memberships of sockets: {error}");
            let privileges = Privileges::read();
            let may = privileges.may_load_programs() && privileges.may_place_probes();
            return if may {
                Unread::Failed
            } else {
                Unread::NotPermitted
            };
        }
    };
    let mut sockets = by_namespace(&listed.memberships);
    let mut is_cut = listed.cut;
    let limits: Vec<_> = snapshots
        .iter()
        .map(|one| joined::limit(one, snapshots))
        .collect();
    for (snapshot, limit) in snapshots.iter_mut().zip(limits) {
        let mut all = sockets.remove(&snapshot.netns).unwrap_or_default();
        let Some(limit) = limit else {
            is_cut |= !all.is_empty();
            continue;
        };
        all.retain(|one| one.fills(limit));
        is_cut |= bound(&mut all);
        snapshot.joined = Some(all);
    }
    if is_cut {
        Unread::Partly
    } else {
        Unread::Nothing
    }
}

/// Leaves those whose interfaces are no more than a list may have, the fullest first;
/// and says whether there were others.
fn bound(sockets: &mut Vec<Joined>) -> bool {
    sockets.sort_by_key(|one| (Reverse(one.sk_omem_alloc), one.inode));
    let mut interfaces = 0;
    let fitting = sockets.iter().take(LISTED).take_while(|one| {
        interfaces += one.interfaces.len();
        interfaces <= LISTED
    });
    let fitting = fitting.count();
    let is_cut = fitting < sockets.len();
    sockets.truncate(fitting);
    is_cut
}

/// Every socket once, however many have it open.
fn by_namespace(mut listed: &[u8]) -> HashMap<u32, Vec<Joined>> {
    let mut known = HashMap::new();
    while let Ok((holder, rest)) = Holder::read_from_prefix(listed) {
        let length = usize::try_from(holder.listed).unwrap_or(usize::MAX);
        let Some((memberships, rest)) = length
            .checked_mul(size_of::<u32>())
            .and_then(|length| rest.split_at_checked(length))
        else {
            break;
        };
        listed = rest;
        known.insert(holder.socket_inode, (holder, memberships));
    }
    let mut sockets: HashMap<u32, Vec<Joined>> = HashMap::new();
    for (holder, memberships) in known.into_values() {
        let of_netns = sockets.entry(holder.netns).or_default();
        of_netns.extend(joined(holder, memberships));
    }
    sockets
}

fn joined(holder: Holder, memberships: &[u8]) -> Option<Joined> {
    let mut interfaces: BTreeMap<u32, u32> = BTreeMap::new();
    for ifindex in memberships.as_chunks().0 {
        let count = interfaces.entry(u32::from_ne_bytes(*ifindex)).or_default();
        *count = count.saturating_add(1);
    }
    Some(Joined {
        inode: u32::try_from(holder.socket_inode).ok()?,
        owner: None,
        unit: None,
        sk_omem_alloc: u32::try_from(holder.sk_omem_alloc).ok()?,
        size: holder.size,
        complete: holder.complete != 0,
        interfaces: interfaces.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use zerocopy::IntoBytes as _;

    use super::*;

    fn holder(socket_inode: u64, listed: u32) -> Vec<u8> {
        let holder = Holder {
            socket_inode,
            netns: 7,
            sk_omem_alloc: i32::try_from(socket_inode).unwrap() * 20,
            size: 56,
            listed,
            complete: 1,
            unused: 0,
        };
        holder.as_bytes().to_vec()
    }

    fn memberships(ifindexes: &[u32]) -> Vec<u8> {
        ifindexes.iter().flat_map(|one| one.to_ne_bytes()).collect()
    }

    #[test]
    fn a_socket_counts_once_and_its_memberships_by_interface() {
        let one = [holder(33, 3), memberships(&[2, 9, 2])].concat();
        let all = [one.clone(), holder(34, 0), one].concat();
        let mut sockets = by_namespace(&all).remove(&7).unwrap_or_default();
        sockets.sort_by_key(|socket| socket.inode);
        let [first, second] = &sockets[..] else {
            panic!("{sockets:?}")
        };
        assert_eq!(first.interfaces, [(2, 2), (9, 1)]);
        assert!(second.interfaces.is_empty());
    }

    #[test]
    fn the_fullest_sockets_are_those_that_there_is_room_for() {
        let indexes = |first: u32| -> Vec<u32> { (first..first + 2100).collect() };
        let full = |inode, first| [holder(inode, 2100), memberships(&indexes(first))].concat();
        let mut snapshots = [Snapshot {
            netns: 7,
            ..Snapshot::default()
        }];
        snapshots[0].all.optmem_max = Some(1000);
        let listed = attach::Listed {
            memberships: [full(33, 1), full(34, 9000)].concat(),
            cut: false,
        };
        assert_eq!(give(&mut snapshots, Ok(listed)), Unread::Partly);
        let kept = snapshots[0].joined.iter().flatten();
        assert_eq!(kept.map(|one| one.inode).collect::<Vec<_>>(), [34]);
        assert!(snapshots[0].is_bounded());
    }

    #[test]
    fn nothing_is_said_of_sockets_whose_limit_is_not_known() {
        let mut snapshots = [7, 8].map(|netns| Snapshot {
            netns,
            ..Snapshot::default()
        });
        let listed = || attach::Listed {
            memberships: holder(33, 0),
            cut: false,
        };
        assert_eq!(give(&mut snapshots, Ok(listed())), Unread::Partly);
        assert!(snapshots.iter().all(|one| one.joined.is_none()));
        snapshots[1].all.optmem_max = Some(1000);
        assert_eq!(give(&mut snapshots, Ok(listed())), Unread::Nothing);
        assert_eq!(snapshots[0].joined.as_ref().map(Vec::len), Some(1));
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let cut = [holder(33, 3), memberships(&[2, 9])].concat();
        assert!(by_namespace(&cut).is_empty());
    }
}
