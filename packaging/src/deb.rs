//! The package for Debian and its kin, which dpkg-deb makes.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    Named,
    about::{DESCRIPTION, NAME, SUMMARY, VERSION},
    files::File,
};

/// What dpkg runs.
const SCRIPTS: [(&str, &str); 3] = [
    ("postinst", include_str!("../debian/postinst")),
    ("prerm", include_str!("../debian/prerm")),
    ("postrm", include_str!("../debian/postrm")),
];

/// Makes it, with `directory` as the place to lay it out.
pub(crate) fn of(files: &[File], epoch: u64, directory: &Path) -> Result<Named> {
    let root = directory.join("deb");
    for file in files {
        put(&root.join(&file.path), &file.content, file.mode().into())?;
    }
    put(
        &root.join("DEBIAN/control"),
        control(files).as_bytes(),
        0o644,
    )?;
    for (name, script) in SCRIPTS {
        put(&root.join("DEBIAN").join(name), script.as_bytes(), 0o755)?;
    }
    let name = format!("{NAME}_{VERSION}-1_amd64.deb");
    let made = directory.join(&name);
    let output = Command::new("dpkg-deb")
        // It gives no file a later time than this.
        .env("SOURCE_DATE_EPOCH", epoch.to_string())
        .args(["--build", "--root-owner-group", "-Zxz"])
        .args([&root, &made])
        .stdin(Stdio::null())
        .output()
        .context("cannot run dpkg-deb")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "dpkg-deb failed: {said}");
    Ok((name, fs::read(&made)?))
}

fn put(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(failed)?;
    }
    fs::write(path, content).with_context(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).with_context(failed)
}

fn control(files: &[File]) -> String {
    let bytes: usize = files.iter().map(|file| file.content.len()).sum();
    let kib = bytes.div_ceil(1024);
    let description = DESCRIPTION.replace('\n', "\n ");
    format!(
        "Package: {NAME}\nVersion: {VERSION}-1\nArchitecture: amd64\n\
         Maintainer: the v6trace authors <v6trace@localhost>\nInstalled-Size: {kib}\n\
         Section: net\nPriority: optional\nDescription: {SUMMARY}\n {description}\n"
    )
}
