//! The snapshots of a host, and how findings look at them.

use std::{collections::HashMap, net::Ipv6Addr};

use super::{Interface, Snapshot};
use crate::{
    catalogue,
    explain::{Diagnosis, Fix, Site, quoted},
    ifa,
    session::Session,
};

/// Entries of all snapshots together that are kept: far more than a host has, and few
/// enough for a hostile stream.
const MAX_ENTRIES: usize = 1 << 17;
/// Snapshots that are kept, likewise.
const MAX_SNAPSHOTS: usize = 1 << 10;

/// The snapshots that the stream has told.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    all: Vec<Snapshot>,
    entries: usize,
    /// How many were too much.
    pub(crate) dropped: u32,
}

impl Snapshots {
    /// Keeps one.
    pub(crate) fn take(&mut self, mut snapshot: Snapshot) {
        // Each piece of a recording has it again.
        let is_known =
            |one: &Snapshot| (one.netns, one.boot_ns) == (snapshot.netns, snapshot.boot_ns);
        if self.all.iter().any(is_known) {
            return;
        }
        let entries = self.entries.saturating_add(snapshot.size());
        let is_full = entries > MAX_ENTRIES || self.all.len() >= MAX_SNAPSHOTS;
        if is_full || !snapshot.is_bounded() {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        snapshot.sort();
        self.entries = entries;
        self.all.push(snapshot);
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Snapshot] {
        &self.all
    }
}

/// Who answers for each address, as its own, as anycast or as a proxy.
#[derive(Default)]
pub(super) struct Answering<'a>(HashMap<Ipv6Addr, Vec<(&'a Snapshot, &'a Interface)>>);

impl<'a> Answering<'a> {
    /// Everybody on the host.
    pub(super) fn of(session: &'a Session) -> Self {
        let mut answering = Self::default();
        for snapshot in session.snapshots().all() {
            let usable = snapshot.addresses.iter().filter_map(|held| {
                let is_usable = held.flags & (ifa::DADFAILED | ifa::TENTATIVE) == 0;
                is_usable.then_some((held.ifindex, held.address))
            });
            let anycast = snapshot.anycast.iter().flatten().copied();
            let proxied = snapshot.proxied.iter().flatten().copied();
            for (ifindex, address) in usable.chain(anycast).chain(proxied) {
                if let Some(interface) = snapshot.interface(ifindex) {
                    let all = answering.0.entry(address).or_default();
                    all.push((snapshot, interface));
                }
            }
        }
        answering
    }
}

/// A host as it was looked at.
#[derive(Clone, Copy)]
pub(super) struct Host<'a> {
    pub(super) session: &'a Session,
    pub(super) answering: &'a Answering<'a>,
}

impl<'a> Host<'a> {
    /// Who answers for an address.
    pub(super) fn answering(self, address: Ipv6Addr) -> &'a [(&'a Snapshot, &'a Interface)] {
        self.answering.0.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Its namespaces.
    pub(super) fn snapshots(self) -> &'a [Snapshot] {
        self.session.snapshots().all()
    }

    /// What is in the namespace with this inode number.
    pub(super) fn inside(self, netns: u32) -> Option<&'a Snapshot> {
        let mut snapshots = self.snapshots().iter();
        snapshots.find(|snapshot| snapshot.netns == netns)
    }
}

/// One of its namespaces.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) host: Host<'a>,
    pub(super) snapshot: &'a Snapshot,
}

impl<'a> Place<'a> {
    /// Where commands are to be run.
    pub(super) fn site(self) -> Site<'a> {
        Site {
            netns: self.snapshot.netns,
            session: self.host.session,
        }
    }

    /// Something that is the matter with an interface.
    pub(super) fn finding(
        self,
        interface: &Interface,
        cause: impl Into<catalogue::Cause>,
        summary: String,
    ) -> Diagnosis {
        let Snapshot { netns, boot_ns, .. } = *self.snapshot;
        Diagnosis::of_state(netns, boot_ns, cause, summary).on(interface.ifindex, &interface.name)
    }

    /// Whether a bridge, bond or team gets the packets of an interface; a VRF does not.
    pub(super) fn is_port(self, interface: &Interface) -> bool {
        let master = interface.master;
        let master = master.and_then(|master| self.snapshot.interface(master));
        master.map_or(interface.master.is_some(), |master| {
            master.kind.as_deref() != Some("vrf")
        })
    }

    /// The bridge's port in hairpin mode behind an interface, if there is one.
    pub(super) fn hairpin(self, interface: &Interface) -> Option<(Place<'a>, &'a Interface)> {
        let (at, port) = self.other_end(interface)?;
        let is_behind = port.hairpin && port.other_end == Some(interface.ifindex);
        is_behind.then_some((at, port))
    }

    /// Has one of its ports send back no more.
    pub(super) fn hairpin_off(self, port: &Interface) -> Fix {
        let off = format!("bridge link set dev {} hairpin off", quoted(&port.name));
        self.site()
            .command(&off)
            .remark("where nobody behind the port has to reach itself")
    }

    /// Where the other end of an interface is: that namespace, and the interface.
    pub(super) fn other_end(self, interface: &Interface) -> Option<(Place<'a>, &'a Interface)> {
        let ifindex = interface.other_end?;
        let snapshot = match interface.other_netns {
            Some(netns) => self.host.inside(netns)?,
            None if interface.other_is_elsewhere => return None,
            None => self.snapshot,
        };
        let other = snapshot.interface(ifindex)?;
        let host = self.host;
        Some((Place { host, snapshot }, other))
    }
}
