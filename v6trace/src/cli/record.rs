//! `v6trace record`: what `live` does, and the session in a file that
//! `v6trace replay` explains anywhere.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;

use super::{command::Traced, quantities, tracing::Tracing};
use crate::recording::{OutputFile, PieceOptions};

/// The smallest size of a piece: an opening and some frames.
const MIN_PIECE: u64 = 64 << 10;

/// Arguments of `v6trace record`.
#[derive(Args, Debug)]
pub(super) struct Record {
    /// The file to record into
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace FILE if it is there already, with its pieces
    #[arg(long)]
    force: bool,
    /// Begin another piece, FILE.1, FILE.2 and so on, once one has this size;
    /// at least 64K
    #[arg(long, value_name = "BYTES", value_parser = quantities::size)]
    max_size: Option<usize>,
    /// Keep only so many pieces, the newest
    #[arg(long, value_name = "N", requires = "max_size", value_parser = clap::value_parser!(u32).range(1..))]
    max_files: Option<u32>,
    #[command(flatten)]
    tracing: Tracing,
    /// Trace until this command ends, and exit with its status. Its output
    /// stays as it is; what v6trace says goes to standard error
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Record {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let max_size = self.max_size.map(|bytes| bytes as u64);
        if max_size.is_some_and(|bytes| bytes < MIN_PIECE) {
            bail!("--max-size: a piece has at least 64K");
        }
        let destination = Destination {
            path: &self.output,
            force: self.force,
            pieces: PieceOptions {
                max_size,
                max_files: self.max_files,
            },
        };
        destination.must_be_free()?;
        let create = || destination.create();
        let command = Traced::new(&self.command);
        self.tracing.run(Some(&create), command.as_ref())
    }
}

/// Where a recording goes.
pub(super) struct Destination<'a> {
    pub(super) path: &'a Path,
    pub(super) force: bool,
    pub(super) pieces: PieceOptions,
}

impl Destination<'_> {
    /// Refuses what is there already, unless it is to be replaced.
    pub(super) fn must_be_free(&self) -> anyhow::Result<()> {
        if !self.force
            && let Some(there) = OutputFile::in_the_way(self.path)
        {
            bail!("{} is there already; --force replaces it", there.display());
        }
        Ok(())
    }

    /// Creates it. That is done once tracing has begun: else it would replace another for
    /// nothing.
    pub(super) fn create(&self) -> anyhow::Result<OutputFile> {
        OutputFile::create(self.path, self.force, self.pieces)
            .with_context(|| format!("cannot create {}", self.path.display()))
    }
}
