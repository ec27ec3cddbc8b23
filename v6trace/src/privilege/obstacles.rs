//! From the facts to what stands in the way of tracing, each with its way out.

use super::{Kprobes, Lockdown, Privileges, UserNamespace};
use caps::Capability;

/// Gives the program what it needs without sudo.
const SETCAP: &str = "setcap cap_bpf,cap_perfmon,cap_syslog+ep $(command -v v6trace)";

/// Bytes that hold v6trace's maps and programs on kernels where they count as
/// locked memory. The usual limit was 64 KiB then.
const ENOUGH_LOCKED_MEMORY: u64 = 8 << 20;

/// Something that stands in the way of live tracing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What is missing or forbids it, and what does not work therefore.
    pub what: String,
    /// What to do about it: a command where one exists.
    pub fix: String,
    /// Whether live tracing is impossible with it; otherwise something is
    /// missing from its results, or it depends on the kernel's build.
    pub blocks: bool,
}

impl Obstacle {
    fn blocking(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            fix: fix.into(),
            blocks: true,
        }
    }

    pub(super) fn limiting(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            fix: fix.into(),
            blocks: false,
        }
    }
}

impl Privileges {
    /// All that stands in the way, the gravest first; empty if nothing is known to.
    pub fn obstacles(&self) -> Vec<Obstacle> {
        let mut obstacles = self.tracing_obstacles();
        // In a nested namespace nothing is traced, so nothing is looked up.
        if self.user_namespace != UserNamespace::Nested {
            obstacles.extend(self.lookup_obstacles());
        }
        obstacles
    }

    /// What stands in the way of the kernel side.
    pub(super) fn tracing_obstacles(&self) -> Vec<Obstacle> {
        let kernel = [self.kprobes_obstacle(), self.lockdown_obstacle()];
        // In a nested namespace capabilities do not count, so which are there
        // would only mislead.
        let caller = if self.user_namespace == UserNamespace::Nested {
            vec![Some(nested())]
        } else {
            vec![
                self.capabilities_obstacle(),
                self.paranoid_obstacle(),
                self.locked_memory_obstacle(),
                self.addresses_obstacle(),
            ]
        };
        let mut obstacles: Vec<_> = kernel.into_iter().chain(caller).flatten().collect();
        obstacles.sort_by_key(|obstacle| !obstacle.blocks);
        obstacles
    }

    fn kprobes_obstacle(&self) -> Option<Obstacle> {
        match self.kprobes {
            Kprobes::Available => None,
            Kprobes::Disarmed => Some(Obstacle::blocking(
                "kprobes are switched off, so none of v6trace's would fire",
                "echo 1 | sudo tee /sys/kernel/debug/kprobes/enabled",
            )),
            Kprobes::Missing => Some(Obstacle::blocking(
                format!(
                    "kernel {} was built without kprobe events, which all of live tracing rests on",
                    self.caller.kernel_release
                ),
                "boot a kernel with CONFIG_KPROBES, CONFIG_KPROBE_EVENTS and CONFIG_PERF_EVENTS, as \
                 distributions' are",
            )),
            Kprobes::Unknown => Some(Obstacle::limiting(
                "/sys is not mounted, so it cannot be told whether this kernel has kprobes",
                "sudo mount -t sysfs sysfs /sys",
            )),
        }
    }

    fn lockdown_obstacle(&self) -> Option<Obstacle> {
        (self.lockdown == Lockdown::Confidentiality).then(|| {
            Obstacle::blocking(
                "kernel lockdown is in confidentiality mode, which forbids kprobes and bpf reads \
                 of kernel memory even to root (as EPERM)",
                "boot with lockdown=integrity or without lockdown=confidentiality on the kernel's \
                 command line (cat /sys/kernel/security/lockdown shows the mode)",
            )
        })
    }

    fn capabilities_obstacle(&self) -> Option<Obstacle> {
        if !self.splits_sys_admin() {
            return (!self.has(Capability::CAP_SYS_ADMIN)).then(|| {
                Obstacle::blocking(
                    format!(
                        "CAP_SYS_ADMIN is missing, which kernel {} (before 5.8) asks for to load \
                         tracing programs and to place kprobes",
                        self.caller.kernel_release
                    ),
                    "sudo v6trace …",
                )
            });
        }
        let what = match (self.may_load_programs(), self.may_place_probes()) {
            (true, true) => return None,
            (false, true) => "CAP_BPF is missing, so no tracing program can be loaded",
            (true, false) => {
                "CAP_PERFMON is missing, so no kprobe can be placed and no kernel memory read"
            }
            (false, false) => {
                "CAP_BPF and CAP_PERFMON are missing, so no tracing program can be loaded and no \
                 kprobe placed"
            }
        };
        Some(Obstacle::blocking(
            what,
            format!("sudo v6trace …   or once: sudo {SETCAP}"),
        ))
    }

    /// A patch of Debian and Ubuntu: above 2, `perf_event_open` wants
    /// `CAP_SYS_ADMIN`. Their newer kernels are content with `CAP_PERFMON`.
    fn paranoid_obstacle(&self) -> Option<Obstacle> {
        let level = self.perf_event_paranoid.filter(|level| *level > 2)?;
        (self.may_place_probes() && !self.has(Capability::CAP_SYS_ADMIN)).then(|| {
            Obstacle::limiting(
                format!(
                    "kernel.perf_event_paranoid is {level}; some of Debian's and Ubuntu's kernels \
                     then refuse perf_event_open without CAP_SYS_ADMIN (as EACCES)"
                ),
                "sudo sysctl -w kernel.perf_event_paranoid=2   or: sudo v6trace …",
            )
        })
    }

    /// Before 5.11 maps and programs were charged to the limit on locked memory.
    fn locked_memory_obstacle(&self) -> Option<Obstacle> {
        let limit = self
            .caller
            .locked_memory
            .filter(|limit| *limit < ENOUGH_LOCKED_MEMORY)?;
        let charged = self
            .kernel_version()
            .is_some_and(|version| version < (5, 11));
        (charged && !self.has(Capability::CAP_SYS_RESOURCE)).then(|| {
            Obstacle::blocking(
                format!(
                    "at most {} KiB of memory may be locked, which kernel {} (before 5.11) counts \
                     bpf maps and programs against (EPERM when exceeded)",
                    limit / 1024,
                    self.caller.kernel_release
                ),
                "sudo v6trace …   or: ulimit -l unlimited",
            )
        })
    }

    fn addresses_obstacle(&self) -> Option<Obstacle> {
        let what = "the kernel hides the addresses of its symbols, so variables that are not part \
                    of a structure, such as older kernels' net.core.optmem_max, cannot be read";
        if self.sees_addresses() {
            None
        } else if self.kptr_restrict.is_some_and(|level| level > 1) {
            Some(Obstacle::limiting(
                format!("kernel.kptr_restrict is 2: {what}"),
                "sudo sysctl -w kernel.kptr_restrict=1",
            ))
        } else {
            Some(Obstacle::limiting(
                format!("CAP_SYSLOG is missing: {what}"),
                format!("sudo v6trace …   or once: sudo {SETCAP}"),
            ))
        }
    }
}

fn nested() -> Obstacle {
    Obstacle::blocking(
        "this process is in a user namespace of its own (a rootless container, unshare -U), where \
         no capability allows tracing the kernel, root's included",
        "run v6trace on the host itself, outside the container: sudo v6trace …",
    )
}
