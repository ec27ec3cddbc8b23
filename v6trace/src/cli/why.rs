//! `v6trace why`: run a command, and say why it failed.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::Args;

use super::{
    command::Traced,
    follow::Follow,
    record::Destination,
    tracing::{Create, SessionOptions, Work},
};
use crate::{filter::Filter, recording::PieceOptions};

/// Arguments of `v6trace why`.
#[derive(Args, Debug)]
pub(super) struct Why {
    /// Follow this process and what it starts, until it ends or somebody ends v6trace,
    /// instead of a command
    #[arg(short, long, value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(conflicts_with = "command", required_unless_present = "command")]
    pid: Option<u32>,
    /// Record the session into this file as well
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace FILE if it is there already
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    session: SessionOptions,
    /// Run this command, follow it and what it starts, and exit with its status. Its output
    /// stays as it is; what v6trace says comes when it has ended, on standard error
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Why {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let follow = Follow::new(self.pid)?;
        let command = Traced::new(&self.command);
        let destination = self.output.as_deref().map(|path| Destination {
            path,
            force: self.force,
            pieces: PieceOptions::default(),
        });
        if let Some(destination) = &destination {
            destination.must_be_free()?;
        }
        let create = destination
            .as_ref()
            .map(|destination| || destination.create());
        self.session.run(Work {
            filter: Filter::default(),
            recording: create.as_ref().map(|create| create as Create<'_>),
            command: command.as_ref(),
            follow: Some(follow),
        })
    }
}
