//! What sockets have joined, as the kernel side lists it, where it takes much of
//! their option memory.

use std::collections::{BTreeMap, HashMap};

use v6trace_common::families::multicast_join::Holder;
use zerocopy::FromBytes as _;

use crate::{
    attach::{self, AttachError},
    check::{Joined, Snapshot, Unread, joined},
    privilege::Privileges,
};

/// Memberships to be read, or why they cannot be.
pub(crate) type Memberships = Result<attach::Memberships, AttachError>;
/// As they were read.
pub(super) type Listed = Result<Vec<u8>, AttachError>;

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
    let mut sockets = by_namespace(&listed);
    let limits: Vec<_> = snapshots
        .iter()
        .map(|one| joined::limit(one, snapshots))
        .collect();
    for (snapshot, limit) in snapshots.iter_mut().zip(limits) {
        let all = sockets.remove(&snapshot.netns).unwrap_or_default();
        let filling = all.into_iter();
        let filling = filling.filter(|one| limit.is_some_and(|limit| one.fills(limit)));
        snapshot.joined = Some(filling.collect());
    }
    Unread::Nothing
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
            sk_omem_alloc: 560,
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
    fn what_is_cut_off_is_none() {
        let cut = [holder(33, 3), memberships(&[2, 9])].concat();
        assert!(by_namespace(&cut).is_empty());
    }
}
