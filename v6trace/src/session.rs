//! What has been learnt from the stream so far, for the diagnoses to rest on.
//!
//! Synchronous, and its only clock is the records' own times.

use std::collections::HashMap;

use crate::{
    check::Snapshots,
    container::{Container, Pod},
    event::{Event, Task},
    families::{advertisement, dad, neighbour, outgoing, process::Followed},
    record::{Finding, Listed, Lookup, Namespace, Process, SessionInfo},
};

/// The state that a diagnosis may look at beside its event.
#[derive(Debug)]
pub struct Session {
    info: SessionInfo,
    namespaces: HashMap<u32, String>,
    /// What was looked up for the next event, and holds for that one alone.
    around: Vec<Lookup>,
    /// The host as the session began, until its findings are told.
    snapshots: Snapshots,
    /// Addresses that were found in use.
    duplicates: dad::Earlier,
    /// What was said of router advertisements, and who wrote forwarding.
    advertisements: advertisement::Earlier,
    /// How default routes went.
    outgoing: outgoing::Earlier,
    /// Who got no entry in the table of neighbours.
    neighbours: neighbour::Earlier,
    /// The processes that are followed, if any are.
    followed: Option<Followed>,
}

/// Whose doing something is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose<'a> {
    /// The container.
    pub(crate) container: Option<&'a Container>,
    /// Its pod, or the one that has the network namespace.
    pub(crate) pod: Option<&'a Pod>,
    /// Whether it is these that have the network namespace.
    pub(crate) is_their_netns: bool,
}

impl Whose<'_> {
    /// Whether somebody who says `wanted` means it.
    pub(crate) fn is_called(&self, wanted: &str) -> bool {
        self.container
            .is_some_and(|container| container.is_called(wanted))
            || self.pod.is_some_and(|pod| pod.is_called(wanted))
    }
}

/// How many namespaces may have a name: far more than any host has, and few
/// enough for a hostile stream.
const MAX_NAMES: usize = 1 << 14;

/// How many things may be looked up for an event, likewise.
const MAX_AROUND: usize = 64;

impl Session {
    /// A session of which only the opening record is known.
    pub fn new(info: SessionInfo) -> Self {
        Self {
            info,
            namespaces: HashMap::new(),
            around: Vec::new(),
            snapshots: Snapshots::default(),
            duplicates: dad::Earlier::default(),
            advertisements: advertisement::Earlier::default(),
            outgoing: outgoing::Earlier::default(),
            neighbours: neighbour::Earlier::default(),
            followed: None,
        }
    }

    /// Who traced what, where and when.
    pub fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// Learns what was looked up: what a namespace is called, or something for
    /// the next event.
    pub fn learn(&mut self, lookup: Lookup) {
        match lookup {
            Lookup::Namespace(namespace) => self.learn_namespace(namespace),
            Lookup::Snapshot(snapshot) => self.snapshots.take(snapshot),
            Lookup::Checked(_) | Lookup::Quiet(_) => {}
            Lookup::Following(following) => self.followed = Some(Followed::begin(following)),
            Lookup::CommandEnded(ended) => {
                if let Some(followed) = &mut self.followed {
                    followed.end(ended);
                }
            }
            lookup if self.around.len() < MAX_AROUND => self.around.push(lookup),
            _ => log::debug!("too much was looked up for an event"),
        }
    }

    fn learn_namespace(&mut self, namespace: Namespace) {
        match namespace.name {
            Some(name) if self.namespaces.len() < MAX_NAMES => {
                self.namespaces.insert(namespace.inode, name);
            }
            Some(_) => log::debug!("too many namespaces have names"),
            None => {
                self.namespaces.remove(&namespace.inode);
            }
        }
    }

    /// Forgets what namespaces are called.
    pub fn forget_names(&mut self) {
        self.namespaces.clear();
    }

    /// Forgets what was looked up for an event that has been explained.
    pub fn forget_around(&mut self) {
        self.around.clear();
    }

    /// The host as the session began.
    pub(crate) fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// Forgets that, once its findings have been told.
    pub(crate) fn forget_snapshots(&mut self) {
        self.snapshots = Snapshots::default();
    }

    /// Remembers an event that has been explained, for those after it.
    pub fn remember(&mut self, event: &Event) {
        self.duplicates.remember(event);
        self.advertisements.remember(event);
        self.outgoing.remember(event);
        self.neighbours.remember(event);
        if let Some(followed) = &mut self.followed {
            followed.remember(event);
        }
    }

    /// The processes that are followed, if any are.
    pub fn followed(&self) -> Option<&Followed> {
        self.followed.as_ref()
    }

    /// What was said of router advertisements so far.
    pub(crate) fn advertisements(&self) -> &advertisement::Earlier {
        &self.advertisements
    }

    /// How default routes went so far.
    pub(crate) fn outgoing(&self) -> &outgoing::Earlier {
        &self.outgoing
    }

    /// Who got no entry in the table of neighbours so far.
    pub(crate) fn neighbours(&self) -> &neighbour::Earlier {
        &self.neighbours
    }

    /// Addresses that were found in use so far.
    pub(crate) fn duplicates(&self) -> &dad::Earlier {
        &self.duplicates
    }

    /// What was looked up of one kind for the next event, newest first.
    pub fn found<L: Listed + 'static>(&self) -> impl Iterator<Item = &L> {
        self.around.iter().rev().filter_map(L::of)
    }

    /// The name of a namespace under `/run/netns`, if it has one.
    pub fn namespace_name(&self, inode: u32) -> Option<&str> {
        self.namespaces.get(&inode).map(String::as_str)
    }

    /// A namespace as an operator knows it: "pod shop/web-0", "container web", "network
    /// namespace blue".
    pub(crate) fn place(&self, netns: u32) -> String {
        if let Some(container) = self.container_of(netns) {
            return match &container.pod {
                Some(pod) => format!("pod {pod}"),
                None => format!("container {}", container.name()),
            };
        }
        match self.namespace_name(netns) {
            Some(name) => format!("network namespace {name}"),
            None if self.is_own_namespace(netns) => "v6trace's own network namespace".to_owned(),
            None => format!("network namespace {netns}"),
        }
    }

    /// Whether v6trace itself ran in that namespace.
    pub fn is_own_namespace(&self, inode: u32) -> bool {
        self.info.own_netns == inode
    }

    /// The systemd service that a process belongs to.
    pub fn unit(&self, pid: u32) -> Option<&str> {
        self.process(pid)?.unit.as_deref()
    }

    /// The id of a process that was in that namespace when it was looked up;
    /// the likeliest to stay there, if several were.
    pub fn process_in(&self, netns: u32) -> Option<u32> {
        let listed = self.around.iter().flat_map(Lookup::inhabitants);
        let snapshots = self.snapshots.all().iter();
        let listed = listed.chain(snapshots.flat_map(Finding::inhabitants));
        let met = self.found::<Process>();
        let met = met.filter_map(|process| Some((process.netns?, process.pid)));
        let mut all = listed.copied().chain(met);
        all.find(|(inode, _)| *inode == netns).map(|(_, pid)| pid)
    }

    /// Whose doing something is: of the container that the task is part of, else of the
    /// one, or the pod, that has the network namespace.
    pub(crate) fn whose(&self, task: Option<&Task>, netns: u32) -> Whose<'_> {
        let process = task.and_then(|task| self.process(task.pid));
        let acting = process.and_then(|process| process.container.as_ref());
        let living = self.container_of(netns);
        let found = acting.or(living);
        let pod = found.and_then(|container| container.pod.as_ref());
        let is_their_netns = found
            .zip(living)
            .is_some_and(|(found, living)| found.is_beside(living));
        Whose {
            // Of a pod's namespace it is not known which of its containers it is about.
            container: acting.or(living.filter(|container| container.pod.is_none())),
            pod,
            is_their_netns,
        }
    }

    /// The container that a network namespace is of, other than v6trace's own, by a
    /// process that lives there: one of several where it has a pod.
    fn container_of(&self, netns: u32) -> Option<&Container> {
        if self.is_own_namespace(netns) {
            return None;
        }
        let met = self.found::<Process>();
        let mut met = met.filter(|process| process.netns == Some(netns));
        let met = met.find_map(|process| process.container.as_ref());
        let mut snapshots = self.snapshots.all().iter();
        met.or_else(|| {
            let snapshot = snapshots.find(|snapshot| snapshot.netns == netns);
            snapshot?.container.as_deref()
        })
    }

    fn process(&self, pid: u32) -> Option<&Process> {
        self.found::<Process>().find(|process| process.pid == pid)
    }

    /// Nanoseconds since 1970 UTC at a boot time.
    pub fn wall_ns(&self, boot_ns: u64) -> i128 {
        i128::from(boot_ns) + i128::from(self.info.boot_to_wall_ns)
    }
}
