//! Compiles the eBPF programs (crate `v6trace-ebpf`) into one object file.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
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

/// Leaves out what only debuggers read, nine tenths of the object: the kernel is given the
/// types from `.BTF` and the functions from `.BTF.ext`. The lines of the source, which a
/// kernel would show where it refuses a program, are left out: they were most of v6trace's
/// memory at a start. What would relocate these two sections nobody reads.
fn strip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut object = elf::Builder::read(bytes)?;
    for section in &mut object.sections {
        let name = section.name.to_string();
        let relocated = name.strip_prefix(".rel");
        section.delete = relocated.unwrap_or(&name).starts_with(".debug")
            || relocated.is_some_and(|name| name.starts_with(".BTF"));
        if name == ".BTF.ext" {
            let elf::SectionData::Data(data) = &mut section.data else {
                bail!(".BTF.ext is no plain data");
            };
            *data = functions_alone(data)?.into();
        }
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

/// `.BTF.ext` (`struct btf_ext_header` and what it says) without lines, which follow the
/// functions. Relocations by the kernel's BTF would be lost, and v6trace applies none: there
/// must be none.
fn functions_alone(info: &[u8]) -> Result<Vec<u8>> {
    const LENGTH: usize = 4;
    const FUNCTIONS: usize = 8;
    const FUNCTIONS_LENGTH: usize = 12;
    const OTHERS: usize = 16;
    const RELOCATIONS_LENGTH: usize = 28;
    let word = |at: usize| -> Result<usize> {
        let bytes = info.get(at..).and_then(|bytes| bytes.first_chunk());
        let bytes = bytes.context(".BTF.ext is cut")?;
        Ok(usize::try_from(u32::from_le_bytes(*bytes))?)
    };
    let length = word(LENGTH)?;
    ensure!(
        length <= RELOCATIONS_LENGTH || word(RELOCATIONS_LENGTH)? == 0,
        "the programs have relocations by BTF, which nobody would apply"
    );
    let end = length + word(FUNCTIONS)? + word(FUNCTIONS_LENGTH)?;
    let mut kept = info.get(..end).context(".BTF.ext is cut")?.to_vec();
    let others = kept.get_mut(OTHERS..length);
    others.context(".BTF.ext has a short header")?.fill(0);
    Ok(kept)
}
