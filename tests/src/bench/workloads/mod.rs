//! What is done over and over while a tracer watches.

mod advertisement;
mod bind;
pub(super) mod burst;
mod connect;
mod failing_join;
mod forwarded;
mod join_leave;
mod neighbour;
mod option;
mod option_memory;
mod request;
mod route;
mod walk;

use anyhow::{Context as _, Result};

use super::figure;
use super::measure;
use super::place::Place;

/// One operation, given a number that it has not had before.
type Operation = Box<dyn FnMut(u32) -> Result<()>>;

/// Something to repeat.
struct Workload {
    /// What its figures are called.
    name: &'static str,
    /// How often it is done for one measurement: enough that the timer's
    /// interrupts weigh the same in each.
    count: u32,
    /// Makes what the operation needs.
    prepare: fn(&Place) -> Result<Operation>,
}

const ALL: [Workload; 19] = [
    join_leave::WORKLOAD,
    failing_join::WORKLOAD,
    option_memory::WORKLOAD,
    connect::UDP,
    connect::TCP,
    bind::WORKLOAD,
    option::WORKLOAD,
    connect::UDP6,
    connect::TCP6,
    advertisement::WORKLOAD,
    route::WORKLOAD,
    request::WORKLOAD,
    route::WITHDRAWAL,
    route::IPV4,
    walk::DOWN,
    walk::DOWN_BESIDE,
    walk::ADDRESS,
    neighbour::WORKLOAD,
    forwarded::WORKLOAD,
];

/// Measures every workload with the named tracer at work. `reader` gives the
/// time, ns, that the processor has spent on the tracer's own processes.
pub(super) fn measure(
    place: &Place,
    tracer: &str,
    reader: impl Fn() -> Result<Option<f64>>,
) -> Result<()> {
    ALL.iter()
        .try_for_each(|workload| measure_one(workload, place, tracer, &reader))
}

/// Measures what a router does, of which some is traced on request alone.
pub(super) fn measure_router(
    place: &Place,
    tracer: &str,
    reader: impl Fn() -> Result<Option<f64>>,
) -> Result<()> {
    measure_one(&forwarded::WORKLOAD, place, tracer, &reader)
}

fn measure_one(
    workload: &Workload,
    place: &Place,
    tracer: &str,
    reader: &impl Fn() -> Result<Option<f64>>,
) -> Result<()> {
    let operation = (workload.prepare)(place);
    let operation = operation.with_context(|| format!("preparing {}", workload.name))?;
    let before = reader()?;
    let times = measure::times(workload.count, operation)
        .with_context(|| format!("{} with {tracer}", workload.name))?;
    figure(workload.name, tracer, &times);
    if let (Some(before), Some(after)) = (before, reader()?) {
        let each = (after - before) / f64::from(measure::operations(workload.count));
        figure(&format!("{}-reader", workload.name), tracer, &[each]);
    }
    Ok(())
}
