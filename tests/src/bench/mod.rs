//! Measures what v6trace costs, beside bpftrace, trace-cmd and perf watching
//! the same functions.
//!
//! ```text
//! workloads   what is done over and over: joins, connects, ...
//! tracers     what watches meanwhile, started and stopped alike
//! hooks       more functions than v6trace watches yet
//! starts      each tracer with so many hooks       -> ::figure lines
//! ways        the kernel's ways to attach          -> ::figure lines
//! costs       each workload under each tracer      -> ::figure lines
//! storm       failures without end, followed live  -> ::figure lines
//! losses      one burst under each tracer          -> ::figure lines
//! why         a command that is asked about        -> ::figure lines
//! ```
//!
//! The numbers mean something only on the hardware that the host side gives
//! each part: all but `losses` take a clock that counts instructions, `losses`
//! processors that run at the same time.

mod costs;
mod hooks;
mod losses;
mod measure;
mod place;
mod starts;
mod storm;
mod tracers;
mod ways;
mod why;
mod workloads;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};

pub(crate) use hooks::trace as trace_hooks;
use tracers::Tracer;

/// What to measure.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// The part of the measurements.
    part: Part,
    /// Measure with this tracer; may be repeated. Without it, with all.
    #[arg(long, value_name = "NAME")]
    tracer: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// How long starting and stopping takes.
    Starts,
    /// How long the kernel takes to attach by each of its ways.
    Ways,
    /// What tracing costs the traced, and the tracer's own needs.
    Costs,
    /// How live explanations keep up with a storm of failures.
    Storm,
    /// What is lost when much happens at once.
    Losses,
    /// What it takes to ask about one command.
    Why,
}

impl Order {
    /// The order as it is put on a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let part = match self.part {
            Part::Starts => "starts",
            Part::Ways => "ways",
            Part::Costs => "costs",
            Part::Storm => "storm",
            Part::Losses => "losses",
            Part::Why => "why",
        };
        let tracers = self
            .tracer
            .iter()
            .flat_map(|name| ["--tracer".to_owned(), name.clone()]);
        [part.to_owned()].into_iter().chain(tracers).collect()
    }

    fn tracers(&self) -> Result<Vec<Tracer>> {
        let wanted = |tracer: &Tracer| {
            self.tracer.is_empty() || self.tracer.iter().any(|name| name == tracer.name)
        };
        let chosen: Vec<Tracer> = tracers::ALL.into_iter().filter(wanted).collect();
        ensure!(!chosen.is_empty(), "no tracer is called {:?}", self.tracer);
        Ok(chosen)
    }
}

/// Measures, and prints the figures.
pub(crate) fn run(order: &Order) -> Result<()> {
    let tracers = order.tracers()?;
    std::fs::create_dir_all(tracers::DIRECTORY)
        .with_context(|| format!("cannot create {}", tracers::DIRECTORY))?;
    match order.part {
        Part::Starts => starts::measure(&tracers),
        Part::Ways => ways::measure(),
        Part::Costs => costs::measure(&tracers),
        Part::Storm => storm::measure(&tracers),
        Part::Losses => losses::measure(&tracers),
        Part::Why => why::measure(&tracers),
    }
}

/// What tracers run as their command: says in a file that they have come so
/// far, with its own process id, and waits to be killed.
pub(crate) fn be_ready(path: &Path) -> Result<()> {
    std::fs::write(path, std::process::id().to_string())
        .with_context(|| format!("cannot write {}", path.display()))?;
    loop {
        std::thread::park();
    }
}

/// Prints measured values for the host side.
fn figure(name: &str, tracer: &str, values: &[f64]) {
    let values: Vec<String> = values.iter().map(|value| format!("{value:.3}")).collect();
    println!("::figure {name} {tracer} {}", values.join(" "));
}
