//! What looking things up beside the events needs: without it tracing works,
//! and explanations know less.

use std::{fs, path::Path};

use caps::Capability::{CAP_SYS_ADMIN, CAP_SYS_PTRACE};

use super::{Obstacle, Privileges};

/// The inode number that the kernel gives its first namespace of process ids
/// (`PROC_PID_INIT_INO` of `include/linux/proc_ns.h`).
const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";

/// Gives the program what it needs for look-ups as well without sudo.
const SETCAP: &str = "setcap cap_bpf,cap_perfmon,cap_syslog,cap_sys_admin,cap_sys_ptrace,cap_dac_read_search+ep \
                      $(command -v v6trace)";

/// Which namespace of process ids this process is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PidNamespace {
    /// The first one, whose ids the kernel side tells.
    Initial,
    /// Another one, where those ids are other processes or none.
    Nested,
    /// /proc does not tell.
    Unknown,
}

impl PidNamespace {
    /// Asks the system.
    pub fn read() -> Self {
        Self::read_below(Path::new("/"))
    }

    pub(super) fn read_below(root: &Path) -> Self {
        match fs::read_link(root.join("proc/self/ns/pid")) {
            Ok(link) if link == Path::new(INITIAL_PID_NAMESPACE) => Self::Initial,
            Ok(_) => Self::Nested,
            Err(_) => Self::Unknown,
        }
    }
}

impl Privileges {
    /// What stands in the way of look-ups.
    pub(super) fn lookup_obstacles(&self) -> Vec<Obstacle> {
        let nested = (self.pid_namespace == PidNamespace::Nested).then(|| {
            Obstacle::limiting(
                "this process is in a process-id namespace of its own (a container), where the \
                 kernel's process ids mean others: the services of processes are not looked up, \
                 and fixes name processes by ids that are good on the host only",
                "run v6trace on the host itself, or the container with --pid=host",
            )
        });
        nested
            .into_iter()
            .chain(self.missing_for_lookups())
            .collect()
    }

    fn missing_for_lookups(&self) -> Option<Obstacle> {
        let what = match (self.has(CAP_SYS_ADMIN), self.has(CAP_SYS_PTRACE)) {
            (true, true) => return None,
            (false, _) => {
                "CAP_SYS_ADMIN is missing, so no other network namespace can be entered: what is \
                 there (interfaces, addresses, who uses one) is missing from explanations"
            }
            (true, false) => {
                "CAP_SYS_PTRACE is missing, so other users' processes do not show their network \
                 namespaces and sockets: explanations do not name them"
            }
        };
        Some(Obstacle::limiting(
            what,
            format!("sudo v6trace …   or once: sudo {SETCAP}"),
        ))
    }
}
