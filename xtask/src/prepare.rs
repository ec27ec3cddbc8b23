//! Brings together all that booting takes: QEMU, binaries, kernels
//! and the layers of the initramfs.

use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::architecture::Architecture;
use crate::binaries::{self, Binaries};
use crate::initramfs;
use crate::setup::kernels;
use crate::setup::suites::{self, Suite};
use crate::setup::tools::{self, Tools};
use crate::setup::{self, userland};

/// A kernel with what the guest needs beside it.
#[derive(Clone)]
pub(crate) struct BootFiles {
    /// What it runs on.
    pub(crate) architecture: &'static Architecture,
    /// Version of the kernel, for example `6.1.192`.
    pub(crate) version: String,
    /// How many processors it is tested with.
    pub(crate) processors: &'static str,
    /// Its image.
    pub(crate) image: PathBuf,
    /// Layers of the initramfs, but for the project's own.
    pub(crate) layers: Vec<PathBuf>,
    /// What boots it.
    pub(crate) tools: Tools,
}

/// A kernel that was asked for: whether it can be had is its own matter.
pub(crate) struct Request {
    /// The suite that has it.
    pub(crate) suite: Suite,
    /// The version that the user named, if any.
    pub(crate) version: Option<String>,
}

/// What guests are made of and with.
pub(crate) struct Prepared {
    /// What they run.
    pub(crate) binaries: Binaries,
    /// What boots them.
    pub(crate) tools: Tools,
    /// Each kernel, in the order of the requests.
    pub(crate) kernels: Vec<Result<BootFiles>>,
}

/// Sets all up for booting the given kernels.
///
/// Compiling keeps the processor busy and downloading the network, so they
/// run side by side.
pub(crate) fn prepare(
    architecture: &'static Architecture,
    requests: &[Request],
    refresh: bool,
) -> Result<Prepared> {
    let _lock = setup::lock()?;
    thread::scope(|scope| {
        let binaries = scope.spawn(|| binaries::build(architecture));
        let provided = tools::provide(architecture).and_then(|tools| {
            let kernels = provide_kernels(architecture, &tools, requests, refresh)?;
            Ok((tools, kernels))
        });
        let binaries = binaries
            .join()
            .map_err(|_| anyhow!("building the binaries panicked"))?;
        let (binaries, (tools, kernels)) = (binaries?, provided?);
        Ok(Prepared {
            binaries,
            tools,
            kernels,
        })
    })
}

fn provide_kernels(
    architecture: &'static Architecture,
    tools: &Tools,
    requests: &[Request],
    refresh: bool,
) -> Result<Vec<Result<BootFiles>>> {
    let userland = userland::provide(architecture, &userland::BASE)
        .context("the guest's tools cannot be had")?;
    let userland = initramfs::userland_layer(tools, &userland)?;
    let provide = |request: &Request| {
        let version = request.version.as_deref();
        let kernel = kernels::provide(architecture, request.suite, version, refresh)?;
        Ok(BootFiles {
            architecture,
            image: kernel.image()?,
            layers: vec![userland.clone(), initramfs::modules_layer(tools, &kernel)?],
            version: kernel.version,
            processors: request.suite.processors,
            tools: tools.clone(),
        })
    };
    Ok(requests.iter().map(provide).collect())
}

/// Adds the programs that v6trace is measured against.
pub(crate) fn add_peers(files: &mut BootFiles) -> Result<()> {
    add(files, &userland::PEERS).context("the tracers to measure against cannot be had")
}

/// Adds the daemons that only scenarios about them have.
pub(crate) fn add_daemons(files: &mut BootFiles) -> Result<()> {
    add(files, &userland::DAEMONS).context("NetworkManager and FRR cannot be had")
}

fn add(files: &mut BootFiles, programs: &userland::Selection) -> Result<()> {
    let _lock = setup::lock()?;
    let programs = userland::provide(files.architecture, programs)?;
    files
        .layers
        .push(initramfs::extra_layer(&files.tools, &programs)?);
    Ok(())
}

/// The kernel with a Debian that systemd runs, and nothing else.
pub(crate) fn with_debian(files: &BootFiles) -> Result<BootFiles> {
    let _lock = setup::lock()?;
    let debian = userland::provide(files.architecture, &userland::DEBIAN)
        .context("a Debian to install on cannot be had")?;
    Ok(BootFiles {
        layers: vec![initramfs::debian_layer(&files.tools, &debian)?],
        ..files.clone()
    })
}

/// Sets all up for booting one kernel.
pub(crate) fn prepare_one(
    architecture: &'static Architecture,
    wanted: &str,
    refresh: bool,
) -> Result<(Binaries, BootFiles)> {
    // Of several that fit, `6` say, the newest.
    let suite = suites::suites_for(wanted)?
        .pop()
        .with_context(|| format!("no kernel fits {wanted:?}"))?;
    let request = Request {
        suite,
        version: Some(wanted.to_owned()),
    };
    let mut prepared = prepare(architecture, &[request], refresh)?;
    let files = prepared.kernels.pop().context("no kernel was set up")??;
    Ok((prepared.binaries, files))
}
