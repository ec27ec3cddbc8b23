//! Sockets whose option memory fills with memberships on interfaces that are gone.
//! Once it is full every further join fails, for interfaces that are there as well.

use super::{Cause, Joined, Snapshot, host::Place};
use crate::{
    event::{Name, Task},
    explain::{Diagnosis, Fix, Value, advice},
    families::multicast_join::{Memberships, about_memberships, raise_limit},
};

/// Interfaces with memberships that are named.
const NAMED: usize = 8;

/// `net.core.optmem_max` of a namespace: its own, where namespaces have one each; else
/// that of the first, where it alone has one.
pub(super) fn limit(snapshot: &Snapshot, all: &[Snapshot]) -> Option<u32> {
    let own = snapshot.all.optmem_max;
    own.or_else(|| {
        let mut known = all.iter().filter_map(|one| one.all.optmem_max);
        known.next().filter(|_| known.next().is_none())
    })
}

impl Joined {
    /// Whether the option memory is half full or more.
    pub(super) fn fills(&self, limit: u32) -> bool {
        u64::from(self.sk_omem_alloc) * 2 >= u64::from(limit)
    }
}

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let sockets = place.snapshot.joined.iter().flatten();
    // An interface that was not listed may be there.
    let sockets = sockets.filter(|_| !place.snapshot.cut);
    sockets.filter_map(move |socket| leaks(place, socket))
}

/// It does where half of the memory is in use, and stale memberships alone take a
/// quarter of it: a few that were left behind fill nothing.
fn leaks(place: Place<'_>, socket: &Joined) -> Option<Diagnosis> {
    let snapshot = place.snapshot;
    let limit = limit(snapshot, place.host.snapshots())?;
    let (mut count, mut stale, mut gone) = (0u32, 0u32, 0u32);
    let mut alive = Vec::new();
    for &(ifindex, memberships) in &socket.interfaces {
        count = count.saturating_add(memberships);
        match snapshot.interface(ifindex) {
            None => {
                stale = stale.saturating_add(memberships);
                gone += 1;
            }
            Some(interface) if alive.len() < NAMED => {
                alive.push(Value::from(format!("{} {memberships}", interface.name)));
            }
            Some(_) => {}
        }
    }
    let taken = u64::from(stale) * u64::from(socket.size);
    if !socket.fills(limit) || taken * 4 < u64::from(limit) {
        return None;
    }
    let Joined {
        sk_omem_alloc: omem,
        size,
        complete,
        ..
    } = *socket;
    let owner = socket.owner.as_ref();
    let who = owner.map_or("a process", |(_, comm)| comm);
    let memberships = Memberships {
        count,
        stale: Some(stale),
        complete,
    };
    let mut summary = format!(
        "A socket of {who} has {omem} of {limit} bytes of option memory in use \
         (net.core.optmem_max)."
    );
    about_memberships(
        &mut summary,
        memberships,
        size,
        i32::try_from(omem).ok()?,
        who,
    );
    summary.push_str(
        " Once it is full, no group can be joined with this socket any more (ENOMEM), on whatever \
         interface.",
    );
    let mut found = Diagnosis::of_state(
        snapshot.netns,
        snapshot.boot_ns,
        Cause::StaleMemberships,
        summary,
    )
    .with("sk_omem_alloc", omem)
    .with("size", size)
    .with("optmem_max", limit)
    .with("memberships", count)
    .with("stale_memberships", stale)
    .with("memberships_complete", complete)
    .with("gone_interfaces", gone)
    .with("by_interface", Value::List(alive))
    .with("socket", socket.inode);
    found.task = owner.map(|(pid, comm)| Task {
        pid: *pid,
        tid: *pid,
        comm: Name::new(comm),
    });
    let restart = match owner {
        Some((pid, comm)) => advice::restart(socket.unit.as_deref(), comm, *pid),
        None => Fix::new("restart the program that owns the socket"),
    };
    let is_own = snapshot.all.optmem_max.is_some();
    let raise = raise_limit(place.site(), limit.into(), is_own, true);
    Some(
        found
            .fix(restart.remark("frees the stale memberships"))
            .fix(raise),
    )
}
