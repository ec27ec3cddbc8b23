//! Looks at the host: every network namespace that can be found, one after the
//! other. Nothing is written, no module is loaded, and nobody is asked anything over
//! the network, but for what the kernel may ask routers (`routes`).

mod inside;
mod joined;
mod routes;
mod settings;
mod sources;

use std::{
    collections::HashMap,
    fs::File,
    io,
    sync::mpsc::{self, Receiver},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    clock,
    observe::{
        enter,
        namespaces::{OWN, inode_of},
        nsid,
        owners::{self, Owner},
        places::Places,
        processes,
    },
    record::Record,
};

use super::{Checked, Snapshot};
pub(crate) use joined::Memberships;

/// How long a look takes at most that goes on while something else begins, but for the
/// namespace that it is at.
const BESIDE: Duration = Duration::from_secs(1);
/// How long that one may take.
const LAST: Duration = Duration::from_secs(1);
/// How long memberships may take, ahead of all that.
const MEMBERSHIPS: Duration = Duration::from_secs(2);

/// Namespaces that are looked into; a host may have thousands.
const NAMESPACES: usize = 256;

/// What was found in a namespace.
type Seen = (u32, io::Result<Snapshot>);

/// A look at the host that goes on while its caller does something else.
pub(crate) struct Looking(Option<JoinHandle<Vec<Record>>>);

/// Begins one.
pub(crate) fn begin(memberships: Memberships) -> Looking {
    let thread = thread::Builder::new().name("v6trace-check".to_owned());
    let thread = thread.spawn(|| host(memberships, BESIDE));
    Looking(
        thread
            .inspect_err(|error| log::debug!("the host is not looked at: {error}"))
            .ok(),
    )
}

impl Looking {
    /// What [`host`] gives; nothing, should it have failed altogether.
    pub(crate) fn end(self) -> Vec<Record> {
        let found = self.0.and_then(|thread| thread.join().ok());
        found.unwrap_or_default()
    }
}

/// The snapshots of this host and what closes them; its own namespace is the first.
/// Once `limit` is over, no further namespace is looked into. Memberships are read
/// first: an interface that comes meanwhile is none that has gone.
pub(crate) fn host(memberships: Memberships, limit: Duration) -> Vec<Record> {
    let listed = memberships.and_then(|all| all.read(limit.min(MEMBERSHIPS)));
    let began = Instant::now();
    let places = Places::find();
    let own = inode_of(OWN.as_ref()).ok();
    let others = places.inodes().filter(|&inode| Some(inode) != own);
    let all: Vec<u32> = own.into_iter().chain(others).collect();
    let mut checked = Checked {
        hidden: places.hidden,
        cut: all.len() > NAMESPACES,
        ..Checked::default()
    };
    let mut files = Vec::new();
    for &netns in all.iter().take(NAMESPACES) {
        match enter::open(netns, &paths(&places, netns, own)) {
            Ok(file) => files.push((netns, file)),
            // It is gone by now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => unseen(&mut checked, netns, &error),
        }
    }
    let expected = files.len();
    let seen = walk(places, files, own, limit);
    let (seen, is_cut) = collect(&seen, expected, began + limit + LAST);
    checked.cut |= is_cut;
    let mut snapshots = Vec::new();
    for (netns, seen) in seen {
        match seen {
            Ok(snapshot) => {
                checked.partial += u32::from(snapshot.is_partial());
                snapshots.push(snapshot);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => unseen(&mut checked, netns, &error),
        }
    }
    checked.joined = joined::give(&mut snapshots, listed);
    name_owners(&mut snapshots);
    checked.boot_ns = clock::boot_ns();
    let mut records: Vec<Record> = snapshots.into_iter().map(Record::from).collect();
    records.push(checked.into());
    records
}

/// Looks into one namespace after the other, the own one first, on a thread that is left
/// behind where one does not answer: somebody may hold the lock of all interfaces there
/// for long. Those behind it are not looked into then.
fn walk(
    places: Places,
    files: Vec<(u32, File)>,
    own: Option<u32>,
    limit: Duration,
) -> Receiver<Seen> {
    let (sender, seen) = mpsc::channel();
    let began = Instant::now();
    let walk = move || {
        for (netns, _) in &files {
            let netns = *netns;
            let paths = paths(&places, netns, own);
            let found = enter::within(netns, &paths, || snapshot(netns, &files));
            let found = found.map(|mut snapshot| {
                let somebody = places.somebody(netns, None);
                let somebody = somebody.filter(|_| Some(netns) != own);
                snapshot.processes = somebody.map(|pid| (netns, pid)).into_iter().collect();
                let contained = somebody.and_then(|_| places.contained(netns).into_iter().next());
                snapshot.container = contained.map(|(_, container)| Box::new(container));
                snapshot
            });
            let is_wanted = sender.send((netns, found)).is_ok();
            if !is_wanted || began.elapsed() > limit {
                break;
            }
        }
    };
    let thread = thread::Builder::new().name("v6trace-walk".to_owned());
    if let Err(error) = thread.spawn(walk) {
        log::debug!("the namespaces are not looked into: {error}");
    }
    seen
}

/// What comes until then; and whether that is less than all.
fn collect<T>(coming: &Receiver<T>, expected: usize, until: Instant) -> (Vec<T>, bool) {
    let mut all = Vec::new();
    while let Ok(one) = coming.recv_timeout(until.saturating_duration_since(Instant::now())) {
        all.push(one);
    }
    let is_cut = all.len() < expected;
    (all, is_cut)
}

fn paths(places: &Places, netns: u32, own: Option<u32>) -> Vec<std::path::PathBuf> {
    let known = places.paths(netns).into_iter();
    let near = (own == Some(netns)).then(|| OWN.into());
    near.into_iter().chain(known).collect()
}

fn unseen(checked: &mut Checked, netns: u32, error: &io::Error) {
    log::debug!("network namespace {netns}: {error}");
    let count = if error.kind() == io::ErrorKind::PermissionDenied {
        &mut checked.unseen
    } else {
        &mut checked.failed
    };
    *count = count.saturating_add(1);
}

/// Looks for the processes of sockets, all at once.
fn name_owners(snapshots: &mut [Snapshot]) {
    let strays = snapshots.iter().flat_map(|one| one.strays.iter().flatten());
    let joined = snapshots.iter().flat_map(|one| one.joined.iter().flatten());
    let inodes = strays.map(|stray| stray.inode);
    let owners = owners::of(&inodes.chain(joined.map(|socket| socket.inode)).collect());
    let name = |inode| {
        let owner: &Owner = owners.get(inode)?;
        Some((owner.pid, owner.comm.clone()))
    };
    for snapshot in snapshots {
        for stray in snapshot.strays.iter_mut().flatten() {
            stray.owner = name(&stray.inode);
        }
        for socket in snapshot.joined.iter_mut().flatten() {
            socket.owner = name(&socket.inode);
            let owner = socket.owner.as_ref();
            socket.unit = owner.and_then(|(pid, _)| processes::unit(*pid));
        }
    }
}

/// What is in the calling thread's namespace, and where its interfaces' other ends are.
fn snapshot(netns: u32, files: &[(u32, File)]) -> io::Result<Snapshot> {
    let (mut snapshot, mut elsewhere) = inside::look(netns)?;
    let mut known: HashMap<i32, u32> = HashMap::new();
    for (other, file) in files {
        if elsewhere.iter().all(|(_, id)| known.contains_key(id)) {
            break;
        }
        if let Ok(Some(id)) = nsid::of(file) {
            known.insert(id, *other);
        }
    }
    elsewhere.retain(|(_, id)| known.contains_key(id));
    for (ifindex, id) in elsewhere {
        let mut interfaces = snapshot.interfaces.iter_mut();
        if let Some(interface) = interfaces.find(|interface| interface.ifindex == ifindex) {
            interface.other_netns = known.get(&id).copied();
        }
    }
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_what_does_not_come() {
        let (sender, coming) = mpsc::channel();
        sender.send(1).unwrap();
        let soon = Instant::now() + Duration::from_millis(5);
        assert_eq!(collect(&coming, 2, soon), (vec![1], true));
        sender.send(2).unwrap();
        drop(sender);
        let late = Instant::now() + Duration::from_hours(1);
        assert_eq!(collect(&coming, 1, late), (vec![2], false));
    }
}
