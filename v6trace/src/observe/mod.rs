//! What userspace looks up while tracing, as records of their own.
//!
//! The [`Observer`] sees the records of the kernel side on their way, as many
//! as come out together, and puts before each what its explanation will want to
//! know: the name of its network namespace and a process that lives there, the
//! service that its own process belongs to, the IPv4 addresses that could be a
//! source, who uses an address, the interfaces around its own. A look-up that
//! fails adds nothing, and the explanation does without. What may be gone
//! before records are in order is looked at when they are read, or before they
//! are there at all.
//!
//! ```text
//! now and then --> Watch --\
//! records as read ----------> Glances
//! records --> Batch: Places, Inside, each looked up once
//!         \-> per record: Process, Addresses, AnycastUse, Surroundings, itself
//! ```

mod addresses;
mod anycast;
mod batch;
mod enter;
mod hazards;
mod inside;
mod interfaces;
mod links;
mod namespaces;
mod netlink;
mod nsid;
mod owners;
mod places;
mod processes;

use anyhow::Context as _;
use v6trace_common::{Hook, Kind};

use crate::{
    attach::{Coverage, ResolvedMember},
    clock,
    decode::{self, Event, Payload},
    privilege::PidNamespace,
    record::{KernelRecord, Process, Record, SessionInfo},
};
use anycast::{Glances, Watch};
use batch::Batch;
pub use hazards::{Hazard, hazards};
pub use namespaces::inode_of;
use namespaces::{Namespaces, OWN};

/// Looks up what explanations want to know.
#[derive(Debug)]
pub struct Observer {
    namespaces: Namespaces,
    glances: Glances,
    watch: Watch,
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
        let system = rustix::system::uname();
        let own_netns = inode_of(OWN.as_ref())
            .context("cannot tell which network namespace this is; is /proc mounted?")?;
        // Where nobody would hear of a change, nobody has to be ready for it.
        let watch = if coverage.has(Hook::AnycastJoin) {
            Watch::begin()
        } else {
            Watch::default()
        };
        let boot_to_wall_ns = clock::boot_to_wall_ns();
        let info = SessionInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kernel: system.release().to_string_lossy().into_owned(),
            kernel_build: system.version().to_string_lossy().into_owned(),
            machine: system.machine().to_string_lossy().into_owned(),
            hostname: system.nodename().to_string_lossy().into_owned(),
            boot_ns: clock::boot_ns(),
            boot_to_wall_ns,
            utc_offset_s: jiff::Zoned::now().offset().seconds(),
            own_netns,
            coverage,
            members,
        };
        Ok((
            Self {
                namespaces: Namespaces::default(),
                glances: Glances::default(),
                watch,
                own_netns,
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
            .map(Record::Namespace)
            .collect()
    }

    /// Whether something that belongs to an encoded record may be gone by the
    /// time that records are in order.
    pub fn is_urgent(bytes: &[u8]) -> bool {
        decode::kind(bytes) == Some(Kind::AnycastChange)
    }

    /// Looks at what belongs to urgent records, which [`around`](Self::around)
    /// is given later.
    pub fn glance(&mut self, records: &[KernelRecord]) {
        self.glances
            .look(records, &self.watch, &mut Batch::new(self.pids_are_ours));
    }

    /// The records of the kernel side that came out together, each after what
    /// is worth knowing beside it.
    pub fn around(&mut self, batch: Vec<KernelRecord>) -> Vec<Record> {
        let mut looks = Batch::new(self.pids_are_ours);
        let mut uses = anycast::uses(&batch, &mut self.glances, &mut looks);
        let mut records = Vec::with_capacity(batch.len());
        if !batch.is_empty() {
            records.extend(self.namespaces());
        }
        for (index, record) in batch.into_iter().enumerate() {
            if let Ok(event) = &record.event {
                records.extend(interfaces::around(event, &mut looks).map(Record::Surroundings));
                let processes = self.processes(event, &mut looks);
                records.extend(processes.into_iter().map(Record::Process));
                if matches!(event.payload, Payload::SourceSelection(_)) && event.is_remarkable() {
                    let addresses = addresses::around(event, &mut looks);
                    records.extend(addresses.map(Record::Addresses));
                }
                records.extend(uses.remove(&index).map(Record::AnycastUse));
            }
            records.push(Record::Kernel(record));
        }
        records
    }

    /// A process that lives in the event's namespace, should that have no name,
    /// and the one that the event's operation failed for.
    fn processes(&self, event: &Event, looks: &mut Batch) -> Vec<Process> {
        let culprit = looks.culprit(event);
        let inhabitant = (event.netns != self.own_netns && event.is_remarkable())
            .then(|| looks.places().inhabitant(event.netns, culprit))
            .flatten();
        let culprit = culprit.filter(|_| event.is_failure());
        let inhabitant = inhabitant
            .filter(|_| inhabitant != culprit)
            .map(|pid| Process {
                boot_ns: clock::boot_ns(),
                pid,
                unit: None,
                netns: Some(event.netns),
            });
        let culprit = culprit.map(|pid| Process {
            boot_ns: clock::boot_ns(),
            pid,
            unit: processes::unit(pid, event.cgroup_id),
            netns: inode_of(&places::path(pid)).ok(),
        });
        inhabitant.into_iter().chain(culprit).collect()
    }
}
