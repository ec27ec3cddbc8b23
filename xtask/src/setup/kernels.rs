//! The kernels that guests boot: Debian's cloud kernels, one per suite.
//!
//! A suite's metapackage names the kernel of the day; its packages are
//! downloaded and unpacked into `target/guest/ARCHITECTURE/kernels/VERSION/`. What the
//! archive answered is kept in `SUITE` beside it for a day, and
//! longer when the archive can't be reached.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result, bail, ensure};

use super::apt::{self, PrivateApt};
use super::is_fresh;
use super::suites::{Suite, is_version_prefix};
use crate::architecture::Architecture;
use crate::progress::{self, Step};
use crate::{modules, paths};

fn metapackage(architecture: &Architecture) -> String {
    format!("linux-image-cloud-{}", architecture.debian)
}

/// A kernel that is unpacked and can be booted.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    /// What it runs on.
    pub(crate) architecture: &'static Architecture,
    /// Upstream version, for example `6.1.192`.
    pub(crate) version: String,
    /// Where its packages are unpacked.
    pub(crate) directory: PathBuf,
}

impl Kernel {
    /// The compressed kernel image.
    pub(crate) fn image(&self) -> Result<PathBuf> {
        find_image(&self.directory)
            .with_context(|| format!("{} holds no kernel image", self.directory.display()))
    }

    /// The directory of its modules.
    pub(crate) fn modules(&self) -> Result<PathBuf> {
        modules::directory(&self.directory)
    }
}

/// Provides the kernel of a suite, downloading it if need be.
///
/// `wanted` is what the user asked for, if anything; it is an error when
/// that is a version and the suite's kernel is another.
pub(crate) fn provide(
    architecture: &'static Architecture,
    suite: Suite,
    wanted: Option<&str>,
    refresh: bool,
) -> Result<Kernel> {
    let kernel = cached_or_downloaded(architecture, suite, refresh)
        .with_context(|| format!("no kernel of Debian {} can be had", suite.name))?;
    if let Some(wanted) = wanted
        && wanted.starts_with(|first: char| first.is_ascii_digit())
        && !is_version_prefix(wanted, &kernel.version)
    {
        bail!(
            "there is no kernel {wanted}: Debian {} has {} today",
            suite.name,
            kernel.version
        );
    }
    Ok(kernel)
}

fn cached_or_downloaded(
    architecture: &'static Architecture,
    suite: Suite,
    refresh: bool,
) -> Result<Kernel> {
    let answer = directory(architecture).join(suite.name);
    let cached = fs::read_to_string(&answer)
        .ok()
        .map(|version| unpacked(architecture, version.trim()))
        .filter(|kernel| kernel.image().is_ok() && kernel.modules().is_ok());
    match cached {
        Some(kernel) if is_fresh(&answer) && !refresh => Ok(kernel),
        Some(kernel) => match resolve_and_download(architecture, suite) {
            Ok(kernel) => Ok(kernel),
            Err(error) => {
                progress::say(&format!(
                    "Debian {} could not be asked for newer kernels; going on with {}: {error:#}",
                    suite.name, kernel.version
                ));
                Ok(kernel)
            }
        },
        None => resolve_and_download(architecture, suite),
    }
}

fn resolve_and_download(architecture: &'static Architecture, suite: Suite) -> Result<Kernel> {
    // One at a time: side by side they would only share the line.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();

    let step = Step::start(format!("Looking up the kernel of Debian {}", suite.name));
    let apt = PrivateApt::new(architecture, suite.name, suite.security)?;
    apt.update()?;
    let metapackage = metapackage(architecture);
    let version = apt.version(&metapackage)?;
    step.done();

    let kernel = unpacked(architecture, &version);
    if kernel.image().is_err() || kernel.modules().is_err() {
        let step = Step::start(format!("Downloading Linux {}", kernel.version));
        let packages = kernel_packages(&apt, &metapackage)?;
        ensure!(!packages.is_empty(), "{metapackage} depends on no kernel");
        // Unpacked aside first, so that a kernel directory is always whole.
        let aside = directory(architecture).join(format!("{version}.partial"));
        paths::make_empty_dir(&aside)?;
        for deb in apt.download(&packages)? {
            apt::unpack(&deb, &aside)?;
        }
        paths::remove_dir(&kernel.directory)?;
        fs::rename(&aside, &kernel.directory)
            .with_context(|| format!("cannot rename {}", aside.display()))?;
        apt.clean()?;
        step.done();
    }
    kernel.image()?;
    kernel.modules()?;
    paths::write(&directory(architecture).join(suite.name), version)?;
    Ok(kernel)
}

/// The packages with the kernel's own files: one up to 6.x, several from 7.x.
fn kernel_packages(apt: &PrivateApt, metapackage: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![metapackage.to_owned()];
    while let Some(package) = open.pop() {
        for needed in apt.dependencies(&package)? {
            if is_kernel_package(&needed) && !found.contains(&needed) {
                found.push(needed.clone());
                open.push(needed);
            }
        }
    }
    Ok(found)
}

fn is_kernel_package(name: &str) -> bool {
    [
        "linux-image-",
        "linux-binary-",
        "linux-modules-",
        "linux-base-",
    ]
    .iter()
    .filter_map(|prefix| name.strip_prefix(prefix))
    .any(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// The kernel of a package version such as `6.1.192-1`, unpacked or not.
fn unpacked(architecture: &'static Architecture, package_version: &str) -> Kernel {
    let upstream = package_version.split(['-', '+', '~']).next();
    Kernel {
        architecture,
        version: upstream.unwrap_or(package_version).to_owned(),
        directory: directory(architecture).join(package_version),
    }
}

fn directory(architecture: &Architecture) -> PathBuf {
    architecture.guest("kernels")
}

/// `boot/vmlinuz-RELEASE`, or from 7.x `usr/lib/modules/RELEASE/vmlinuz`.
fn find_image(directory: &Path) -> Option<PathBuf> {
    let boot = fs::read_dir(directory.join("boot"));
    let in_boot = boot.ok().and_then(|entries| {
        entries
            .flatten()
            .find(|entry| entry.file_name().to_string_lossy().starts_with("vmlinuz"))
            .map(|entry| entry.path())
    });
    in_boot.or_else(|| {
        let image = modules::directory(directory).ok()?.join("vmlinuz");
        image.is_file().then_some(image)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::OWN;

    #[test]
    fn package_versions_lose_their_debian_part() {
        assert_eq!(unpacked(OWN, "6.1.192-1").version, "6.1.192");
        assert_eq!(unpacked(OWN, "7.2.13+deb14-1").version, "7.2.13");
    }

    #[test]
    fn only_packages_with_kernel_files_count() {
        assert!(is_kernel_package("linux-binary-7.2.13+deb14-cloud-amd64"));
        assert!(!is_kernel_package("linux-base-cloud-amd64"));
        assert!(!is_kernel_package("linux-base"));
        assert!(!is_kernel_package("initramfs-tools"));
    }
}
