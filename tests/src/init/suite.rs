//! The test job: each scenario in a process of its own, with a time limit on it and a
//! clean machine before it. Those that share a tracer are run as a batch.

use std::fs;
use std::io::{BufRead as _, BufReader, PipeReader};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::mount::{UnmountFlags, unmount};

use super::supervise::{self, Ending};
use crate::guest::symbols;
use crate::scenarios::{self, Placed};

/// After this a scenario hangs rather than works, however busy the machine is.
pub(crate) const LIMIT: Duration = Duration::from_mins(5);

/// How long output may go on after the scenario's processes were killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The host's limit on a socket's option memory, which scenarios change.
const OPTMEM_MAX: &str = "/proc/sys/net/core/optmem_max";

/// Where iproute2 keeps the names of network namespaces.
const NAMESPACES: &str = "/run/netns";

/// How many scenarios ended which way.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

/// Runs the scenarios that `only` selects (all, if it is empty), batch by batch.
///
/// # Errors
/// A selection that matches nothing, or a PID 1 that cannot start processes;
/// a failing scenario is counted in `tally` instead.
pub(super) fn run(only: &[String], tally: &mut Tally) -> Result<()> {
    let chosen = choose(only)?;
    let optmem_max =
        fs::read_to_string(OPTMEM_MAX).with_context(|| format!("cannot read {OPTMEM_MAX}"))?;
    symbols::keep()?;
    for batch in scenarios::batches(chosen) {
        let passed = match &batch[..] {
            [placed] => usize::from(run_alone(placed.scenario.name)?),
            batch => run_batch(batch)?,
        };
        tally.passed += passed;
        tally.failed += batch.len() - passed;
        if passed < batch.len() {
            // A scenario that passed has tidied up behind itself.
            clean(&optmem_max)?;
        }
    }
    Ok(())
}

/// Runs scenarios that share their tracers: how many passed.
fn run_batch(batch: &[Placed]) -> Result<usize> {
    let mut command = Command::new("/proc/self/exe");
    command
        .arg("batch")
        .args(batch.iter().map(|placed| placed.scenario.name))
        .process_group(0);
    let child = command.spawn().context("cannot start the batch")?;
    let limit = LIMIT.saturating_mul(u32::try_from(batch.len())?);
    let ending = supervise::wait_for(child.id(), Some(limit))?;
    supervise::kill_group(child.id())?;
    match ending {
        // It has told of each.
        Ending::Exited(failed) if usize::try_from(failed).is_ok_and(|n| n <= batch.len()) => {
            Ok(batch.len() - usize::try_from(failed)?)
        }
        // Of those that it has not told of the host learns by their absence.
        ending => {
            println!("the batch itself failed: {ending:?}");
            Ok(0)
        }
    }
}

/// Runs a scenario by itself, and prints what became of it: whether it passed.
fn run_alone(name: &str) -> Result<bool> {
    println!("::start {name}");
    let start = Instant::now();
    let ending = follow(name)?;
    let seconds = start.elapsed().as_secs_f32();
    match ending {
        Ending::Exited(0) => println!("::ok {name} {seconds:.1}"),
        Ending::Exited(status) => println!("  exit status {status} after {seconds:.1} s"),
        Ending::Killed(signal) => println!("  killed by signal {signal} after {seconds:.1} s"),
        Ending::TimedOut => println!("  still running after {} s", LIMIT.as_secs()),
    }
    let passed = ending == Ending::Exited(0);
    if !passed {
        println!("::failed {name}");
    }
    Ok(passed)
}

/// The scenarios that `only` names, in their own order; all, if it is empty.
fn choose(only: &[String]) -> Result<Vec<Placed>> {
    if only.is_empty() {
        return Ok(scenarios::all().collect());
    }
    only.iter().map(|name| scenarios::find(name)).collect()
}

/// Runs one scenario with its output indented, so that no line of it can look
/// like the protocol.
fn follow(name: &str) -> Result<Ending> {
    let (output, input) = std::io::pipe().context("cannot make a pipe")?;
    let mut command = Command::new("/proc/self/exe");
    command
        .args(["run", name])
        .process_group(0)
        .stdout(input.try_clone().context("cannot duplicate a pipe")?)
        .stderr(input);
    let child = command.spawn().context("cannot start the scenario")?;
    // The pipe's writing ends here would keep it from ever ending.
    drop(command);
    let (done, ended) = mpsc::channel();
    thread::spawn(move || indent(output, &done));
    let ending = supervise::wait_for(child.id(), Some(LIMIT))?;
    supervise::kill_group(child.id())?;
    if ended.recv_timeout(PATIENCE).is_err() {
        println!("  a process of the scenario left its group and still runs");
    }
    Ok(ending)
}

/// Copies a scenario's output to the console and says when it has ended.
fn indent(output: PipeReader, done: &Sender<()>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        println!("  {}", String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    // Nobody listens any more only if the wait was given up.
    let _ = done.send(());
}

/// Removes what a scenario that died may have left behind.
fn clean(optmem_max: &str) -> Result<()> {
    fs::write(OPTMEM_MAX, optmem_max).with_context(|| format!("cannot write {OPTMEM_MAX}"))?;
    let Ok(namespaces) = fs::read_dir(NAMESPACES) else {
        return Ok(());
    };
    for namespace in namespaces.flatten() {
        let path = namespace.path();
        // Not mounted is fine: then the file alone was left.
        let _ = unmount(&path, UnmountFlags::DETACH);
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}
