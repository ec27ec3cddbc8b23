//! Looks at the host: every network namespace that can be found, one after the
//! other. Nothing is written, no module is loaded, and nobody is asked anything over
//! the network.

mod inside;
mod settings;

use std::{
    collections::HashMap,
    fs::File,
    io,
    thread::{self, JoinHandle},
};

use crate::{
    clock,
    observe::{
        enter,
        namespaces::{OWN, inode_of},
        nsid,
        places::Places,
    },
    record::Record,
};

use super::{Checked, Snapshot};

/// Namespaces that are looked into; a host may have thousands.
const NAMESPACES: usize = 256;

/// A look at the host that goes on while its caller does something else.
pub(crate) struct Looking(Option<JoinHandle<Vec<Record>>>);

/// Begins one.
pub(crate) fn begin() -> Looking {
    let thread = thread::Builder::new().name("v6trace-check".to_owned());
    let thread = thread.spawn(host);
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
pub(crate) fn host() -> Vec<Record> {
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
    let mut records: Vec<Record> = Vec::new();
    for (netns, _) in &files {
        let look = || snapshot(*netns, &files);
        match enter::within(*netns, &paths(&places, *netns, own), look) {
            Ok(mut snapshot) => {
                let inhabitant = places.inhabitant(*netns, None);
                let inhabitant = inhabitant.filter(|_| Some(*netns) != own);
                snapshot.processes = inhabitant.map(|pid| (*netns, pid)).into_iter().collect();
                records.push(snapshot.into());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => unseen(&mut checked, *netns, &error),
        }
    }
    checked.boot_ns = clock::boot_ns();
    records.push(checked.into());
    records
}

fn paths(places: &Places, netns: u32, own: Option<u32>) -> Vec<std::path::PathBuf> {
    let known = places.paths(netns).into_iter();
    let near = (own == Some(netns)).then(|| OWN.into());
    near.into_iter().chain(known).collect()
}

fn unseen(checked: &mut Checked, netns: u32, error: &io::Error) {
    log::debug!("network namespace {netns}: {error}");
    checked.unseen = checked.unseen.saturating_add(1);
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
