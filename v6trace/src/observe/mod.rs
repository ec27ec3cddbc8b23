//! What userspace looks up while tracing, as records of their own.
//!
//! The [`Observer`] sees each record of the kernel side on its way and puts
//! before it what the explanation will want to know: the name of its network
//! namespace, the service that its process belongs to, the IPv4 addresses that
//! could be a source, who uses an address, the interfaces around its own. A
//! lookup that fails adds nothing, and the explanation does without.

mod addresses;
mod anycast;
mod enter;
mod hazards;
mod interfaces;
mod namespaces;
mod netlink;
mod processes;

use anyhow::Context as _;
use bytes::Bytes;

use crate::{
    attach::{Coverage, ResolvedMember},
    clock,
    decode::Payload,
    record::{KernelRecord, Process, Record, SessionInfo},
};
pub use hazards::{Hazard, hazards};
use namespaces::Namespaces;
pub use namespaces::inode_of;

/// Looks up what explanations want to know.
#[derive(Debug)]
pub struct Observer {
    namespaces: Namespaces,
}

impl Observer {
    /// Begins a session: who traces, what, where and when.
    pub fn start(
        coverage: Coverage,
        members: Vec<ResolvedMember>,
    ) -> anyhow::Result<(Self, SessionInfo)> {
        let system = rustix::system::uname();
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
            own_netns: inode_of("/proc/self/ns/net".as_ref())
                .context("cannot tell which network namespace this is; is /proc mounted?")?,
            coverage,
            members,
        };
        Ok((
            Self {
                namespaces: Namespaces::default(),
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

    /// Adds a record of the kernel side, after what is worth knowing beside it.
    /// Names of namespaces are to be asked for once before, since many records
    /// come together.
    pub fn around(&mut self, bytes: Bytes, records: &mut Vec<Record>) {
        let record = KernelRecord::new(bytes);
        if let Ok(event) = &record.event {
            records.extend(interfaces::around(event).map(Record::Surroundings));
            if let Some(task) = event.culprit().filter(|_| event.is_failure()) {
                records.push(Record::Process(Process {
                    boot_ns: clock::boot_ns(),
                    pid: task.pid,
                    unit: processes::unit(task.pid),
                    netns: inode_of(format!("/proc/{}/ns/net", task.pid).as_ref()).ok(),
                }));
            }
            if let Payload::SourceSelection(_) = event.payload
                && let Ok(found) = addresses::of_namespace(event.netns, event.task.pid)
            {
                records.push(Record::Addresses(found));
            }
            if let Payload::AnycastChange(change) = &event.payload
                && change.joined
            {
                match anycast::uses(event, change) {
                    Ok(found) => records.push(Record::AnycastUse(found)),
                    Err(error) => log::debug!("uses of {}: {error}", change.address),
                }
            }
        }
        records.push(Record::Kernel(record));
    }
}
