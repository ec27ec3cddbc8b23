//! Packs what a guest boots into: an initramfs of three layers.
//!
//! The kernel unpacks concatenated cpio archives one after the other, so the
//! layers that seldom change (userland, modules of a kernel) are packed once
//! and kept in `target/guest/ARCHITECTURE/layers`; the project's own layer (binaries and
//! job) is packed for every boot. All are uncompressed: in an emulator,
//! reading memory is quicker than decompressing.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::architecture::Architecture;
use crate::binaries::Binaries;
use crate::setup::kernels::Kernel;
use crate::setup::tools::Tools;
use crate::setup::userland::Userland;
use crate::{modules, paths, rootfs};

/// Raised when the way a layer is packed changes, so that old ones are not
/// used any more.
const LAYOUT: u32 = 2;

/// Packs the base userland unless that was done; returns the archive.
pub(crate) fn userland_layer(tools: &Tools, userland: &Userland) -> Result<PathBuf> {
    let layers = layers(userland.architecture);
    layer(tools, &layers, userland.name, &userland.key, |root| {
        rootfs::fill(tools, userland, root)
    })
}

/// Packs a whole Debian unless that was done; returns the archive.
pub(crate) fn debian_layer(tools: &Tools, debian: &Userland) -> Result<PathBuf> {
    let layers = layers(debian.architecture);
    layer(tools, &layers, debian.name, &debian.key, |root| {
        rootfs::fill_debian(debian, root)
    })
}

/// Packs programs that some guests have beside the base userland, unless that
/// was done; returns the archive.
pub(crate) fn extra_layer(tools: &Tools, userland: &Userland) -> Result<PathBuf> {
    let layers = layers(userland.architecture);
    layer(tools, &layers, userland.name, &userland.key, |root| {
        rootfs::add_programs(userland, root)
    })
}

/// Packs a kernel's modules unless that was done; returns the archive.
pub(crate) fn modules_layer(tools: &Tools, kernel: &Kernel) -> Result<PathBuf> {
    let unpacked = kernel.directory.file_name().unwrap_or_default();
    let name = format!("modules-{}", unpacked.to_string_lossy());
    let layers = layers(kernel.architecture);
    layer(tools, &layers, &name, &modules::WANTED.join(" "), |root| {
        let directory = root.join("modules");
        paths::make_dir(&directory)?;
        let mut order = String::new();
        for module in modules::load(tools, &kernel.version, &kernel.modules()?)? {
            let file = format!("{}.ko", module.name);
            paths::write(&directory.join(&file), module.content)?;
            order += &file;
            order.push('\n');
        }
        paths::write(&directory.join("order"), order)
    })
}

/// Fills the project's own layer: the binaries, the job's arguments and, if there is
/// one, the script.
pub(crate) fn fill_own(
    root: &Path,
    binaries: &Binaries,
    job: &[String],
    script: Option<&Path>,
) -> Result<()> {
    paths::copy(&binaries.guest, &root.join("init"), 0o755)?;
    paths::copy(&binaries.v6trace, &root.join("usr/bin/v6trace"), 0o755)?;
    let job: String = job.iter().flat_map(|word| [word, "\n"]).collect();
    paths::write(&root.join("job"), job)?;
    if let Some(script) = script {
        paths::copy(script, &root.join("script"), 0o755)?;
    }
    Ok(())
}

/// Writes a complete initramfs to `target`: the given layers, and the one that `fill`
/// makes.
pub(crate) fn assemble(
    tools: &Tools,
    target: &Path,
    layers: &[PathBuf],
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let root = target.with_extension("root");
    paths::make_empty_dir(&root)?;
    fill(&root)?;
    let project = target.with_extension("project");
    pack(tools, &root, &project)?;
    paths::remove_dir(&root)?;

    let failed = || format!("cannot write {}", target.display());
    let mut whole = File::create(target).with_context(failed)?;
    for layer in layers.iter().chain([&project]) {
        let mut part =
            File::open(layer).with_context(|| format!("cannot open {}", layer.display()))?;
        io::copy(&mut part, &mut whole).with_context(failed)?;
    }
    fs::remove_file(&project).with_context(|| format!("cannot remove {}", project.display()))
}

fn layers(architecture: &Architecture) -> PathBuf {
    architecture.guest("layers")
}

/// Fills and packs a directory, unless the same was packed before: `key`
/// stands for everything the content depends on.
fn layer(
    tools: &Tools,
    directory: &Path,
    name: &str,
    key: &str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let archive = directory.join(format!("{name}.cpio"));
    let stamp = directory.join(format!("{name}.key"));
    let key = format!("layout {LAYOUT} {key}");
    if archive.is_file() && fs::read_to_string(&stamp).is_ok_and(|packed| packed == key) {
        return Ok(archive);
    }
    let root = directory.join(format!("{name}.root"));
    paths::make_empty_dir(&root)?;
    fill(&root).with_context(|| format!("cannot pack the guest's {name}"))?;
    pack(tools, &root, &archive)?;
    paths::remove_dir(&root)?;
    paths::write(&stamp, key)?;
    Ok(archive)
}

/// Packs a directory tree, everything owned by root.
fn pack(tools: &Tools, root: &Path, archive: &Path) -> Result<()> {
    let mut names = BTreeSet::new();
    list(root, Path::new(""), &mut names)?;
    let file =
        File::create(archive).with_context(|| format!("cannot create {}", archive.display()))?;
    let mut cpio = tools
        .command("cpio")
        .args([
            "--create",
            "--format=newc",
            "--owner=0:0",
            "--reproducible",
            "--quiet",
            "--null",
        ])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(file)
        .spawn()
        .context("cannot run cpio")?;
    if let Some(mut input) = cpio.stdin.take() {
        for name in names {
            input.write_all(name.to_string_lossy().as_bytes())?;
            input.write_all(b"\0")?;
        }
    }
    let status = cpio.wait()?;
    ensure!(status.success(), "cpio failed ({status})");
    Ok(())
}

/// Lists a tree by relative names; sorted, parents come before their content.
fn list(root: &Path, below: &Path, names: &mut BTreeSet<PathBuf>) -> Result<()> {
    let directory = root.join(below);
    let entries =
        fs::read_dir(&directory).with_context(|| format!("cannot list {}", directory.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            // Whatever the user's umask: a guest's daemons are not all root.
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755))?;
            list(root, &name, names)?;
        }
        names.insert(name);
    }
    Ok(())
}
