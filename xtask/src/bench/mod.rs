//! The task `bench`: what v6trace costs, beside what one would take instead.
//!
//! The guest measures (`tests/src/bench`) and prints figures on its console;
//! [`guest`] boots it and collects them, [`table`] makes Markdown of them.

mod figures;
mod guest;
mod table;

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::architecture::OWN;
use crate::prepare;
use crate::progress;
use crate::qemu::{COUNTING, Hardware, PARALLEL};
use figures::Figures;

/// A part of the measurements: what to ask the guest for, and on what.
struct Part {
    name: &'static str,
    hardware: &'static Hardware,
}

/// Names of all parts, in their order.
pub(crate) const PARTS: [&str; 6] = [
    STARTS.name,
    WAYS.name,
    COSTS.name,
    STORM.name,
    LOSSES.name,
    WHY.name,
];

/// How long starting and stopping takes, by the number of hooks.
const STARTS: Part = Part {
    name: "starts",
    hardware: &COUNTING,
};

/// How long the kernel takes to attach by each of its ways, without a tracer.
const WAYS: Part = Part {
    name: "ways",
    hardware: &COUNTING,
};

/// What tracing costs the traced, and the tracer's own needs.
const COSTS: Part = Part {
    name: "costs",
    hardware: &COUNTING,
};

/// How live explanations keep up with a storm of failures.
const STORM: Part = Part {
    name: "storm",
    hardware: &COUNTING,
};

/// What is lost when much happens at once.
const LOSSES: Part = Part {
    name: "losses",
    hardware: &PARALLEL,
};

/// What it takes to ask about one command.
const WHY: Part = Part {
    name: "why",
    hardware: &COUNTING,
};

/// Measures on the given kernels, one guest after the other; empty lists stand
/// for everything.
pub(crate) fn task(
    kernels: &[String],
    parts: &[String],
    tracers: &[String],
    refresh: bool,
) -> Result<ExitCode> {
    let mut figures = Figures::default();
    for kernel in kernels {
        let (binaries, mut files) = prepare::prepare_one(OWN, kernel, refresh)?;
        prepare::add_peers(&mut files)?;
        let size = std::fs::metadata(&binaries.v6trace)
            .with_context(|| format!("cannot read {}", binaries.v6trace.display()))?
            .len();
        figures.binary_size = Some(size);
        for part in [&STARTS, &WAYS, &COSTS, &STORM, &LOSSES, &WHY] {
            if parts.is_empty() || parts.iter().any(|wanted| wanted == part.name) {
                let measured = guest::measure(&files, &binaries, part, tracers)?;
                figures.add(&files.version, measured);
            }
        }
    }
    progress::print(&table::markdown(&figures));
    Ok(ExitCode::SUCCESS)
}
