//! Fills the guest's root directory: the programs of the userland's packages
//! with the libraries they load, a little configuration, and busybox for
//! whatever is left.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::setup::libraries;
use crate::setup::tools::Tools;
use crate::setup::userland::Userland;
use crate::{paths, process};

/// Where programs are looked for, in packages.
const PROGRAM_DIRECTORIES: [&str; 4] = ["bin", "usr/bin", "sbin", "usr/sbin"];

/// Copies what a guest needs of the base userland below `root`.
pub(crate) fn fill(tools: &Tools, userland: &Userland, root: &Path) -> Result<()> {
    add_programs(userland, root)?;
    // The dynamic loader, where programs expect it.
    paths::make_dir(&root.join("usr/lib64"))?;
    let loader = Path::new("usr").join(userland.architecture.loader);
    let name = loader.file_name().unwrap_or_default().to_string_lossy();
    let triplet = userland.architecture.triplet();
    link(&format!("../lib/{triplet}/{name}"), &root.join(&loader))?;
    merge_directories(root)?;
    install_configuration(&userland.tools, root)?;
    install_busybox_applets(tools, userland, root)
}

/// Copies a whole Debian below `root`, with the little of what its packages set up where
/// they are installed that it takes to boot.
pub(crate) fn fill_debian(userland: &Userland, root: &Path) -> Result<()> {
    merge_directories(root)?;
    for packages in [&userland.tools, &userland.libraries] {
        copy_tree(packages, root)?;
    }
    let share = root.join("usr/share");
    for unread in ["doc", "info", "locale", "man"] {
        paths::remove_dir(&share.join(unread))?;
    }
    let etc = root.join("etc");
    for (name, from) in [
        ("passwd", "base-passwd/passwd.master"),
        ("group", "base-passwd/group.master"),
        ("nsswitch.conf", "libc-bin/nsswitch.conf"),
    ] {
        paths::copy(&share.join(from), &etc.join(name), 0o644)?;
    }
    for directory in ["run", "lock"] {
        paths::remove_dir(&root.join("var").join(directory))?;
    }
    link("../run", &root.join("var/run"))?;
    link("../run/lock", &root.join("var/lock"))?;
    // It has booted before, and has no package installed that dpkg knows of.
    paths::write(&etc.join("machine-id"), "")?;
    paths::write(&root.join("var/lib/dpkg/status"), "")?;
    link("/lib/systemd/systemd", &root.join("init"))
}

/// Makes what is in `/usr` be in `/` as well.
fn merge_directories(root: &Path) -> Result<()> {
    for directory in ["bin", "sbin", "lib", "lib64"] {
        paths::make_dir(&root.join("usr").join(directory))?;
        link(&format!("usr/{directory}"), &root.join(directory))?;
    }
    Ok(())
}

/// Copies the programs of a userland and the libraries they load below `root`.
pub(crate) fn add_programs(userland: &Userland, root: &Path) -> Result<()> {
    let mut programs = install_programs(&userland.tools, root)?;
    for program in &userland.single {
        let copied = root.join("usr").join(program.trim_start_matches("usr/"));
        paths::copy(&userland.libraries.join(program), &copied, 0o755)?;
        programs.push(copied);
    }
    let roots = [userland.tools.as_path(), userland.libraries.as_path()];
    let triplet = userland.architecture.triplet();
    let directory = root.join("usr/lib").join(&triplet);
    for (name, file) in libraries::closure(&programs, &triplet, &roots)? {
        paths::copy(&file, &directory.join(name), 0o755)?;
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
                paths::copy(&entry.path(), &copied, 0o755)?;
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
             systemd-network:x:101:101::/run/systemd:/bin/false\n\
             sshd:x:102:65534::/run/sshd:/bin/false\n\
             frr:x:103:103::/run/frr:/bin/false\n\
             nobody:x:65534:65534:nobody:/:/bin/false\n",
        ),
        (
            "group",
            "root:x:0:\nsystemd-network:x:101:\nfrr:x:103:\nfrrvty:x:104:frr\n\
             nogroup:x:65534:\n",
        ),
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
fn install_busybox_applets(tools: &Tools, userland: &Userland, root: &Path) -> Result<()> {
    let bin = root.join("usr/bin");
    link("bash", &bin.join("sh"))?;
    let applets = process::output(
        tools
            .run(userland.architecture, &bin.join("busybox"))
            .arg("--list"),
    )?;
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

/// Copies a tree, with its links and its files' modes, onto one that may be there.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    paths::make_dir(to)?;
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            link(&fs::read_link(entry.path())?.to_string_lossy(), &target)?;
        } else {
            let mode = entry.metadata()?.permissions().mode();
            paths::copy(&entry.path(), &target, mode)?;
        }
    }
    Ok(())
}

fn link(to: &str, at: &Path) -> Result<()> {
    symlink(to, at).with_context(|| format!("cannot link {} to {to}", at.display()))
}
