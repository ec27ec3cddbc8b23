//! Compiles the eBPF programs (crate `v6trace-ebpf`) into one object file.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use object::build::elf;

use crate::architecture::Architecture;
use crate::progress::Step;
use crate::setup::compiler;
use crate::{binaries, paths, process};

const TARGET: &str = "bpfel-unknown-none";

/// Debug information for every type, which the linker turns into BTF.
const FLAGS: [&str; 2] = ["-Cdebuginfo=2", "-Clink-arg=--btf"];

/// Builds the object for kernels of the architecture, whose registers hold a traced
/// function's arguments, and returns where it is.
pub(crate) fn build(architecture: &Architecture) -> Result<PathBuf> {
    let mut cargo = cargo(architecture, "build")?;
    let step = Step::start("Building the eBPF programs");
    let directory = directory(architecture);
    binaries::show_warnings(&process::messages(&mut cargo)?);
    let linked = directory.join(TARGET).join("release/v6trace-ebpf");
    let bytes =
        fs::read(&linked).with_context(|| format!("the compiler left no {}", linked.display()))?;
    let object = directory.join("v6trace.bpf.o");
    let stripped = strip(&bytes).with_context(|| format!("cannot strip {}", linked.display()))?;
    // A newer one would have everything that carries it built again.
    if !fs::read(&object).is_ok_and(|old| old == stripped) {
        fs::write(&object, stripped)
            .with_context(|| format!("cannot write {}", object.display()))?;
    }
    step.done();
    Ok(object)
}

/// Compiles the programs and links nothing.
pub(crate) fn check(architecture: &Architecture) -> Result<()> {
    let said = process::messages(&mut cargo(architecture, "check")?)?;
    ensure!(!said.contains("warning: "), "{said}");
    Ok(())
}

fn cargo(architecture: &Architecture, what: &str) -> Result<Command> {
    let mut flags = process::without_places();
    flags.extend(FLAGS.map(str::to_owned));
    flags.push(format!("--cfg=bpf_target_arch=\"{}\"", architecture.name));
    let mut cargo = compiler::find_or_install()?.cargo()?;
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .args([what, "--release", "--package", "v6trace-ebpf"])
        .args(["--target", TARGET, "-Z", "build-std=core"])
        // bpf-linker optimises across crates itself, and takes the BTF from
        // the debug information.
        .args(["--config", "profile.release.lto=false"])
        .args(["--config", "profile.release.debug=2"])
        .args(["--config", "profile.release.strip=false"])
        .arg("--target-dir")
        .arg(directory(architecture));
    Ok(cargo)
}

/// Each has its own: what is made for one would replace what was for another.
fn directory(architecture: &Architecture) -> PathBuf {
    paths::target("ebpf").join(architecture.name)
}

/// Leaves out what only debuggers read: three quarters of the object. The
/// kernel reads types and lines from `.BTF` and `.BTF.ext`.
fn strip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut object = elf::Builder::read(bytes)?;
    for section in &mut object.sections {
        let name = section.name.to_string();
        let name = name.strip_prefix(".rel").unwrap_or(&name);
        section.delete = name.starts_with(".debug");
    }
    // LLVM keeps the sections' names among the symbols'.
    let names = object.sections.add();
    names.name = ".shstrtab".into();
    names.sh_type = object::elf::SHT_STRTAB;
    names.data = elf::SectionData::SectionString;
    object.delete_orphans();
    let mut stripped = Vec::new();
    object.write(&mut stripped)?;
    Ok(stripped)
}
