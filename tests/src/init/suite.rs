//! The test job: each scenario in a process of its own, with a clean machine
//! before it and a time limit on it.

use std::fs;
use std::io::{BufRead as _, BufReader, PipeReader};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::mount::{UnmountFlags, unmount};

use super::supervise::{self, Ending};
use crate::guest::symbols;
use crate::scenarios;

/// After this a scenario hangs rather than works, however busy the machine is.
const LIMIT: Duration = Duration::from_mins(5);

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

/// Runs the scenarios that `only` selects (all, if it is empty), one by one.
///
/// # Errors
/// A selection that matches nothing, or a PID 1 that cannot start processes;
/// a failing scenario is counted in `tally` instead.
pub(super) fn run(only: &[String], tally: &mut Tally) -> Result<()> {
    let names: Vec<_> = scenarios::all()
        .map(|placed| placed.scenario.name)
        .collect();
    let chosen = choose(&names, only)?;
    let optmem_max =
        fs::read_to_string(OPTMEM_MAX).with_context(|| format!("cannot read {OPTMEM_MAX}"))?;
    symbols::keep()?;
    for name in chosen {
        println!("::start {name}");
        let start = Instant::now();
        let ending = run_one(name)?;
        let seconds = start.elapsed().as_secs_f32();
        match ending {
            Ending::Exited(0) => {
                tally.passed += 1;
                println!("::ok {name} {seconds:.1}");
                continue;
            }
            Ending::Exited(status) => println!("  exit status {status} after {seconds:.1} s"),
            Ending::Killed(signal) => println!("  killed by signal {signal} after {seconds:.1} s"),
            Ending::TimedOut => println!("  still running after {} s", LIMIT.as_secs()),
        }
        tally.failed += 1;
        println!("::failed {name}");
        // A scenario that passed has tidied up behind itself.
        clean(&optmem_max)?;
    }
    Ok(())
}

/// The scenarios that `only` names, in their own order; all, if it is empty.
fn choose<'a>(names: &[&'a str], only: &[String]) -> Result<Vec<&'a str>> {
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("no scenario is called {unknown}");
    }
    let chosen = |name: &&&str| only.is_empty() || only.iter().any(|wanted| wanted == **name);
    Ok(names.iter().filter(chosen).copied().collect())
}

/// Runs one scenario with its output indented, so that no line of it can look
/// like the protocol.
fn run_one(name: &str) -> Result<Ending> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection() {
        let names = ["a", "a-b", "c"];
        let select = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(ToString::to_string).collect();
            choose(&names, &only).map_err(|error| error.to_string())
        };
        assert_eq!(select(&[]).unwrap(), names);
        assert_eq!(select(&["a"]).unwrap(), ["a"]);
        assert_eq!(select(&["c", "a-b"]).unwrap(), ["a-b", "c"]);
        assert!(select(&["a", "b"]).unwrap_err().contains("called b"));
    }
}
