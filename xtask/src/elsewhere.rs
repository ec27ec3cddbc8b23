//! What CI does not run is compiled at least: the half of v6trace that reads recordings for
//! Windows, with the screen and without, where whatever is Linux's own in it is an error; and
//! both sides of what traces for aarch64.
//!
//! Nothing of it is linked. The standard library comes from the source that the eBPF
//! compiler brings along.

use anyhow::{Result, ensure};

use crate::architecture::AARCH64;
use crate::setup::compiler;
use crate::{ebpf, process};

const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// Compiles what reads recordings for Windows.
pub(crate) fn compile_for_windows() -> Result<()> {
    for features in ["", "top"] {
        check(WINDOWS, &["--no-default-features", "--features", features])?;
    }
    Ok(())
}

/// Compiles what traces for aarch64.
pub(crate) fn compile_for_aarch64() -> Result<()> {
    ebpf::check(&AARCH64)?;
    check(&AARCH64.target(), &[])
}

fn check(target: &str, more: &[&str]) -> Result<()> {
    let mut cargo = compiler::find_or_install()?.cargo()?;
    cargo
        .args(["check", "--package", "v6trace", "--target", target])
        .args(["-Z", "build-std=std,panic_abort"])
        .args(["--target-dir", "target/elsewhere"])
        .args(more);
    let said = process::messages(&mut cargo)?;
    // What only tracing uses would be in its way.
    ensure!(!said.contains("warning: "), "{said}");
    Ok(())
}
