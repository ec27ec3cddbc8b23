//! The stream: everything that a session consists of, in one order.
//!
//! Live tracing makes these records; the [`Report`](crate::report::Report)
//! consumes them. A diagnosis rests on nothing else: what userspace looked up
//! (namespaces, processes) is a record like what the kernel side wrote, and
//! carries its own time. So the same records always give the same text.

use bytes::Bytes;
use v6trace_common::Hook;

use crate::{attach::Coverage, decode::dad::Mac};

/// One item of the stream.
#[derive(Clone, Debug)]
pub enum Record {
    /// Opens the stream.
    Session(SessionInfo),
    /// What the kernel side wrote: a header and a payload, still encoded.
    Kernel(Bytes),
    /// What a network namespace is called.
    Namespace(Namespace),
    /// What runs a process.
    Process(Process),
    /// What is around an interface.
    Surroundings(Surroundings),
    /// Events that happened but are not in the stream.
    Lost(Lost),
    /// Closes the stream.
    End {
        /// When, nanoseconds since boot.
        boot_ns: u64,
    },
}

/// Who traced what, where and when.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// Version of the program that traced.
    pub version: String,
    /// The kernel's release, as `uname -r` prints it.
    pub kernel: String,
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
}

/// A network namespace, as userspace found it.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Its inode number.
    pub inode: u32,
    /// Its name under `/run/netns`; `None` where it has lost the one it had.
    pub name: Option<String>,
}

/// A process, as userspace found it.
#[derive(Clone, Debug)]
pub struct Process {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Its id.
    pub pid: u32,
    /// The systemd service that it belongs to.
    pub unit: Option<String>,
}

/// The interfaces around a duplicate address, as userspace found them.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// When they were looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the address's namespace.
    pub netns: u32,
    /// The interfaces of that namespace; `None` where they could not be listed.
    pub here: Option<Vec<Interface>>,
    /// Those of other namespaces of this host that may matter, each with the
    /// namespace's inode number: with the MAC in question, or in hairpin mode.
    pub elsewhere: Vec<(u32, Interface)>,
    /// A process in each of these namespaces that has no name: (namespace,
    /// process id).
    pub processes: Vec<(u32, u32)>,
}

/// An interface, as netlink describes it.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its index.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
    /// Its MAC, where its link layer has one.
    pub mac: Option<Mac>,
    /// The index of its lower interface or peer (`IFLA_LINK`), which may be in
    /// another namespace.
    pub link: Option<u32>,
    /// The name of the bridge, bond or VRF that it belongs to.
    pub master: Option<String>,
    /// Whether it is a bridge's port in hairpin mode.
    pub hairpin: bool,
    /// Whether it has the address in question.
    pub has_address: bool,
}

/// Events that were not delivered.
#[derive(Clone, Copy, Debug)]
pub struct Lost {
    /// When the loss was noticed, nanoseconds since boot.
    pub boot_ns: u64,
    /// The hook whose events they were, where that can be told.
    pub hook: Option<Hook>,
    /// The CPU on which they happened.
    pub cpu: u32,
    /// How many.
    pub count: u64,
}
