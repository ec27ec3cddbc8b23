//! The task `demo`: shows what v6trace says when the kernel fails.

use std::process::ExitCode;

use anyhow::Result;

use crate::architecture::Architecture;
use crate::interactive::{self, Task};
use crate::prepare;

/// Boots `kernel` and runs the demonstration that is built into the guest.
pub(crate) fn task(
    architecture: &'static Architecture,
    kernel: &str,
    refresh: bool,
) -> Result<ExitCode> {
    let (binaries, files) = prepare::prepare_one(architecture, kernel, refresh)?;
    interactive::run(&files, &binaries, &Task::Demo)
}
