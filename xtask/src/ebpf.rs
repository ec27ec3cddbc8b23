//! Compiles the eBPF programs (crate `v6trace-ebpf`) into one object file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::progress::Step;
use crate::setup::compiler;
use crate::{binaries, paths, process};

const TARGET: &str = "bpfel-unknown-none";

/// Debug information for every type, which the linker turns into BTF, and
/// the architecture whose registers hold a traced function's arguments.
const FLAGS: [&str; 3] = [
    "-Cdebuginfo=2",
    "-Clink-arg=--btf",
    "--cfg=bpf_target_arch=\"x86_64\"",
];

/// Builds the object and returns where it is.
pub(crate) fn build() -> Result<PathBuf> {
    let compiler = compiler::find_or_install()?;
    let step = Step::start("Building the eBPF programs");
    let directory = paths::target("ebpf");
    let mut cargo = compiler.cargo()?;
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))
        .args(["build", "--release", "--package", "v6trace-ebpf"])
        .args(["--target", TARGET, "-Z", "build-std=core"])
        // bpf-linker optimises across crates itself, and takes the BTF from
        // the debug information.
        .args(["--config", "profile.release.lto=false"])
        .args(["--config", "profile.release.debug=2"])
        .args(["--config", "profile.release.strip=false"])
        .arg("--target-dir")
        .arg(&directory);
    binaries::show_warnings(&process::messages(&mut cargo)?);
    let object = directory.join(TARGET).join("release/v6trace-ebpf");
    ensure!(
        fs::metadata(&object).is_ok_and(|metadata| metadata.len() > 0),
        "the compiler left no {}",
        object.display()
    );
    step.done();
    Ok(object)
}
