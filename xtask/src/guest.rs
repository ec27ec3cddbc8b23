//! The task `guest`: a guest to try things in.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::architecture::Architecture;
use crate::interactive::{self, Task};
use crate::{prepare, progress};

/// Boots `kernel` and runs the script there, or a shell.
pub(crate) fn task(
    architecture: &'static Architecture,
    kernel: &str,
    script: Option<&Path>,
    daemons: bool,
    refresh: bool,
) -> Result<ExitCode> {
    if let Some(script) = script {
        ensure!(script.is_file(), "there is no script {}", script.display());
    }
    let (binaries, mut files) = prepare::prepare_one(architecture, kernel, refresh)?;
    if daemons {
        prepare::add_daemons(&mut files)?;
    }
    let task = match script {
        Some(script) => Task::Script(script),
        None => Task::Shell,
    };
    if script.is_none() && std::io::stdin().is_terminal() {
        progress::say(&format!(
            "Booting Linux {} (leave with `exit`; Ctrl-A x ends a guest that hangs)",
            files.version
        ));
    }
    interactive::run(&files, &binaries, &task)
}
