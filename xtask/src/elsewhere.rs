//! The half of v6trace that reads recordings, compiled for Windows: whatever is
//! Linux's own in it is an error there.
//!
//! Nothing of it is linked or run. The standard library comes from the source
//! that the eBPF compiler brings along; only zstd needs a C compiler.

use anyhow::{Result, ensure};

use crate::process;
use crate::setup::{compiler, host};

const TARGET: &str = "x86_64-pc-windows-gnu";
const C_COMPILER: &str = "gcc-mingw-w64-x86-64-win32";

/// Compiles it.
pub(crate) fn compile_for_windows() -> Result<()> {
    host::install(&[C_COMPILER.to_owned()], "compiling for Windows")?;
    let mut cargo = compiler::find_or_install()?.cargo()?;
    cargo
        // Nobody runs it, so nothing is gained by making it fast.
        .env("CFLAGS_x86_64_pc_windows_gnu", "-O0")
        .args(["check", "--package", "v6trace"])
        .args(["--no-default-features", "--target", TARGET])
        .args(["-Z", "build-std=std,panic_abort"])
        .args(["--target-dir", "target/elsewhere"]);
    let said = process::messages(&mut cargo)?;
    // What only tracing uses would be in its way.
    ensure!(!said.contains("warning: "), "{said}");
    Ok(())
}
