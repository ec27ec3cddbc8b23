//! Boots a guest that measures, and collects the figures it prints.

use anyhow::Result;

use super::Part;
use super::figures::Figure;
use crate::batch;
use crate::binaries::Binaries;
use crate::console::Line;
use crate::prepare::BootFiles;
use crate::progress::{self, Step};
use crate::qemu::Job;

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
    let once = || {
        let mut figures = Vec::new();
        batch::run(files, binaries, &job, &log_name, batch::LONG, |line| {
            if let Line::Figure {
                name,
                tracer,
                values,
            } = line
            {
                let figure = Figure {
                    name,
                    tracer,
                    values,
                };
                progress::say(&shown(&figure));
                figures.push(figure);
            }
        })?;
        Ok(figures)
    };
    // The emulator is not above crashing a kernel by itself now and then.
    let figures = once().or_else(|error: anyhow::Error| {
        progress::say(&format!("{error:#}\nMeasuring again in a new guest, once"));
        once()
    })?;
    step.done();
    Ok(figures)
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
