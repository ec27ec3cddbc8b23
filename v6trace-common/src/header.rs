//! What every record opens with: what it is, when and where it happened, and
//! in whose context.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Version of the record layouts in this crate; raised when one of them changes.
pub const WIRE_VERSION: u8 = 1;

/// Bytes of a task's name in the kernel, terminating NUL included (`TASK_COMM_LEN`).
pub const COMM_LEN: usize = 16;

/// The first bytes of every record.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct RecordHeader {
    /// Bytes of the whole record, this header included. The perf buffer pads
    /// samples, so the sample's own length says less.
    pub size: u16,
    /// The record's [`Kind`](crate::Kind).
    pub kind: u16,
    /// [`WIRE_VERSION`] of the programs that wrote the record.
    pub version: u8,
    /// The [`Context`] in which it happened.
    pub context: u8,
    /// The [`Hook`](crate::Hook) that saw it.
    pub hook: u16,
    /// Nanoseconds since boot, suspended time included (`CLOCK_BOOTTIME`).
    pub boot_ns: u64,
    /// The task's cgroup, by its inode number in the cgroup2 hierarchy.
    pub cgroup_id: u64,
    /// The CPU on which it happened.
    pub cpu: u32,
    /// The network namespace concerned, by the inode number of
    /// `/proc/PID/ns/net`; 0 where it could not be read.
    pub netns: u32,
    /// Process id in the initial pid namespace (the kernel's `tgid`).
    pub pid: u32,
    /// Thread id in the initial pid namespace (the kernel's `pid`).
    pub tid: u32,
    /// The thread's name, NUL-padded.
    pub comm: [u8; COMM_LEN],
}

const _: () = assert!(size_of::<RecordHeader>() == 56);

/// In whose context a record's event happened. Only in [`Context::Task`] do
/// pid and comm name somebody who had a part in it.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The task itself entered the kernel.
    Task = 0,
    /// A kernel thread, such as a workqueue's worker; or a task that sent a packet
    /// into a device, which works for nobody in particular.
    KernelThread = 1,
    /// A softirq; the task is whoever was interrupted.
    Softirq = 2,
}

impl Context {
    /// The context that `value` stands for, if it stands for one.
    pub const fn from_wire(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Task),
            1 => Some(Self::KernelThread),
            2 => Some(Self::Softirq),
            _ => None,
        }
    }
}
