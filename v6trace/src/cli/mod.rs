//! The command line: one file per command, and what several share in
//! [`options`].

#[cfg(feature = "live")]
mod check;
#[cfg(feature = "live")]
mod command;
#[cfg(feature = "live")]
mod doctor;
mod explain;
mod export;
mod file_options;
#[cfg(feature = "live")]
mod follow;
mod info;
#[cfg(feature = "live")]
mod live;
#[cfg(feature = "live")]
mod live_options;
mod options;
#[cfg(feature = "live")]
mod quantities;
#[cfg(feature = "live")]
mod record;
mod recordings;
mod replay;
mod report;
mod schema;
#[cfg(feature = "live")]
mod stop;
#[cfg(feature = "top")]
mod top;
#[cfg(feature = "live")]
mod trace_options;
#[cfg(feature = "live")]
mod tracing;
#[cfg(feature = "live")]
mod why;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::error_chain::with_causes;

/// Explains why IPv6 failed on this machine, from the kernel's own values.
#[derive(Debug, Parser)]
#[command(
    name = "v6trace",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "live")]
    /// Trace this machine and explain failures as they happen.
    Live(live::Live),
    #[cfg(feature = "live")]
    /// Do what live does, and record the session into a file.
    Record(record::Record),
    #[cfg(feature = "top")]
    /// Look at failures while they happen on this machine, or in recordings, on the screen.
    Top(top::Top),
    /// Explain recorded sessions, on any machine.
    Replay(replay::Replay),
    /// Say what recordings hold, and whether they are whole.
    Info(info::Info),
    /// Write recorded sessions in a form for other programs.
    Export(export::Export),
    /// Write a report of recorded sessions to send around: HTML, or Markdown.
    Report(report::Report),
    #[cfg(feature = "live")]
    /// Run a command, and say why it failed.
    Why(why::Why),
    #[cfg(feature = "live")]
    /// Say what is the matter with this machine now, in every network namespace;
    /// nothing is traced, and nothing changed.
    Check(check::Check),
    #[cfg(feature = "live")]
    /// Check whether live tracing works on this machine, and why not.
    Doctor(doctor::Doctor),
    /// Explain a cause at length; without one, list them all.
    Explain(explain::Explain),
    /// Print the JSON Schema of the lines that --json gives.
    Schema,
}

/// The command line as clap knows it: for manual pages and for completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command that the arguments name.
///
/// The exit status is 0 when it did what it should, 1 on an error, 2 when the
/// arguments were not understood. That failures were explained is no error; `check
/// --exit-code` gives 3 where it found anything.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        #[cfg(feature = "live")]
        Command::Live(command) => command.run(),
        #[cfg(feature = "live")]
        Command::Record(command) => command.run(),
        #[cfg(feature = "top")]
        Command::Top(command) => command.run(),
        Command::Replay(command) => command.run(),
        Command::Info(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Report(command) => command.run(),
        #[cfg(feature = "live")]
        Command::Why(command) => command.run(),
        #[cfg(feature = "live")]
        Command::Check(command) => command.run(),
        #[cfg(feature = "live")]
        Command::Doctor(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Schema => schema::run(),
    };
    match result {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error closed there is nobody to tell.
            let _ = writeln!(
                options::stderr(),
                "v6trace: {}",
                with_causes(error.as_ref())
            );
            ExitCode::FAILURE
        }
    }
}

/// Whoever read the output has gone: not an error, and nobody to tell.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
