//! The guest's userland: bash, iproute2 and the like from Debian's archive,
//! unpacked under `target/guest/ARCHITECTURE/userland/` without being installed.
//!
//! `tools/` holds the packages that are named here, `libraries/` what they
//! depend on; `initramfs` picks the programs from the first and the shared
//! libraries they load from either.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::apt::{self, PrivateApt};
use crate::architecture::Architecture;
use crate::paths;
use crate::progress::Step;

/// Packages whose programs and configuration go into guests as one layer. To
/// add a tool, add its package.
pub(crate) struct Selection {
    /// What to call it, in messages and as a directory.
    name: &'static str,
    packages: &'static [&'static str],
    /// Packages of which single programs are wanted, each with its path there, in which
    /// TRIPLET is what Debian calls the architecture's.
    single: &'static [(&'static str, &'static str)],
}

/// What every guest has.
pub(crate) const BASE: Selection = Selection {
    name: "userland",
    packages: &[
        "bash",
        "bird2",
        "busybox-static",
        "iproute2",
        "iputils-ping",
        "procps",
        "radvd",
    ],
    single: &[
        ("chrony", "usr/sbin/chronyd"),
        ("crun", "usr/bin/crun"),
        ("openssh-client", "usr/bin/ssh-keygen"),
        ("openssh-server", "usr/sbin/sshd"),
        ("systemd", "lib/systemd/systemd-networkd"),
    ],
};

/// Daemons that are too large for every guest, in those of the scenarios about them.
pub(crate) const DAEMONS: Selection = Selection {
    name: "daemons",
    packages: &[],
    single: &[
        ("dbus-daemon", "usr/bin/dbus-daemon"),
        ("frr", "usr/bin/vtysh"),
        ("frr", "usr/lib/frr/bgpd"),
        ("frr", "usr/lib/frr/ospf6d"),
        ("frr", "usr/lib/frr/staticd"),
        ("frr", "usr/lib/frr/zebra"),
        // What lets vtysh ask FRR.
        ("libpam-modules", "lib/TRIPLET/security/pam_permit.so"),
        ("network-manager", "usr/bin/nmcli"),
        ("network-manager", "usr/sbin/NetworkManager"),
    ],
};

/// What v6trace is measured against, in the guests of `bench` only.
pub(crate) const PEERS: Selection = Selection {
    name: "peers",
    packages: &["bpftrace", "linux-perf", "trace-cmd"],
    single: &[],
};

/// A whole system that systemd runs, to install v6trace's package on.
pub(crate) const DEBIAN: Selection = Selection {
    name: "debian",
    packages: &[
        "base-files",
        "base-passwd",
        "bash",
        "coreutils",
        "dash",
        "diffutils",
        "dpkg",
        "findutils",
        "grep",
        "iproute2",
        "libc-bin",
        "sed",
        "systemd",
    ],
    single: &[],
};

/// The same for every kernel, so that only the kernel differs.
const SUITE: &str = "bookworm";

/// An unpacked userland.
pub(crate) struct Userland {
    /// The selection's name.
    pub(crate) name: &'static str,
    /// What runs its programs.
    pub(crate) architecture: &'static Architecture,
    /// Root of the packages in the guest.
    pub(crate) tools: PathBuf,
    /// Root of the packages that they depend on, and of those of which single
    /// programs are wanted.
    pub(crate) libraries: PathBuf,
    /// The paths of these programs.
    pub(crate) single: Vec<String>,
    /// Changes whenever the content does.
    pub(crate) key: String,
}

/// Provides a selection, downloading it if need be.
///
/// It is kept until the list of packages changes: its bugs are not what is
/// tested.
pub(crate) fn provide(
    architecture: &'static Architecture,
    selection: &Selection,
) -> Result<Userland> {
    let packages = selection.packages;
    let directory = architecture.guest(selection.name);
    let stamp = directory.join("packages");
    let single = selection.single.iter().map(|(package, _)| *package);
    let mut all: Vec<_> = packages.iter().copied().chain(single).collect();
    all.dedup();
    let key = format!("{SUITE} {}", all.join(" "));
    if std::fs::read_to_string(&stamp).is_ok_and(|unpacked| unpacked == key) {
        return Ok(userland(architecture, selection, &directory, key));
    }
    let step = Step::start(format!("Downloading the guest's tools: {}", all.join(", ")));
    let apt = PrivateApt::new(architecture, SUITE, true)?;
    apt.update()?;
    apt.clean()?;
    let debs = apt.download_with_dependencies(&all)?;
    paths::make_empty_dir(&directory)?;
    let made = userland(architecture, selection, &directory, key);
    paths::make_dir(&made.tools)?;
    paths::make_dir(&made.libraries)?;
    for deb in debs {
        let root = if apt::package_name(&deb).is_some_and(|package| packages.contains(&package)) {
            &made.tools
        } else {
            &made.libraries
        };
        apt::unpack(&deb, root)?;
    }
    apt.clean()?;
    paths::write(&stamp, &made.key)?;
    step.done();
    Ok(made)
}

fn userland(
    architecture: &'static Architecture,
    selection: &Selection,
    directory: &Path,
    key: String,
) -> Userland {
    Userland {
        name: selection.name,
        architecture,
        tools: directory.join("tools"),
        libraries: directory.join("libraries"),
        single: selection
            .single
            .iter()
            .map(|(_, program)| program.replace("TRIPLET", &architecture.triplet()))
            .collect(),
        key,
    }
}
