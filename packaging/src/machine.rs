//! The machine that a program is for, as its own header says.

use anyhow::{Context as _, Result};
use object::{
    Endianness,
    elf::{EM_AARCH64, EM_X86_64, FileHeader64},
    read::elf::FileHeader as _,
};

/// What a machine is called.
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    /// By the kernel and rpm.
    pub(crate) name: &'static str,
    /// By Debian and by what runs containers.
    pub(crate) debian: &'static str,
}

/// The machine that this program is for.
pub(crate) fn of(program: &[u8]) -> Result<Machine> {
    let header = FileHeader64::<Endianness>::parse(program).context("it is no program")?;
    let (name, debian) = match header.e_machine(header.endian()?) {
        EM_X86_64 => ("x86_64", "amd64"),
        EM_AARCH64 => ("aarch64", "arm64"),
        other => anyhow::bail!("no packages are made for its machine ({other})"),
    };
    Ok(Machine { name, debian })
}
