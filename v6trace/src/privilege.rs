//! What tracing the running kernel needs, and whether this process has it.
//!
//! [`Privileges::read`] collects the facts (capabilities, sysctls, lockdown,
//! kprobes, namespaces) from the system and from files below a root directory;
//! [`Privileges::obstacles`] turns them into sentences that name the way out,
//! for `doctor` and for the message when attaching was refused. Nothing here
//! tries to trace: what cannot be read is unknown, not an obstacle.

pub(crate) mod kept;
mod lookups;
mod obstacles;
#[cfg(test)]
mod tests;

pub use lookups::PidNamespace;
pub use obstacles::Obstacle;

use caps::{CapSet, Capability, CapsHashSet};
use std::{fs, path::Path};

/// The inode number that the kernel gives its first user namespace
/// (`PROC_USER_INIT_INO` of `include/linux/proc_ns.h`).
const INITIAL_USER_NAMESPACE: &str = "user:[4026531837]";

/// What the system lets this process do.
#[derive(Debug, Clone)]
pub struct Privileges {
    /// This process itself.
    pub caller: Caller,
    /// `kernel.unprivileged_bpf_disabled`: 0 allows, 1 and 2 forbid some use of
    /// bpf without capabilities. Tracing needs capabilities whatever it says.
    pub unprivileged_bpf_disabled: Option<i64>,
    /// `kernel.perf_event_paranoid`. With `CAP_PERFMON` it does not matter up to
    /// 2; Debian's and Ubuntu's kernels know 3 and 4.
    pub perf_event_paranoid: Option<i64>,
    /// `kernel.kptr_restrict`: 2 hides the addresses of symbols from everyone.
    pub kptr_restrict: Option<i64>,
    /// What the kernel itself forbids even to root.
    pub lockdown: Lockdown,
    /// Whether kprobes can be placed.
    pub kprobes: Kprobes,
    /// Whether capabilities count at all.
    pub user_namespace: UserNamespace,
    /// Whether the kernel's process ids mean something here.
    pub pid_namespace: PidNamespace,
}

/// The facts about this process and kernel that come from system calls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Effective capabilities.
    pub capabilities: CapsHashSet,
    /// Soft limit of locked memory in bytes; none if unlimited.
    pub locked_memory: Option<u64>,
    /// `uname -r`.
    pub kernel_release: String,
    /// `uname -m`.
    pub architecture: String,
}

/// State of the lockdown security module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lockdown {
    /// Off.
    None,
    /// Protects the kernel from change; tracing is allowed.
    Integrity,
    /// Also protects its memory from being read: no kprobes, no reads by bpf.
    Confidentiality,
    /// Not built into this kernel, or securityfs is not mounted or not readable.
    Unknown,
}

/// Whether `perf_event_open` can place kprobes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kprobes {
    /// It can.
    Available,
    /// Built in, but switched off in debugfs.
    Disarmed,
    /// Not built into this kernel.
    Missing,
    /// /sys is not mounted.
    Unknown,
}

/// Which user namespace this process is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserNamespace {
    /// The first one, where capabilities are capabilities.
    Initial,
    /// Another one, where they do not count for tracing.
    Nested,
    /// /proc does not tell.
    Unknown,
}

impl Privileges {
    /// Collects the facts about this process on this machine.
    pub fn read() -> Self {
        Self::read_below(Path::new("/"), Caller::current())
    }

    /// The same with `proc` and `sys` looked for below `root`.
    pub fn read_below(root: &Path, caller: Caller) -> Self {
        let sysctl = |name: &str| number(&root.join("proc/sys/kernel").join(name));
        Self {
            caller,
            unprivileged_bpf_disabled: sysctl("unprivileged_bpf_disabled"),
            perf_event_paranoid: sysctl("perf_event_paranoid"),
            kptr_restrict: sysctl("kptr_restrict"),
            lockdown: Lockdown::read_below(root),
            kprobes: Kprobes::read_below(root),
            user_namespace: UserNamespace::read_below(root),
            pid_namespace: PidNamespace::read_below(root),
        }
    }

    /// Whether this process may load tracing programs, as far as capabilities go:
    /// `CAP_BPF` (or `CAP_SYS_ADMIN`, which is the only one before kernel 5.8).
    pub fn may_load_programs(&self) -> bool {
        self.has(Capability::CAP_SYS_ADMIN)
            || (self.splits_sys_admin() && self.has(Capability::CAP_BPF))
    }

    /// Whether this process may place kprobes and read kernel memory from a
    /// program, as far as capabilities go: `CAP_PERFMON` or `CAP_SYS_ADMIN`.
    /// `perf_event_open` checks the same two for a kprobe.
    pub fn may_place_probes(&self) -> bool {
        self.has(Capability::CAP_SYS_ADMIN)
            || (self.splits_sys_admin() && self.has(Capability::CAP_PERFMON))
    }

    /// Whether /proc/kallsyms shows addresses to this process. Names are always
    /// shown; `CAP_SYS_ADMIN` does not stand in for `CAP_SYSLOG` here.
    pub fn sees_addresses(&self) -> bool {
        match self.kptr_restrict {
            // Then profiling by anyone must be allowed, or the capability be there.
            Some(0) if self.perf_event_paranoid.is_some_and(|level| level <= 1) => true,
            Some(0 | 1) | None => self.has(Capability::CAP_SYSLOG),
            Some(_) => false,
        }
    }

    /// Major and minor number of the running kernel, if its release begins with them.
    pub fn kernel_version(&self) -> Option<(u32, u32)> {
        let mut numbers = self
            .caller
            .kernel_release
            .split(|c: char| !c.is_ascii_digit())
            .map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    }

    /// Whether this process has a capability in its effective set.
    pub fn has(&self, capability: Capability) -> bool {
        self.caller.capabilities.contains(&capability)
    }

    /// `CAP_BPF` and `CAP_PERFMON` exist since 5.8.
    fn splits_sys_admin(&self) -> bool {
        self.kernel_version()
            .is_none_or(|version| version >= (5, 8))
    }
}

impl Caller {
    /// Asks the system. Capabilities that cannot be read count as missing.
    pub fn current() -> Self {
        let uname = rustix::system::uname();
        Self {
            capabilities: caps::read(None, CapSet::Effective).unwrap_or_default(),
            locked_memory: rustix::process::getrlimit(rustix::process::Resource::Memlock).current,
            kernel_release: uname.release().to_string_lossy().into_owned(),
            architecture: uname.machine().to_string_lossy().into_owned(),
        }
    }
}

impl Lockdown {
    /// The file lists all states, the one in force in brackets.
    fn read_below(root: &Path) -> Self {
        let text = text(&root.join("sys/kernel/security/lockdown")).unwrap_or_default();
        match text.split(['[', ']']).nth(1) {
            Some("none") => Self::None,
            Some("integrity") => Self::Integrity,
            Some("confidentiality") => Self::Confidentiality,
            _ => Self::Unknown,
        }
    }
}

impl Kprobes {
    fn read_below(root: &Path) -> Self {
        let sources = root.join("sys/bus/event_source/devices");
        if !sources.is_dir() {
            return Self::Unknown;
        }
        if !sources.join("kprobe/type").exists() {
            return Self::Missing;
        }
        match number(&root.join("sys/kernel/debug/kprobes/enabled")) {
            Some(0) => Self::Disarmed,
            _ => Self::Available,
        }
    }
}

impl UserNamespace {
    fn read_below(root: &Path) -> Self {
        if let Ok(link) = fs::read_link(root.join("proc/self/ns/user")) {
            return Self::from_whether(link == Path::new(INITIAL_USER_NAMESPACE));
        }
        // Without the link: the first namespace maps all numbers to themselves.
        match text(&root.join("proc/self/uid_map")) {
            Some(map) => Self::from_whether(map.split_whitespace().eq(["0", "0", "4294967295"])),
            None => Self::Unknown,
        }
    }

    fn from_whether(initial: bool) -> Self {
        if initial { Self::Initial } else { Self::Nested }
    }
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn number(path: &Path) -> Option<i64> {
    text(path)?.trim().parse().ok()
}
