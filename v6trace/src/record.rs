//! The stream: everything that a session consists of, in one order.
//!
//! Live tracing makes these records; the [`Report`](crate::report::Report)
//! consumes them. A diagnosis rests on nothing else: what userspace looked up
//! (namespaces, processes) is a record like what the kernel side wrote, and
//! carries its own time. So the same records always give the same text.

pub mod lookup;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use v6trace_common::Hook;

use crate::{
    container::Container,
    coverage::{Coverage, ResolvedMember},
    event::{DecodeError, Event},
};
pub use lookup::{Finding, Listed, Lookup};

/// One item of the stream.
#[derive(Clone, Debug)]
pub enum Record {
    /// Opens the stream.
    Session(SessionInfo),
    /// What the kernel side wrote.
    Kernel(KernelRecord),
    /// What userspace looked up, for the kernel record that follows.
    Lookup(Lookup),
    /// Events that happened but are not in the stream.
    Lost(Lost),
    /// Closes the stream.
    End {
        /// When, nanoseconds since boot.
        boot_ns: u64,
    },
}

impl Record {
    /// What a perf buffer, or a recording of it, holds.
    #[inline]
    pub fn kernel(bytes: impl Into<Bytes>) -> Self {
        Self::Kernel(KernelRecord::new(bytes.into()))
    }

    /// What happened, where the kernel side wrote it and it was understood.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Kernel(record) => record.event.as_ref().ok(),
            _ => None,
        }
    }
}

/// What the kernel side wrote, as bytes and as what they mean.
#[derive(Clone, Debug)]
pub struct KernelRecord {
    /// A header and a payload.
    pub bytes: Bytes,
    /// What they say, or why they say nothing to this version.
    pub event: Result<Event, DecodeError>,
}

impl KernelRecord {
    /// Takes what a perf buffer, or a recording of it, holds.
    #[inline]
    pub fn new(bytes: Bytes) -> Self {
        let event = Event::decode(&bytes);
        Self { bytes, event }
    }

    /// Whether it may need an explanation.
    pub fn is_remarkable(&self) -> bool {
        self.event
            .as_ref()
            .is_ok_and(|event| event.occurrence().is_remarkable())
    }
}

/// Who traced what, where and when.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Version of the program that traced.
    pub version: String,
    /// The kernel's release, as `uname -r` prints it.
    pub kernel: String,
    /// Which build of it, as `uname -v` prints it.
    pub kernel_build: String,
    /// The machine's architecture, as `uname -m` prints it.
    pub machine: String,
    /// The host's name.
    pub hostname: String,
    /// When tracing began, nanoseconds since boot.
    pub boot_ns: u64,
    /// Add this to a boot time to get nanoseconds since 1970 UTC.
    pub boot_to_wall_ns: i64,
    /// What local time was ahead of UTC there and then, seconds.
    pub utc_offset_s: i32,
    /// Inode number of the network namespace that v6trace ran in.
    pub own_netns: u32,
    /// Which hooks were attached, and how.
    pub coverage: Coverage,
    /// Where this kernel keeps what the programs read.
    pub members: Vec<ResolvedMember>,
}

/// A network namespace, as userspace found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Its inode number.
    pub inode: u32,
    /// Its name under `/run/netns`; `None` where it has lost the one it had.
    pub name: Option<String>,
}

impl Finding for Namespace {}

/// That nothing has come for so long that an end which is missing will not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Until when, nanoseconds since boot.
    pub boot_ns: u64,
}

impl Finding for Quiet {}

/// A process, as userspace found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Its id.
    pub pid: u32,
    /// The systemd service that it belongs to.
    pub unit: Option<String>,
    /// The container that it is part of.
    pub container: Option<Container>,
    /// Inode number of the network namespace that it is in.
    pub netns: Option<u32>,
}

impl Finding for Process {}

/// Events that were not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// When the loss was noticed, nanoseconds since boot.
    pub boot_ns: u64,
    /// The hook whose events they were, where that can be told.
    pub hook: Option<Hook>,
    /// The CPU on which they happened; `None` where the kernel counts by
    /// program only.
    pub cpu: Option<u32>,
    /// How many.
    pub count: u64,
}
