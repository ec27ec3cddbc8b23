//! What userspace looks up while tracing, as records of their own.
//!
//! The [`Observer`] sees the records of the kernel side on their way, as many
//! as come out together, and puts before each what its explanation will want to
//! know: the name of its network namespace and a process that lives there, the
//! service that its own process belongs to, the IPv4 addresses that could be a
//! source, who uses an address, the interfaces around its own. A look-up that
//! fails adds nothing, and the explanation does without. What may be gone
//! before records are in order is looked at when they are read, or before they
//! are there at all. What is to be looked at some time later waits until then.
//!
//! ```text
//! records as read --> glance
//! records --> Later: some wait, or wait no longer
//!         \-> Batch: Places, Inside, each looked up once
//!         \-> per record: Process, what its family looks up, itself
//! ```

pub(crate) mod advertised;
pub(crate) mod answers;
pub(crate) mod batch;
mod cgroups;
pub(crate) mod containers;
mod descendants;
pub(crate) mod enter;
pub(crate) mod gateways;
pub(crate) mod inside;
mod later;
pub(crate) mod links;
pub(crate) mod memberships;
pub(crate) mod namespaces;
pub(crate) mod neighbours;
pub(crate) mod netlink;
pub(crate) mod nsid;
pub(crate) mod other_end;
pub(crate) mod owners;
mod pause;
pub(crate) mod places;
pub(crate) mod processes;
pub(crate) mod routes;
pub(crate) mod sockets;

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context as _;
use v6trace_common::Kind;

use crate::{
    clock,
    coverage::{Coverage, ResolvedMember},
    event::{self, Event},
    families::{
        address, advertisement, anycast, bind, dad, neighbour, option, outgoing, route,
        source_selection, transit,
    },
    privilege::PidNamespace,
    record::{Lookup, Process, Record, SessionInfo},
};
use batch::Batch;
pub(crate) use descendants::descendants;
use later::Later;
pub use namespaces::inode_of;
use namespaces::{Namespaces, OWN};
use pause::Pause;
use processes::Belongs;

/// What a family looks up beside its records.
pub(crate) trait Looks {
    /// The kinds of records of which something may be gone by the time that
    /// records are in order.
    fn urgent(&self) -> &'static [Kind] {
        &[]
    }

    /// Looks at what belongs to urgent records; [`around`](Self::around) is
    /// given them later.
    fn glance(&mut self, _records: &[Record], _batch: &mut Batch) {}

    /// The kind of records beside which things are looked up only when so much time
    /// has gone by: they wait until then. Of an interface only the last one does, and
    /// none does at the end of a session.
    fn later(&self) -> Option<(Kind, Duration)> {
        None
    }

    /// What is worth knowing beside records that came out together, by index of
    /// the record.
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)>;
}

/// The looks of every family that has any.
fn looks(coverage: &Coverage) -> Vec<Box<dyn Looks>> {
    vec![
        Box::new(source_selection::lookup::Routes),
        Box::new(anycast::lookup::Users::begin(coverage)),
        Box::new(dad::lookup::Neighbourhood),
        Box::new(address::lookup::CameUp),
        Box::new(advertisement::lookup::Interfaces),
        Box::new(bind::lookup::Addresses),
        Box::new(bind::port_lookup::Ports),
        Box::new(outgoing::lookup::Routes),
        Box::new(option::lookup::Routers),
        Box::new(route::lookup::Routes),
        Box::new(neighbour::lookup::Neighbours),
        Box::new(transit::lookup::Destinations),
    ]
}

/// A setting of this host that makes trouble sooner or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// What is set how, and what comes of it.
    pub what: String,
    /// The command that changes it.
    pub fix: String,
}

/// The hazards of the network namespace that v6trace runs in. What cannot be
/// read is none.
pub fn hazards() -> Vec<Hazard> {
    let off = bind::hazard();
    off.into_iter().chain(dad::hazards()).collect()
}

/// That this host has no IPv6, where it has none: then nothing else is to be seen.
pub fn without_ipv6() -> Option<Hazard> {
    bind::hazard()
}

/// The same for a [`Coverage`].
pub(crate) fn why_without_ipv6() -> Option<String> {
    without_ipv6().map(|hazard| format!("{}; {}", hazard.what, hazard.fix))
}

/// Who looks at what, where and when.
pub(crate) fn session_info(
    coverage: Coverage,
    members: Vec<ResolvedMember>,
) -> anyhow::Result<SessionInfo> {
    let system = rustix::system::uname();
    let own_netns = inode_of(OWN.as_ref())
        .context("cannot tell which network namespace this is; is /proc mounted?")?;
    Ok(SessionInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: system.release().to_string_lossy().into_owned(),
        kernel_build: system.version().to_string_lossy().into_owned(),
        machine: system.machine().to_string_lossy().into_owned(),
        hostname: system.nodename().to_string_lossy().into_owned(),
        boot_ns: clock::boot_ns(),
        boot_to_wall_ns: clock::boot_to_wall_ns(),
        utc_offset_s: jiff::Zoned::now().offset().seconds(),
        own_netns,
        coverage,
        members,
    })
}

/// What the namespaces of this host are called.
pub(crate) fn names() -> Vec<Record> {
    Namespaces::default()
        .scan()
        .into_iter()
        .map(Record::from)
        .collect()
}

/// How long it takes at most until a record is in order, unless there are very many,
/// nanoseconds.
pub(crate) const ORDERED_NS: u64 = 1_000_000_000;

/// Looks up what explanations want to know.
pub struct Observer {
    namespaces: Namespaces,
    families: Vec<Box<dyn Looks>>,
    /// What is urgent for any of them.
    urgent: Vec<Kind>,
    later: Later,
    pause: Pause,
    own_netns: u32,
    /// Whether process ids of records are those of `/proc` here.
    pids_are_ours: bool,
}

impl Observer {
    /// Begins a session: who traces, what, where and when.
    pub fn start(
        coverage: Coverage,
        members: Vec<ResolvedMember>,
    ) -> anyhow::Result<(Self, SessionInfo)> {
        let families = looks(&coverage);
        let urgent = families.iter().flat_map(|family| family.urgent());
        let urgent = urgent.copied().collect();
        let later = Later::new(
            families
                .iter()
                .filter_map(|family| family.later())
                .collect(),
        );
        let info = session_info(coverage, members)?;
        Ok((
            Self {
                namespaces: Namespaces::default(),
                families,
                urgent,
                later,
                pause: Pause::default(),
                own_netns: info.own_netns,
                pids_are_ours: PidNamespace::read() != PidNamespace::Nested,
            },
            info,
        ))
    }

    /// The names of namespaces that came, changed or went.
    pub fn namespaces(&mut self) -> Vec<Record> {
        self.namespaces
            .scan()
            .into_iter()
            .map(Record::from)
            .collect()
    }

    /// Whether something that belongs to an encoded record may be gone by the
    /// time that records are in order.
    pub fn is_urgent(&self, bytes: &[u8]) -> bool {
        event::kind(bytes).is_some_and(|kind| self.urgent.contains(&kind))
    }

    /// Looks at what belongs to urgent records, which [`around`](Self::around)
    /// is given later.
    pub fn glance(&mut self, records: &[Record]) {
        let mut looks = Batch::new(self.pids_are_ours);
        for family in &mut self.families {
            family.glance(records, &mut looks);
        }
    }

    /// The records of the kernel side that came out together, each after what
    /// is worth knowing beside it; but for those that wait.
    pub fn around(&mut self, batch: Vec<Record>) -> Vec<Record> {
        for event in batch.iter().filter_map(Record::event) {
            if event.occurrence().part_of().is_some() {
                self.pause.part(event.boot_ns);
            }
        }
        let sorted = self.later.put_off(batch);
        let others = self.beside(sorted.others);
        if sorted.given_up.is_empty() {
            return others;
        }
        sorted.given_up.into_iter().chain(others).collect()
    }

    /// Those that waited until `now`, nanoseconds since boot, likewise; and that a pause is
    /// over, where all was handed over that happened through `through_ns`.
    pub fn due(&mut self, now: u64, through_ns: Option<u64>) -> Vec<Record> {
        let due = self.later.due(now);
        let mut records = self.beside(due);
        let quiet = through_ns.and_then(|through_ns| self.pause.over(through_ns));
        records.extend(quiet.map(Record::from));
        records
    }

    /// Those that waited, at the end of a session: it is too early to look anything up
    /// for what is not due.
    pub fn end(&mut self, now: u64) -> Vec<Record> {
        let mut records = self.due(now, None);
        records.extend(self.later.due(u64::MAX));
        records
    }

    fn beside(&mut self, batch: Vec<Record>) -> Vec<Record> {
        let mut looks = Batch::new(self.pids_are_ours);
        let mut found = Vec::new();
        for (index, record) in batch.iter().enumerate() {
            if let Some(event) = record.event() {
                let processes = self.processes(event, &mut looks);
                found.extend(processes.map(|process| (index, process.into())));
            }
        }
        for family in &mut self.families {
            found.extend(family.around(&batch, &mut looks));
        }
        let containers = self.containers(&found, &mut looks);
        found.extend(containers);
        let mut records = Vec::new();
        if !batch.is_empty() {
            records = self.namespaces();
        }
        // In a burst of what goes well there is nothing, and no record is moved.
        if found.is_empty() && records.is_empty() {
            return batch;
        }
        // Stable: what belongs to one record stays in this order.
        found.sort_by_key(|&(index, _): &(usize, Lookup)| index);
        records.reserve(batch.len() + found.len());
        let mut found = found.into_iter().peekable();
        for (index, record) in batch.into_iter().enumerate() {
            while let Some((_, lookup)) = found.next_if(|&(of, _)| of == index) {
                records.push(Record::Lookup(lookup));
            }
            records.push(record);
        }
        records
    }

    /// Processes of containers among those that look-ups name, for what is said of their
    /// namespaces.
    fn containers(&self, found: &[(usize, Lookup)], looks: &mut Batch) -> Vec<(usize, Lookup)> {
        let named = found.iter().flat_map(|(index, lookup)| {
            let inhabitants = lookup.inhabitants().iter();
            inhabitants.map(move |&(netns, _)| (*index, netns))
        });
        let elsewhere: BTreeSet<_> = named
            .filter(|&(_, netns)| netns != self.own_netns)
            .collect();
        let contained = elsewhere.into_iter();
        let contained = contained
            .filter_map(|(index, netns)| Some((index, looks.contained(netns, None)?.into())));
        contained.collect()
    }

    /// A process that lives in the event's namespace, should that have no name, or be a
    /// container's; and the one that did what is told.
    fn processes(&self, event: &Event, looks: &mut Batch) -> impl Iterator<Item = Process> + use<> {
        let culprit = looks.culprit(event);
        let is_elsewhere = event.netns != self.own_netns && event.occurrence().is_remarkable();
        let inhabitant = is_elsewhere.then(|| looks.inhabitant(event.netns, culprit));
        let has_failed = event.occurrence().is_failure();
        let is_told = has_failed || event.occurrence().is_remarkable();
        let culprit = culprit.filter(|_| is_told).map(|pid| {
            let Belongs { unit, container } = looks.belongs(pid, event.cgroup_id);
            Process {
                boot_ns: clock::boot_ns(),
                pid,
                unit,
                container,
                // Who has done what was asked may well be gone: no way into the namespace.
                netns: looks.netns_of(pid).filter(|_| has_failed),
            }
        });
        let named = culprit.as_ref().filter(|_| has_failed);
        let named = named.map(|process| process.pid);
        let inhabitant = inhabitant.flatten();
        let inhabitant = inhabitant.filter(|process| Some(process.pid) != named);
        inhabitant.into_iter().chain(culprit)
    }
}
