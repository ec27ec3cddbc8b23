//! `v6trace report`: recorded sessions as a document to send around.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};

use super::{
    file_options::FileOptions,
    options::{self, FilterOptions},
    recordings::Recordings,
};
use crate::{
    recording::Replay,
    render::{Document, DocumentFormat},
    report,
};

/// Arguments of `v6trace report`.
#[derive(Args, Debug)]
pub(super) struct Report {
    /// Recordings, or the pieces of one in their order; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value = "html")]
    format: Format,
    #[command(flatten)]
    output: FileOptions,
    #[command(flatten)]
    filter: FilterOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page that needs nothing else
    Html,
    /// Text to paste into a ticket
    Markdown,
}

impl Report {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        options::start_log("warn");
        let options = report::Options {
            filter: self.filter.offline()?,
            ..report::Options::default()
        };
        self.output.check_inputs(&self.files)?;
        let format = match self.format {
            Format::Html => DocumentFormat::Html,
            Format::Markdown => DocumentFormat::Markdown,
        };
        let asked = options.filter.asked();
        let document = Document::new(self.output.open()?, options::stderr(), format).only(asked);
        let mut feed = Replay::new(report::Report::new(options, document));
        let (_, read) = Recordings::new(&self.files).feed(&mut feed, |_| Ok(()));
        // What could be read is told, whatever came then.
        let (whole, document) = feed.finish()?;
        document.finish()?;
        read?;
        Ok(if whole {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
