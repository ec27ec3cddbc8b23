//! Brings together all that booting takes: QEMU, binaries, kernels
//! and the layers of the initramfs.

use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::binaries::{self, Binaries};
use crate::initramfs;
use crate::setup::kernels;
use crate::setup::suites::{self, Suite};
use crate::setup::tools::{self, Tools};
use crate::setup::{self, userland};

/// A kernel with what the guest needs beside it.
pub(crate) struct BootFiles {
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

/// Sets all up for booting the given kernels; the result for each kernel is
/// in the order of `requests`.
///
/// Compiling keeps the processor busy and downloading the network, so they
/// run side by side.
pub(crate) fn prepare(
    requests: &[Request],
    refresh: bool,
) -> Result<(Binaries, Vec<Result<BootFiles>>)> {
    let _lock = setup::lock()?;
    thread::scope(|scope| {
        let binaries = scope.spawn(binaries::build);
        let kernels = provide_kernels(requests, refresh);
        let binaries = binaries
            .join()
            .map_err(|_| anyhow!("building the binaries panicked"))?;
        Ok((binaries?, kernels?))
    })
}

fn provide_kernels(requests: &[Request], refresh: bool) -> Result<Vec<Result<BootFiles>>> {
    let tools = tools::provide()?;
    let userland = userland::provide(&userland::BASE).context("the guest's tools cannot be had")?;
    let userland = initramfs::userland_layer(&tools, &userland)?;
    let provide = |request: &Request| {
        let kernel = kernels::provide(request.suite, request.version.as_deref(), refresh)?;
        Ok(BootFiles {
            image: kernel.image()?,
            layers: vec![userland.clone(), initramfs::modules_layer(&tools, &kernel)?],
            version: kernel.version,
            processors: request.suite.processors,
            tools: tools.clone(),
        })
    };
    Ok(requests.iter().map(provide).collect())
}

/// Adds the programs that v6trace is measured against.
pub(crate) fn add_peers(files: &mut BootFiles) -> Result<()> {
    let _lock = setup::lock()?;
    let peers = userland::provide(&userland::PEERS)
        .context("the tracers to measure against cannot be had")?;
    files
        .layers
        .push(initramfs::extra_layer(&files.tools, &peers)?);
    Ok(())
}

/// Sets all up for booting one kernel.
pub(crate) fn prepare_one(wanted: &str, refresh: bool) -> Result<(Binaries, BootFiles)> {
    // Of several that fit, `6` say, the newest.
    let suite = suites::suites_for(wanted)?
        .pop()
        .with_context(|| format!("no kernel fits {wanted:?}"))?;
    let request = Request {
        suite,
        version: Some(wanted.to_owned()),
    };
    let (binaries, mut kernels) = prepare(&[request], refresh)?;
    let files = kernels.pop().context("no kernel was set up")??;
    Ok((binaries, files))
}
