//! A guest that is sent for something: what it prints is collected until it
//! ends well.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::binaries::Binaries;
use crate::console::{self, Line, Lines};
use crate::paths;
use crate::prepare::BootFiles;
use crate::qemu::{Job, Machine, Output};

/// Longest time without a line on the console: a compiler of tracing scripts
/// takes its time on an emulated processor.
const SILENCE: Duration = Duration::from_mins(8);
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
    mut take: impl FnMut(Line),
) -> Result<()> {
    let machine = Machine::boot(files, binaries, job, log_name)?;
    let mut said = Vec::new();
    let mut lines = Lines::default();
    loop {
        let bytes = match machine.read(SILENCE) {
            Output::Bytes(bytes) => bytes,
            Output::Silence => bail!("the guest hung{}", console_of(&machine, &said)),
            Output::End => bail!("the guest ended early{}", console_of(&machine, &said)),
        };
        for line in lines.push(&bytes) {
            match console::parse(&line) {
                Line::Exit(0) => {
                    machine.wait_for_end(Duration::from_secs(10));
                    return Ok(());
                }
                Line::Exit(status) => bail!(
                    "it failed with status {status}{}",
                    console_of(&machine, &said)
                ),
                Line::Fatal(message) => {
                    machine.wait_for_end(Duration::from_secs(5));
                    bail!(
                        "the guest's kernel crashed: {message}{}",
                        console_of(&machine, &said)
                    )
                }
                Line::Text(text) if !text.is_empty() => said.push(text),
                other => take(other),
            }
        }
    }
}

fn console_of(machine: &Machine, said: &[String]) -> String {
    let last = said.len().saturating_sub(REPEATED);
    format!(
        " (console in {}):\n  {}",
        paths::shown(&machine.log),
        said[last..].join("\n  ")
    )
}
