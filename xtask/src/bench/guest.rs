//! Boots a guest that measures, and collects the figures it prints.

use std::time::Duration;

use anyhow::{Result, bail};

use super::Part;
use super::figures::Figure;
use crate::binaries::Binaries;
use crate::console::{self, Line, Lines};
use crate::paths;
use crate::prepare::BootFiles;
use crate::progress::{self, Step};
use crate::qemu::{Job, Machine, Output};

/// Longest time without a line on the console: a compiler of tracing scripts
/// takes its time on an emulated processor.
const SILENCE: Duration = Duration::from_mins(8);

/// Measures a part in a guest of its own.
///
/// Fails when the guest does; what it said is repeated.
pub(super) fn measure(
    files: &BootFiles,
    binaries: &Binaries,
    part: &Part,
    tracers: &[String],
) -> Result<Vec<Figure>> {
    let step = Step::start(format!("Measuring {} on {}", part.name, files.version));
    let mut arguments = vec!["bench".to_owned(), part.name.to_owned()];
    for tracer in tracers {
        arguments.extend(["--tracer".to_owned(), tracer.clone()]);
    }
    let job = Job {
        arguments: &arguments,
        script: None,
        environment: "",
        interactive: false,
        hardware: part.hardware,
    };
    let log_name = format!("{}-bench-{}", files.version, part.name);
    let once = || follow(&Machine::boot(files, binaries, &job, &log_name)?);
    // The emulator is not above crashing a kernel by itself now and then.
    let figures = once().or_else(|error| {
        progress::say(&format!("{error:#}\nMeasuring again in a new guest, once"));
        once()
    })?;
    step.done();
    Ok(figures)
}

fn follow(machine: &Machine) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut said = Vec::new();
    let mut lines = Lines::default();
    loop {
        let bytes = match machine.read(SILENCE) {
            Output::Bytes(bytes) => bytes,
            Output::Silence => bail!("the guest hung{}", console_of(machine, &said)),
            Output::End => bail!("the guest ended early{}", console_of(machine, &said)),
        };
        for line in lines.push(&bytes) {
            match console::parse(&line) {
                Line::Figure {
                    name,
                    tracer,
                    values,
                } => {
                    let figure = Figure {
                        name,
                        tracer,
                        values,
                    };
                    progress::say(&shown(&figure));
                    figures.push(figure);
                }
                Line::Exit(0) => {
                    machine.wait_for_end(Duration::from_secs(10));
                    return Ok(figures);
                }
                Line::Exit(status) => bail!(
                    "measuring failed with status {status}{}",
                    console_of(machine, &said)
                ),
                Line::Fatal(message) => {
                    machine.wait_for_end(Duration::from_secs(5));
                    bail!(
                        "the guest's kernel crashed: {message}{}",
                        console_of(machine, &said)
                    )
                }
                Line::Text(text) if !text.is_empty() => said.push(text),
                _ => {}
            }
        }
    }
}

fn shown(figure: &Figure) -> String {
    format!(
        "  {:<24} {:<12} {:>12.1}  ±{:.2} %",
        figure.name,
        figure.tracer,
        figure.median(),
        figure.spread() * 50.0
    )
}

fn console_of(machine: &Machine, said: &[String]) -> String {
    let last = said.len().saturating_sub(30);
    format!(
        " (console in {}):\n  {}",
        paths::shown(&machine.log),
        said[last..].join("\n  ")
    )
}
