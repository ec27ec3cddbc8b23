//! `v6trace export`: recorded sessions in a form for other programs.

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::{file_options::FileOptions, options};
use crate::{
    render::{Csv, Json, Pcapng, Render},
    report::{self, Report},
};

/// Arguments of `v6trace export`.
#[derive(Args, Debug)]
pub(super) struct Export {
    /// What to write
    #[arg(long, value_enum)]
    format: Format,
    #[command(flatten)]
    output: FileOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The frames of neighbour discovery, with what is said of them as comments
    Pcapng,
    /// Diagnoses and events, one JSON object a line
    Json,
    /// Diagnoses, one row each
    Csv,
}

impl Export {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        options::start_log("warn");
        let options = report::Options {
            everything: true,
            filter: self.output.filter()?,
            events: self.format != Format::Csv,
            ..report::Options::default()
        };
        if self.format == Format::Pcapng && !self.output.is_given() && io::stdout().is_terminal() {
            bail!("pcapng is nothing for a terminal; -o FILE writes it into a file");
        }
        let out = self.output.open()?;
        let err = options::stderr();
        let render: Box<dyn Render> = match self.format {
            Format::Pcapng => Box::new(Pcapng::new(out, err)),
            Format::Json => Box::new(Json::new(out, err)),
            Format::Csv => Box::new(Csv::new(out, err)),
        };
        self.output.tell(Report::new(options, render), |_| Ok(()))
    }
}
