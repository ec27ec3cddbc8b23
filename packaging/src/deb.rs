//! The package for Debian and its kin, which dpkg-deb makes.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    Named,
    about::{DESCRIPTION, NAME, SUMMARY, VERSION},
    files::{Effort, File},
    machine::Machine,
};

/// What dpkg runs.
const SCRIPTS: [(&str, &str); 3] = [
    ("postinst", include_str!("../debian/postinst")),
    ("prerm", include_str!("../debian/prerm")),
    ("postrm", include_str!("../debian/postrm")),
];

/// Makes it, with `directory` as the place to lay it out.
pub(crate) fn of(
    files: &[File],
    machine: Machine,
    epoch: u64,
    effort: Effort,
    directory: &Path,
) -> Result<Named> {
    let root = directory.join(machine.debian);
    let put = |path: &str, content: &[u8], mode| {
        put(&root, Path::new(path), content, mode)
            .with_context(|| format!("cannot write {path} in {}", root.display()))
    };
    for file in files {
        // Its zsh looks there for what comes in packages, others do here.
        let path = file
            .path
            .replace("zsh/site-functions", "zsh/vendor-completions");
        put(&path, &file.content, file.mode().into())?;
    }
    put("DEBIAN/control", control(files, machine).as_bytes(), 0o644)?;
    for (name, script) in SCRIPTS {
        put(&format!("DEBIAN/{name}"), script.as_bytes(), 0o755)?;
    }
    let name = format!("{NAME}_{VERSION}-1_{}.deb", machine.debian);
    let made = directory.join(&name);
    let compression = match effort {
        Effort::Most => "-Zxz",
        Effort::Least => "-Znone",
    };
    let output = Command::new("dpkg-deb")
        // It gives no file a later time than this.
        .env("SOURCE_DATE_EPOCH", epoch.to_string())
        .args(["--build", "--root-owner-group", compression])
        .args([&root, &made])
        .stdin(Stdio::null())
        .output()
        .context("cannot run dpkg-deb")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "dpkg-deb failed: {said}");
    Ok((name, fs::read(&made)?))
}

/// Writes a file below `root`; whoever packs may have any umask.
fn put(root: &Path, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let permit = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    for directory in path.ancestors().skip(1) {
        let directory = root.join(directory);
        fs::create_dir_all(&directory)?;
        permit(&directory, 0o755)?;
    }
    let path = root.join(path);
    fs::write(&path, content)?;
    permit(&path, mode)
}

fn control(files: &[File], machine: Machine) -> String {
    let bytes: usize = files.iter().map(|file| file.content.len()).sum();
    let kib = bytes.div_ceil(1024);
    let architecture = machine.debian;
    let description = DESCRIPTION.replace('\n', "\n ");
    format!(
        "Package: {NAME}\nVersion: {VERSION}-1\nArchitecture: {architecture}\n\
         Maintainer: the v6trace authors <v6trace@localhost>\nInstalled-Size: {kib}\n\
         Section: net\nPriority: optional\nDescription: {SUMMARY}\n {description}\n"
    )
}
