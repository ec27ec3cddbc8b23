//! The programs that make and run guests, QEMU, cpio and xz; tshark, which has to
//! read what v6trace exports; mandoc, which has to read its manual pages; tmux, which
//! has to show what it draws; and a browser for its reports.
//!
//! Those that the machine has are used. The others are taken from the
//! archive of the machine's own Debian release and unpacked under
//! `target/guest`, not installed: that takes no root, and it cannot
//! collide with what the user has (a QEMU from backports, say).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::apt::{self, PrivateApt};
use super::sources;
use crate::architecture::{Architecture, OWN, Program};
use crate::progress::Step;
use crate::{paths, process};

/// What packs a guest's files.
const OF_GUESTS: [Program; 2] = [("cpio", &["cpio"]), ("xz", &["xz-utils"])];

/// What reads captures.
const OF_CAPTURES: [Program; 1] = [("tshark", &["tshark"])];

/// What reads manual pages.
const OF_MANUAL: [Program; 1] = [("mandoc", &["mandoc"])];

/// What has a screen that can be looked at.
const OF_SCREENS: [Program; 1] = [("tmux", &["tmux"])];

/// What shows pages: a browser without windows.
pub(crate) const BROWSER: &str = "chromium-headless-shell";
const OF_PAGES: [Program; 1] = [(BROWSER, &[BROWSER])];

/// Directories of programs in an unpacked package. The browser's script elsewhere looks for
/// it where it would be installed.
const BIN: [&str; 3] = ["usr/lib/chromium", "usr/bin", "bin"];

/// Where the programs are.
#[derive(Clone)]
pub(crate) struct Tools {
    programs: BTreeMap<&'static str, PathBuf>,
    /// Root of the unpacked packages.
    root: PathBuf,
}

impl Tools {
    /// A command for one of the programs.
    pub(crate) fn command(&self, name: &'static str) -> Command {
        let unpacked = self
            .programs
            .get(name)
            .filter(|path| path.starts_with(&self.root));
        let Some(program) = unpacked else {
            return Command::new(name);
        };
        let mut command = Command::new(program);
        command.env("LD_LIBRARY_PATH", self.loader_path());
        command
    }

    /// A command that runs a program of the architecture.
    pub(crate) fn run(&self, architecture: &Architecture, program: &Path) -> Command {
        let Some((runner, _)) = architecture.runner else {
            return Command::new(program);
        };
        let mut command = self.command(runner);
        command.arg(program);
        command
    }

    /// A command for QEMU that dies with this task, however that ends.
    pub(crate) fn qemu(&self, architecture: &Architecture) -> Command {
        let qemu = self.command(architecture.emulator.0);
        let mut command = Command::new("setpriv");
        // Where it finds translated code is a large table that it reads all over: it is to
        // lie in huge pages, which the kernel gives to those that ask.
        let others = std::env::var("GLIBC_TUNABLES");
        let others = others.map_or_else(|_| String::new(), |others| others + ":");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(qemu.get_program())
            .env("GLIBC_TUNABLES", others + "glibc.malloc.hugetlb=1");
        for (name, value) in qemu.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        if Path::new(qemu.get_program()).starts_with(&self.root) {
            // Its firmware; other files it finds relative to itself.
            for share in ["qemu", "seabios"] {
                command
                    .arg("-L")
                    .arg(self.root.join("usr/share").join(share));
            }
        }
        command
    }

    fn loader_path(&self) -> OsString {
        let mut path = OsString::new();
        for directory in ["usr/lib", "lib"] {
            path.push(self.root.join(directory).join(OWN.triplet()));
            path.push(":");
        }
        path.push("/nonexistent");
        path
    }
}

/// Finds what guests take, or downloads it.
pub(crate) fn provide(architecture: &Architecture) -> Result<Tools> {
    let mut wanted = vec![architecture.emulator];
    wanted.extend(architecture.runner);
    wanted.extend(OF_GUESTS);
    find(&wanted, architecture.guest("tools"))
}

/// Finds what reads captures, or downloads it.
pub(crate) fn provide_for_captures() -> Result<Tools> {
    find(&OF_CAPTURES, paths::guest("captures"))
}

/// Finds what reads manual pages, or downloads it.
pub(crate) fn provide_for_manual() -> Result<Tools> {
    find(&OF_MANUAL, paths::guest("manual"))
}

/// Finds what has a screen, or downloads it.
pub(crate) fn provide_for_screens() -> Result<Tools> {
    find(&OF_SCREENS, paths::guest("screens"))
}

/// Finds what shows pages, or downloads it.
pub(crate) fn provide_for_pages() -> Result<Tools> {
    find(&OF_PAGES, paths::guest("pages"))
}

/// Finds programs, or downloads those that are missing into `root`.
fn find(wanted: &[Program], root: PathBuf) -> Result<Tools> {
    let find = |name: &str| {
        let unpacked = || {
            BIN.iter()
                .map(|bin| root.join(bin).join(name))
                .find(|path| path.is_file())
        };
        process::find_program(name).or_else(unpacked)
    };
    if wanted.iter().any(|(name, _)| find(name).is_none()) {
        download(&root, wanted).with_context(|| {
            let packages: Vec<&str> = wanted
                .iter()
                .flat_map(|(_, packages)| packages.iter().copied())
                .collect();
            format!(
                "programs are missing and could not be downloaded; to install them, run:\n  \
                 sudo apt-get install --no-install-recommends {}",
                packages.join(" ")
            )
        })?;
    }
    let mut programs = BTreeMap::new();
    for (name, packages) in wanted {
        let program = find(name)
            .with_context(|| format!("there is no {name} in {}", packages.join(" or ")))?;
        programs.insert(*name, program);
    }
    Ok(Tools { programs, root })
}

/// Unpacks the packages of all programs that the machine does not have.
fn download(root: &Path, wanted: &[Program]) -> Result<()> {
    let missing: Vec<_> = wanted
        .iter()
        .filter(|(name, _)| process::find_program(name).is_none())
        .collect();
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|(_, packages)| packages.iter().copied())
        .collect();

    let step = Step::start(format!("Downloading {}", names.join(", ")));
    let apt = PrivateApt::new(OWN, &sources::machine_archive()?.release, true)?;
    apt.update()?;
    apt.clean()?;
    let debs = apt.download_with_dependencies(&packages)?;
    ensure!(!debs.is_empty(), "apt downloaded nothing");
    // Unpacked aside first: a directory that is there is whole.
    let aside = root.with_extension("partial");
    paths::make_empty_dir(&aside)?;
    for deb in debs {
        // The C library must be that of the machine, like its loader.
        if !apt::package_name(&deb).is_some_and(|package| package.starts_with("libc6")) {
            apt::unpack(&deb, &aside)?;
        }
    }
    apt.clean()?;
    paths::remove_dir(root)?;
    std::fs::rename(&aside, root).with_context(|| format!("cannot rename {}", aside.display()))?;
    step.done();
    Ok(())
}
