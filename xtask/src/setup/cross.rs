//! Cargo for each architecture: that of this machine with the toolchain that runs this
//! task; others with the compiler of the eBPF programs, which brings the source of the
//! standard library, and Debian's cross linker and C library.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{compiler, host};
use crate::architecture::{Architecture, OWN};
use crate::{paths, process};

/// A cargo that builds static programs for it, into [`directory`].
pub(crate) fn cargo(architecture: &Architecture) -> Result<Command> {
    let target = architecture.target();
    let mut flags = process::without_places();
    flags.push("-Ctarget-feature=+crt-static".to_owned());
    let mut cargo = if architecture == OWN {
        let mut cargo = process::cargo();
        cargo.arg("build");
        cargo
    } else {
        let triplet = architecture.triplet();
        let what_for = format!("linking for {}", architecture.name);
        let library = format!("libc6-dev-{}-cross", architecture.debian);
        host::install(&[format!("gcc-{triplet}"), library], &what_for)?;
        let mut cargo = compiler::find_or_install()?.cargo()?;
        let linker = target.to_uppercase().replace('-', "_");
        cargo
            .env(
                format!("CARGO_TARGET_{linker}_LINKER"),
                format!("{triplet}-gcc"),
            )
            .args(["build", "-Z", "build-std=std"]);
        cargo
    };
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .args(["--release", "--target", &target])
        .arg("--target-dir")
        .arg(directory(architecture));
    Ok(cargo)
}

/// Where a built program is.
pub(crate) fn binary(architecture: &Architecture, name: &str) -> PathBuf {
    let built = directory(architecture).join(architecture.target());
    built.join("release").join(name)
}

/// Compilers of other versions do not share what they made.
fn directory(architecture: &Architecture) -> PathBuf {
    paths::target(if architecture == OWN { "" } else { "elsewhere" })
}
