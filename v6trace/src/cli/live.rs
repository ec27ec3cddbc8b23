//! `v6trace live`: attach, then explain until told to stop.

use std::process::ExitCode;

use clap::Args;

use super::tracing::Tracing;

/// Arguments of `v6trace live`.
#[derive(Args, Debug)]
pub(super) struct Live {
    #[command(flatten)]
    tracing: Tracing,
}

impl Live {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        self.tracing.run(None, None)
    }
}
