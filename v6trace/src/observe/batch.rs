//! What is looked up for events that came out together, each thing once.
//!
//! All of them happened before the first look, so what it finds is no older
//! for the last of them than for the first.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    path::{Path, PathBuf},
};

use super::{
    enter,
    inside::Inside,
    namespaces::{self, OWN, inode_of},
    places::{self, Places},
    processes::{self, Belongs},
};
use crate::{clock, container::Container, event::Event, record::Process};

/// Other namespaces that are looked into; a host may have thousands.
const OTHERS: usize = 256;

/// The looks of one batch.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Whether process ids of records are those of `/proc` here.
    pids_are_ours: bool,
    places: Option<Places>,
    insides: HashMap<u32, Result<Inside, io::ErrorKind>>,
    /// By process and the cgroup of the event.
    belongs: HashMap<(u32, u64), Belongs>,
    /// By namespace, as [`Places::contained`].
    contained: HashMap<u32, Vec<(u32, Container)>>,
    /// By process.
    namespaces: HashMap<u32, Option<u32>>,
}

impl Batch {
    pub(crate) fn new(pids_are_ours: bool) -> Self {
        Self {
            pids_are_ours,
            places: None,
            insides: HashMap::new(),
            belongs: HashMap::new(),
            contained: HashMap::new(),
            namespaces: HashMap::new(),
        }
    }

    /// The process that caused the event, where `/proc` knows it by this id.
    pub(crate) fn culprit(&self, event: &Event) -> Option<u32> {
        let task = event.culprit().filter(|_| self.pids_are_ours)?;
        Some(task.pid)
    }

    /// What a process is part of, as [`processes::did`].
    pub(crate) fn belongs(&mut self, pid: u32, cgroup_id: u64) -> Belongs {
        let known = self.belongs.entry((pid, cgroup_id));
        let belongs = known.or_insert_with(|| processes::did(pid, cgroup_id));
        belongs.clone()
    }

    /// A process that lives in a namespace, rather not `but`, where it says more of the
    /// namespace than its name does.
    pub(crate) fn inhabitant(&mut self, netns: u32, but: Option<u32>) -> Option<Process> {
        let contained = self.contained(netns, but);
        if contained.is_some() || self.places().is_named(netns) {
            return contained;
        }
        let pid = self.places().somebody(netns, but)?;
        Some(lives(pid, netns, None))
    }

    /// The same where the namespace is a container's.
    pub(crate) fn contained(&mut self, netns: u32, but: Option<u32>) -> Option<Process> {
        let places = self.places.get_or_insert_with(Places::find);
        let known = self.contained.entry(netns);
        let all = known.or_insert_with(|| places.contained(netns));
        let other = all.iter().find(|(pid, _)| Some(*pid) != but);
        let (pid, container) = other.or(all.first())?;
        Some(lives(*pid, netns, Some(container.clone())))
    }

    /// The network namespace that a process is in.
    pub(crate) fn netns_of(&mut self, pid: u32) -> Option<u32> {
        let known = self.namespaces.entry(pid);
        *known.or_insert_with(|| inode_of(&places::path(pid)).ok())
    }

    /// The namespaces of this host.
    pub(crate) fn places(&mut self) -> &Places {
        self.places.get_or_insert_with(Places::find)
    }

    /// The namespaces of this host but one, as many as are looked into, and whether
    /// these are all.
    pub(crate) fn others(&mut self, but: u32) -> (Vec<u32>, bool) {
        let places = self.places();
        let mut others: Vec<u32> = places.inodes().filter(|&inode| inode != but).collect();
        let complete = !places.hidden && others.len() <= OTHERS;
        others.truncate(OTHERS);
        (others, complete)
    }

    /// The files that may lead into the event's namespace. Whoever caused the
    /// event most likely lives there.
    pub(crate) fn paths_for(&mut self, event: &Event) -> Vec<PathBuf> {
        let culprit = self.culprit(event).map(places::path);
        let known = self.places().paths(event.netns);
        culprit.into_iter().chain(known).collect()
    }

    /// The same, without looking at every process where something nearer leads
    /// there.
    pub(crate) fn nearest_paths(&mut self, event: &Event) -> Vec<PathBuf> {
        let is_there = |path: &Path| inode_of(path).is_ok_and(|netns| netns == event.netns);
        let own = PathBuf::from(OWN);
        let culprit = self.culprit(event).map(places::path);
        let near = [own].into_iter().chain(culprit).find(|path| is_there(path));
        let mut named = namespaces::files().filter(|(netns, _)| *netns == event.netns);
        match near.or_else(|| named.next().map(|(_, path)| path)) {
            Some(path) => vec![path],
            None => self.paths_for(event),
        }
    }

    /// What is in the event's namespace.
    pub(crate) fn inside_of(&mut self, event: &Event) -> Option<&Inside> {
        let paths = self.paths_for(event);
        self.inside_by(event.netns, &paths).as_ref().ok()
    }

    /// What is in a namespace, or why that could not be seen.
    pub(crate) fn inside(&mut self, netns: u32) -> &Result<Inside, io::ErrorKind> {
        let paths = self.places().paths(netns);
        self.inside_by(netns, &paths)
    }

    fn inside_by(&mut self, netns: u32, paths: &[PathBuf]) -> &Result<Inside, io::ErrorKind> {
        match self.insides.entry(netns) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let found = enter::within(netns, paths, Inside::look);
                if let Err(error) = &found {
                    log::debug!("network namespace {netns}: {error}");
                }
                new.insert(found.map_err(|error| error.kind()))
            }
        }
    }
}

fn lives(pid: u32, netns: u32, container: Option<Container>) -> Process {
    Process {
        boot_ns: clock::boot_ns(),
        pid,
        unit: None,
        container,
        netns: Some(netns),
    }
}
