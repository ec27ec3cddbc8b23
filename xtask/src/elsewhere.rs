//! The half of v6trace that reads recordings, compiled for Windows, with the screen and
//! without: whatever is Linux's own in it is an error there.
//!
//! Nothing of it is linked or run. The standard library comes from the source
//! that the eBPF compiler brings along.

use anyhow::{Result, ensure};

use crate::process;
use crate::setup::compiler;

const TARGET: &str = "x86_64-pc-windows-gnu";

/// Compiles it.
pub(crate) fn compile_for_windows() -> Result<()> {
    for features in ["", "top"] {
        let mut cargo = compiler::find_or_install()?.cargo()?;
        cargo
            .args(["check", "--package", "v6trace"])
            .args(["--no-default-features", "--features", features])
            .args(["--target", TARGET, "-Z", "build-std=std,panic_abort"])
            .args(["--target-dir", "target/elsewhere"]);
        let said = process::messages(&mut cargo)?;
        // What only tracing uses would be in its way.
        ensure!(!said.contains("warning: "), "{said}");
    }
    Ok(())
}
