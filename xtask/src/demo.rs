//! The task `demo`: shows what v6trace says when the kernel fails.

use std::process::ExitCode;

use anyhow::Result;

use crate::interactive::{self, Task};
use crate::prepare;

/// Boots `kernel` and runs the demonstration that is built into the guest.
pub(crate) fn task(kernel: &str, refresh: bool) -> Result<ExitCode> {
    let (binaries, files) = prepare::prepare_one(kernel, refresh)?;
    interactive::run(&files, &binaries, &Task::Demo)
}
