//! The stream: everything that a session consists of, in one order.
//!
//! Live tracing makes these records; the [`Report`](crate::report::Report)
//! consumes them. A diagnosis rests on nothing else: what userspace looked up
//! (namespaces, processes) is a record like what the kernel side wrote, and
//! carries its own time. So the same records always give the same text.

use std::net::Ipv4Addr;

use bytes::Bytes;
use v6trace_common::Hook;

use crate::attach::Coverage;

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
    /// Who uses an address that the host has just taken as anycast.
    AnycastUse(AnycastUse),
    /// Events that happened but are not in the stream.
    Lost(Lost),
    /// What interfaces and IPv4 addresses a network namespace has.
    Addresses(Addresses),
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

/// The interfaces and IPv4 addresses of a network namespace, in the kernel's
/// order, as userspace found them.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// When they were looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the namespace.
    pub netns: u32,
    /// Its interfaces.
    pub interfaces: Vec<Interface>,
    /// Its IPv4 addresses.
    pub addresses: Vec<Address>,
}

/// An interface, as far as the choice of a source depends on it.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its index.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
    /// Index of the VRF, bridge or bond that it belongs to.
    pub master: Option<u32>,
    /// Whether it is a VRF itself.
    pub is_vrf: bool,
}

/// An IPv4 address of an interface.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    /// The interface's index.
    pub ifindex: u32,
    /// The address itself, `IFA_LOCAL`.
    pub address: Ipv4Addr,
    /// Its scope (`RT_SCOPE_*`): 0 global, 253 link, 254 host.
    pub scope: u8,
}

/// Uses of an anycast address, as userspace found them.
#[derive(Clone, Debug)]
pub struct AnycastUse {
    /// When they were looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// The boot time of the kernel event that this belongs to.
    pub of: u64,
    /// What was found.
    pub uses: Vec<Use>,
    /// Whether everything that uses an address was looked at.
    pub complete: bool,
    /// The VRF that the interface belongs to.
    pub vrf: Option<String>,
    /// Whether this kernel has `net.ipv6.conf.IF.force_forwarding`.
    pub force_forwarding: bool,
}

/// One use of an address.
#[derive(Clone, Debug)]
pub struct Use {
    /// What uses it.
    pub kind: UseKind,
    /// Which, for a person to read.
    pub detail: String,
    /// The process, as `comm[pid]`, where one is known.
    pub process: Option<String>,
    /// The inode number of the socket, where it is one.
    pub inode: Option<u32>,
}

/// What uses an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// A neighbour on the link has it.
    Neighbour,
    /// A TCP connection leads to it.
    Tcp,
    /// A route goes by way of it.
    Gateway,
}

impl UseKind {
    /// Its name in the evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Neighbour => "neighbour",
            Self::Tcp => "tcp",
            Self::Gateway => "gateway",
        }
    }
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
