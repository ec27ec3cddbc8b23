//! The file systems a guest needs.

use std::fs;

use anyhow::{Context as _, Result};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

/// Kind, place, and whether the guest is useless without it.
const MOUNTS: &[(&str, &str, bool)] = &[
    ("proc", "/proc", true),
    ("sysfs", "/sys", true),
    ("devtmpfs", "/dev", true),
    ("devpts", "/dev/pts", false),
    ("tmpfs", "/run", true),
    ("tmpfs", "/tmp", true),
    ("debugfs", "/sys/kernel/debug", false),
    ("tracefs", "/sys/kernel/tracing", false),
    ("securityfs", "/sys/kernel/security", false),
    ("bpf", "/sys/fs/bpf", false),
];

/// Mounts them all; what the kernel was built without is passed over.
pub(super) fn all() -> Result<()> {
    for &(kind, place, needed) in MOUNTS {
        // The directories below /sys are the kernel's own and cannot be made.
        if !place.starts_with("/sys/") {
            fs::create_dir_all(place).with_context(|| format!("cannot create {place}"))?;
        }
        match mount(kind, place, kind, MountFlags::empty(), None) {
            Ok(()) | Err(Errno::BUSY) => {}
            Err(_) if !needed => {}
            Err(errno) => {
                return Err(errno).with_context(|| format!("cannot mount {kind} on {place}"));
            }
        }
    }
    Ok(())
}
