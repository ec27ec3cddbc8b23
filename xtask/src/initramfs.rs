//! Packs what a guest boots into: an initramfs of three layers.
//!
//! The kernel unpacks concatenated cpio archives one after the other, so the
//! layers that seldom change (userland, modules of a kernel) are packed once
//! and kept in `target/guest/layers`; the project's own layer (binaries and
//! job) is packed for every boot. All are uncompressed: in an emulator,
//! reading memory is quicker than decompressing.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::binaries::Binaries;
use crate::setup::kernels::Kernel;
use crate::setup::libraries;
use crate::setup::tools::Tools;
use crate::setup::userland::Userland;
use crate::{modules, paths, process};

/// Where programs are looked for, in packages.
const PROGRAM_DIRECTORIES: [&str; 4] = ["bin", "usr/bin", "sbin", "usr/sbin"];

/// Raised when the way a layer is packed changes, so that old ones are not
/// used any more.
const LAYOUT: u32 = 1;

/// Packs the userland unless that was done; returns the archive.
pub(crate) fn userland_layer(tools: &Tools, userland: &Userland) -> Result<PathBuf> {
    layer(tools, "userland", &userland.key, |root| {
        let programs = install_programs(&userland.tools, root)?;
        let roots = [userland.tools.as_path(), userland.libraries.as_path()];
        for (name, file) in libraries::closure(&programs, &roots)? {
            copy(
                &file,
                &root.join("usr/lib/x86_64-linux-gnu").join(name),
                0o755,
            )?;
        }
        // The dynamic loader, where programs expect it.
        paths::make_dir(&root.join("usr/lib64"))?;
        link(
            "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            &root.join("usr/lib64/ld-linux-x86-64.so.2"),
        )?;
        for directory in ["bin", "sbin", "lib", "lib64"] {
            link(&format!("usr/{directory}"), &root.join(directory))?;
        }
        install_configuration(&userland.tools, root)?;
        install_busybox_applets(root)
    })
}

/// Packs a kernel's modules unless that was done; returns the archive.
pub(crate) fn modules_layer(tools: &Tools, kernel: &Kernel) -> Result<PathBuf> {
    let unpacked = kernel.directory.file_name().unwrap_or_default();
    let name = format!("modules-{}", unpacked.to_string_lossy());
    layer(tools, &name, &modules::WANTED.join(" "), |root| {
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

/// Writes a complete initramfs to `target`: the given layers, the binaries,
/// the job's arguments and, if there is one, the script.
pub(crate) fn assemble(
    tools: &Tools,
    target: &Path,
    layers: &[PathBuf],
    binaries: &Binaries,
    job: &[String],
    script: Option<&Path>,
) -> Result<()> {
    let root = target.with_extension("root");
    paths::make_empty_dir(&root)?;
    copy(&binaries.guest, &root.join("init"), 0o755)?;
    copy(&binaries.v6trace, &root.join("usr/bin/v6trace"), 0o755)?;
    let job: String = job.iter().flat_map(|word| [word, "\n"]).collect();
    paths::write(&root.join("job"), job)?;
    if let Some(script) = script {
        copy(script, &root.join("script"), 0o755)?;
    }
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

/// Fills and packs a directory, unless the same was packed before: `key`
/// stands for everything the content depends on.
fn layer(
    tools: &Tools,
    name: &str,
    key: &str,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let directory = paths::guest("layers");
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

/// Copies all programs of the packages; returns the copies.
fn install_programs(tools: &Path, root: &Path) -> Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for directory in PROGRAM_DIRECTORIES {
        let Ok(entries) = fs::read_dir(tools.join(directory)) else {
            continue;
        };
        let target = root.join("usr").join(directory.trim_start_matches("usr/"));
        for entry in entries.flatten() {
            let copied = target.join(entry.file_name());
            if entry.file_type()?.is_symlink() {
                paths::make_dir(&target)?;
                link(&fs::read_link(entry.path())?.to_string_lossy(), &copied)?;
            } else {
                copy(&entry.path(), &copied, 0o755)?;
                programs.push(copied);
            }
        }
    }
    Ok(programs)
}

/// The packages' own configuration, and the few files that every Unix has.
fn install_configuration(tools: &Path, root: &Path) -> Result<()> {
    copy_tree(&tools.join("etc"), &root.join("etc"))?;
    let files = [
        (
            "passwd",
            "root:x:0:0:root:/root:/bin/bash\nradvd:x:100:65534::/run/radvd:/bin/false\n\
             nobody:x:65534:65534:nobody:/:/bin/false\n",
        ),
        ("group", "root:x:0:\nnogroup:x:65534:\n"),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files\nprotocols: files\n",
        ),
        (
            "protocols",
            "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6 41 IPv6\nipv6-icmp 58 IPv6-ICMP\n",
        ),
        (
            "hosts",
            "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n",
        ),
    ];
    for (name, content) in files {
        paths::write(&root.join("etc").join(name), content)?;
    }
    paths::make_dir(&root.join("root"))
}

/// Lets busybox stand in for every tool that no package brought.
fn install_busybox_applets(root: &Path) -> Result<()> {
    let bin = root.join("usr/bin");
    link("bash", &bin.join("sh"))?;
    let applets = process::output(Command::new(bin.join("busybox")).arg("--list"))?;
    for applet in applets.lines() {
        let there = ["usr/bin", "usr/sbin"]
            .iter()
            .any(|directory| root.join(directory).join(applet).symlink_metadata().is_ok());
        if !there {
            link("busybox", &bin.join(applet))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let failed = || format!("cannot copy {} to {}", from.display(), to.display());
    if let Some(parent) = to.parent() {
        paths::make_dir(parent)?;
    }
    fs::copy(from, to).with_context(failed)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).with_context(failed)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    paths::make_dir(to)?;
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            copy(&entry.path(), &target, 0o644)?;
        }
    }
    Ok(())
}

fn link(to: &str, at: &Path) -> Result<()> {
    symlink(to, at).with_context(|| format!("cannot link {} to {to}", at.display()))
}
