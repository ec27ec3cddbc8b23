//! The guest side of v6trace's tests: makes a real kernel fail and checks what
//! v6trace says about it.
//!
//! One binary plays three parts. As PID 1 of a QEMU guest it prepares the
//! machine, reads its orders from `/job` and powers off when they are done
//! ([`init`]). Started by that PID 1 it runs one scenario (`run NAME`), several that
//! share a tracer (`batch NAME…`), the demonstration (`demo`, or recorded, `golden`) or measurements (`bench`) in a
//! process of its own. On a developer's host it only lists the scenarios
//! (`list`).
//!
//! Scenarios ([`scenarios`]) are written in the vocabulary of [`guest`]:
//! namespaces, links, sockets that join groups, and the tracer under test.

mod batch;
mod bench;
mod demo;
mod guest;
mod init;
mod scenarios;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

/// What the binary does when it is not PID 1.
#[derive(Parser)]
#[command(name = "guest", about, version)]
enum Command {
    /// Print every scenario, one per line: its name, its family, what the kernel must
    /// be told at boot, whether its guest has daemons that others have not, and the number
    /// of the batch that shares its tracer; a dash for what there is none of.
    List,
    /// Run one scenario here: needs root, a kernel with kprobes and v6trace.
    Run {
        /// A name that `list` prints.
        name: String,
        /// Its number in a batch, which speaks to it on standard input.
        #[arg(long, hide = true)]
        batch: Option<u8>,
    },
    /// Run scenarios of one group with one tracer.
    Batch {
        /// Names that `list` prints with the same number.
        names: Vec<String>,
    },
    /// Tell the stories that v6trace was made for, traced live.
    Demo,
    /// Record each of the demonstration's stories and print the files.
    Golden,
    /// Measure what tracers cost.
    Bench(bench::Order),
    /// Say by a file that a tracer runs its command, and wait to be killed.
    #[command(hide = true)]
    BenchReady {
        /// The file.
        path: std::path::PathBuf,
    },
    /// Attach so many hooks, as v6trace does, and wait for Ctrl-C.
    #[command(hide = true)]
    BenchHooks {
        /// How many.
        count: usize,
    },
}

fn main() -> ExitCode {
    if std::process::id() == 1 {
        init::main();
    }
    let done = match Command::parse() {
        Command::List => {
            list();
            Ok(())
        }
        Command::Run { name, batch } => run(&name, batch),
        Command::Batch { names } => {
            let named = names.iter().map(|name| scenarios::find(name));
            match named
                .collect::<Result<Vec<_>>>()
                .and_then(|all| batch::run(&all))
            {
                Ok(failed) => return failed,
                Err(error) => {
                    eprintln!("{error:?}");
                    return ExitCode::from(init::BROKEN);
                }
            }
        }
        Command::Demo => demo::run(),
        Command::Golden => demo::record(),
        Command::Bench(order) => bench::run(&order),
        Command::BenchReady { path } => bench::be_ready(&path),
        Command::BenchHooks { count } => bench::trace_hooks(count),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn list() {
    for (number, batch) in scenarios::batches(scenarios::all().collect())
        .iter()
        .enumerate()
    {
        for placed in batch {
            let family = placed.family.unwrap_or("-");
            let boot = placed.boot.unwrap_or("-");
            let daemons = if placed.daemons { "daemons" } else { "-" };
            println!(
                "{} {family} {boot} {daemons} {number}",
                placed.scenario.name
            );
        }
    }
}

fn run(name: &str, batch: Option<u8>) -> Result<()> {
    let placed = scenarios::find(name)?;
    // Started through /proc/self/exe it would be called "exe".
    rustix::thread::set_name(c"guest").context("cannot set the process's name")?;
    if let Some(number) = batch {
        guest::join_batch(number)?;
    }
    guest::watch(placed.watched);
    (placed.scenario.run)()
}
