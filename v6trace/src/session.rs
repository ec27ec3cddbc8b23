//! What has been learnt from the stream so far, for the diagnoses to rest on.
//!
//! Synchronous, and its only clock is the records' own times.

use std::collections::HashMap;

use crate::record::{Addresses, AnycastUse, Namespace, Process, SessionInfo, Surroundings};

/// The state that a diagnosis may look at beside its event.
#[derive(Debug)]
pub struct Session {
    info: SessionInfo,
    namespaces: HashMap<u32, String>,
    around: Around,
}

/// What was looked up for the next event, and holds for that one alone.
#[derive(Debug, Default)]
struct Around {
    processes: Vec<Process>,
    addresses: Option<Addresses>,
    anycast_use: Option<AnycastUse>,
    surroundings: Option<Surroundings>,
}

/// How many namespaces may have a name: far more than any host has, and few
/// enough for a hostile stream.
const MAX_NAMES: usize = 1 << 14;

/// How many processes may be looked up for an event, likewise.
const MAX_PROCESSES: usize = 64;

impl Session {
    /// A session of which only the opening record is known.
    pub fn new(info: SessionInfo) -> Self {
        Self {
            info,
            namespaces: HashMap::new(),
            around: Around::default(),
        }
    }

    /// Who traced what, where and when.
    pub fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// Learns what a namespace is called, or that it no longer is.
    pub fn learn_namespace(&mut self, namespace: Namespace) {
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
        self.around = Around::default();
    }

    /// Learns what runs a process, and where it is.
    pub fn learn_process(&mut self, process: Process) {
        let processes = &mut self.around.processes;
        if processes.len() < MAX_PROCESSES {
            processes.push(process);
        }
    }

    /// Learns what interfaces and addresses a namespace has.
    pub fn learn_addresses(&mut self, addresses: Addresses) {
        self.around.addresses = Some(addresses);
    }

    /// Learns who uses an anycast address, just before the event itself.
    pub fn learn_anycast_use(&mut self, found: AnycastUse) {
        self.around.anycast_use = Some(found);
    }

    /// Who uses the anycast address of the event at `boot_ns`; `None` where it
    /// could not be looked up.
    pub fn anycast_use(&self, boot_ns: u64) -> Option<&AnycastUse> {
        let found = self.around.anycast_use.as_ref();
        found.filter(|found| found.of == boot_ns)
    }

    /// Learns what interfaces are around a namespace's own.
    pub fn learn_surroundings(&mut self, surroundings: Surroundings) {
        self.around.surroundings = Some(surroundings);
    }

    /// The interfaces around those of a namespace.
    pub fn surroundings(&self, inode: u32) -> Option<&Surroundings> {
        let found = self.around.surroundings.as_ref();
        found.filter(|found| found.netns == inode)
    }

    /// The name of a namespace under `/run/netns`, if it has one.
    pub fn namespace_name(&self, inode: u32) -> Option<&str> {
        self.namespaces.get(&inode).map(String::as_str)
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
        let Around {
            processes,
            surroundings,
            ..
        } = &self.around;
        let listed = surroundings.iter().flat_map(|around| &around.processes);
        let listed = listed.copied();
        let met = processes.iter();
        let met = met.filter_map(|process| Some((process.netns?, process.pid)));
        listed
            .chain(met)
            .find(|(inode, _)| *inode == netns)
            .map(|(_, pid)| pid)
    }

    fn process(&self, pid: u32) -> Option<&Process> {
        let mut processes = self.around.processes.iter();
        processes.find(|process| process.pid == pid)
    }

    /// The interfaces and IPv4 addresses that a namespace has.
    pub fn addresses(&self, netns: u32) -> Option<&Addresses> {
        let found = self.around.addresses.as_ref();
        found.filter(|found| found.netns == netns)
    }

    /// Nanoseconds since 1970 UTC at a boot time.
    pub fn wall_ns(&self, boot_ns: u64) -> i128 {
        i128::from(boot_ns) + i128::from(self.info.boot_to_wall_ns)
    }
}
