//! A guest that is sent for something: what it prints is collected until it
//! ends well.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::binaries::Binaries;
use crate::console::{self, Line};
use crate::paths;
use crate::prepare::BootFiles;
use crate::qemu::{Job, Machine, Patience};

/// For what takes its time on an emulated processor, compiling a tracing
/// script say.
pub(crate) const LONG: Patience = Patience {
    silence: Duration::from_mins(8),
    whole: Duration::from_hours(2),
};
/// Lines of the console that are repeated when it does not end well.
const REPEATED: usize = 30;

/// Boots a guest and hands its lines of protocol to `take`.
///
/// Fails when the guest does; what it said is repeated.
pub(crate) fn run(
    files: &BootFiles,
    binaries: &Binaries,
    job: &Job,
    log_name: &str,
    patience: Patience,
    mut take: impl FnMut(Line),
) -> Result<()> {
    let mut machine = Machine::boot(files, binaries, job, log_name)?;
    let mut said = Vec::new();
    let end = machine.follow(patience, |line| {
        match console::parse(line) {
            Line::Exit(status) => return Some(Ok(status)),
            Line::Fatal(message) => return Some(Err(message)),
            Line::Text(text) if !text.is_empty() => said.push(text),
            other => take(other),
        }
        None
    });
    let trouble = match end {
        Ok(Ok(0)) => {
            machine.wait_for_end(Duration::from_secs(10));
            return Ok(());
        }
        Ok(Ok(status)) => format!("it failed with status {status}"),
        Ok(Err(message)) => {
            machine.wait_for_end(Duration::from_secs(5));
            format!("the guest's kernel crashed: {message}")
        }
        Err(lost) => lost.to_string(),
    };
    let last = said.len().saturating_sub(REPEATED);
    bail!(
        "{trouble} (console in {}):\n  {}",
        paths::shown(&machine.log),
        said[last..].join("\n  ")
    )
}
