//! The guest's userland: bash, iproute2 and the like from Debian's archive,
//! unpacked under `target/guest/userland/` without being installed.
//!
//! `tools/` holds the packages that are named here, `libraries/` what they
//! depend on; `initramfs` picks the programs from the first and the shared
//! libraries they load from either.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::apt::{self, PrivateApt};
use crate::paths;
use crate::progress::Step;

/// The packages whose programs and configuration go into the guest. To add a
/// tool, add its package.
const PACKAGES: &[&str] = &[
    "bash",
    "bird2",
    "busybox-static",
    "iproute2",
    "iputils-ping",
    "procps",
    "radvd",
];

/// The same for every kernel, so that only the kernel differs.
const SUITE: &str = "bookworm";

/// An unpacked userland.
pub(crate) struct Userland {
    /// Root of the packages in the guest.
    pub(crate) tools: PathBuf,
    /// Root of the packages that they depend on.
    pub(crate) libraries: PathBuf,
    /// Changes whenever the content does.
    pub(crate) key: String,
}

/// Provides the userland, downloading it if need be.
///
/// It is kept until the list of packages changes: its bugs are not what is
/// tested.
pub(crate) fn provide() -> Result<Userland> {
    let directory = paths::guest("userland");
    let stamp = directory.join("packages");
    let key = format!("{SUITE} {}", PACKAGES.join(" "));
    if std::fs::read_to_string(&stamp).is_ok_and(|unpacked| unpacked == key) {
        return Ok(userland(&directory, key));
    }
    let step = Step::start(format!(
        "Downloading the guest's tools: {}",
        PACKAGES.join(", ")
    ));
    let apt = PrivateApt::new(SUITE, true)?;
    apt.update()?;
    apt.clean()?;
    let debs = apt.download_with_dependencies(PACKAGES)?;
    paths::make_empty_dir(&directory)?;
    let made = userland(&directory, key);
    paths::make_dir(&made.tools)?;
    paths::make_dir(&made.libraries)?;
    for deb in debs {
        let root = if apt::package_name(&deb).is_some_and(|package| PACKAGES.contains(&package)) {
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

fn userland(directory: &Path, key: String) -> Userland {
    Userland {
        tools: directory.join("tools"),
        libraries: directory.join("libraries"),
        key,
    }
}
