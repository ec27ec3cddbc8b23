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
    processes: HashMap<u32, Process>,
    addresses: HashMap<u32, Addresses>,
    anycast_use: Option<AnycastUse>,
    surroundings: HashMap<u32, Surroundings>,
}

impl Session {
    /// A session of which only the opening record is known.
    pub fn new(info: SessionInfo) -> Self {
        Self {
            info,
            namespaces: HashMap::new(),
            processes: HashMap::new(),
            addresses: HashMap::new(),
            anycast_use: None,
            surroundings: HashMap::new(),
        }
    }

    /// Who traced what, where and when.
    pub fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// Learns what a namespace is called, or that it no longer is.
    pub fn learn_namespace(&mut self, namespace: Namespace) {
        match namespace.name {
            Some(name) => self.namespaces.insert(namespace.inode, name),
            None => self.namespaces.remove(&namespace.inode),
        };
    }

    /// Learns what runs a process.
    pub fn learn_process(&mut self, process: Process) {
        self.processes.insert(process.pid, process);
    }

    /// Learns what interfaces and addresses a namespace has.
    pub fn learn_addresses(&mut self, addresses: Addresses) {
        self.addresses.insert(addresses.netns, addresses);
    }

    /// Learns who uses an anycast address, just before the event itself.
    pub fn learn_anycast_use(&mut self, found: AnycastUse) {
        self.anycast_use = Some(found);
    }

    /// Who uses the anycast address of the event at `boot_ns`; `None` where it
    /// could not be looked up.
    pub fn anycast_use(&self, boot_ns: u64) -> Option<&AnycastUse> {
        self.anycast_use
            .as_ref()
            .filter(|found| found.of == boot_ns)
    }

    /// Learns what interfaces are around a namespace's own.
    pub fn learn_surroundings(&mut self, surroundings: Surroundings) {
        self.surroundings.insert(surroundings.netns, surroundings);
    }

    /// The interfaces around those of a namespace, as last looked up.
    pub fn surroundings(&self, inode: u32) -> Option<&Surroundings> {
        self.surroundings.get(&inode)
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
        self.processes.get(&pid)?.unit.as_deref()
    }

    /// Whether a process was in that namespace when it was looked up.
    pub fn is_process_in(&self, pid: u32, netns: u32) -> bool {
        let process = self.processes.get(&pid);
        process.is_some_and(|process| process.netns == Some(netns))
    }

    /// The interfaces and IPv4 addresses that a namespace had when it was last
    /// looked at.
    pub fn addresses(&self, netns: u32) -> Option<&Addresses> {
        self.addresses.get(&netns)
    }

    /// Nanoseconds since 1970 UTC at a boot time.
    pub fn wall_ns(&self, boot_ns: u64) -> i128 {
        i128::from(boot_ns) + i128::from(self.info.boot_to_wall_ns)
    }
}
