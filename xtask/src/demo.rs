//! The task `demo`: shows what v6trace says when the kernel fails.

use std::process::ExitCode;

use anyhow::Result;

use crate::prepare;
use crate::session::{self, Task};

/// Boots `kernel` and runs the demonstration that is built into the guest.
pub(crate) fn task(kernel: &str, refresh: bool) -> Result<ExitCode> {
    let (binaries, files) = prepare::prepare_one(kernel, refresh)?;
    session::run(&files, &binaries, &Task::Demo)
}
