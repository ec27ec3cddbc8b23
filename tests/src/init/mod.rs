//! PID 1 of a guest: prepares the machine, does the job named in `/job`,
//! prints one closing line and powers off.
//!
//! The host side reads the console. Every line of the protocol starts at the
//! first column with `::`; a test job ends with `::verdict`, any other job with
//! `::exit`. Nothing that happens here may leave the guest running without
//! that line, so even a panic ends in a failed verdict.

mod console;
mod job;
mod modules;
mod mounts;
mod power;
mod suite;
mod supervise;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use anyhow::{Context as _, Result};

use job::Job;
use suite::Tally;

pub(crate) use suite::LIMIT;
pub(crate) use supervise::kill_group;

/// The exit status reported when PID 1, or a batch of scenarios, could not do the job
/// itself; more than a batch has scenarios.
pub(crate) const BROKEN: u8 = 125;

/// Where the guest's programs are; the kernel gives PID 1 no usable PATH.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs the guest from start to power-off.
pub(crate) fn main() -> ! {
    let job = job::read();
    let mut tally = Tally::default();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        prepare()?;
        match &job {
            Ok(Job::Test { only }) => suite::run(only, &mut tally).map(|()| 0),
            Ok(other) => alone(other),
            Err(error) => Err(anyhow::anyhow!("{error:#}")),
        }
    }));
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(_) => Err(anyhow::anyhow!("PID 1 panicked: the message is above")),
    };
    if let Err(error) = &outcome {
        println!("guest: {error:?}");
    }
    match job {
        Ok(Job::Bench(_) | Job::Demo | Job::Golden | Job::Script | Job::Shell) => {
            println!("::exit {}", outcome.unwrap_or(BROKEN.into()));
        }
        // An unreadable job counts as a failed test: that is what the host
        // side treats most severely.
        Ok(Job::Test { .. }) | Err(_) => {
            tally.failed += usize::from(outcome.is_err());
            println!("::verdict passed={} failed={}", tally.passed, tally.failed);
        }
    }
    power::off()
}

/// Makes the bare kernel a machine that programs can run on.
fn prepare() -> Result<()> {
    mounts::all()?;
    console::adopt()?;
    // SAFETY: PID 1 has started no thread yet, so nobody reads the environment
    // while it changes.
    unsafe { std::env::set_var("PATH", PATH) };
    // SAFETY: as above.
    unsafe { std::env::set_var("HOME", "/root") };
    modules::load_all()?;
    let up = Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .status()
        .context("cannot run ip, which the guest's userland should hold")?;
    anyhow::ensure!(up.success(), "ip could not bring up lo: {up}");
    Ok(())
}

/// Runs a job that is one program on the console, and gives its exit status.
fn alone(job: &Job) -> Result<i32> {
    let mut command = match job {
        Job::Script => {
            let mut bash = Command::new("/bin/bash");
            bash.arg("/script");
            bash
        }
        Job::Shell => console::shell(),
        Job::Bench(order) => {
            let mut own = Command::new("/proc/self/exe");
            own.arg("bench").args(order.words());
            own
        }
        Job::Golden => {
            let mut own = Command::new("/proc/self/exe");
            own.arg("golden");
            own
        }
        Job::Demo | Job::Test { .. } => {
            let mut own = Command::new("/proc/self/exe");
            own.arg("demo");
            own
        }
    };
    let child = command
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    supervise::wait_for(child.id(), None).map(supervise::Ending::status)
}
