//! `v6trace report`: recorded sessions as a document to send around.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{file_options::FileOptions, options};
use crate::{
    render::{Document, DocumentFormat},
    report,
};

/// Arguments of `v6trace report`.
#[derive(Args, Debug)]
pub(super) struct Report {
    /// What to write
    #[arg(long, value_enum, default_value = "html")]
    format: Format,
    #[command(flatten)]
    output: FileOptions,
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
            filter: self.output.filter()?,
            ..report::Options::default()
        };
        let format = match self.format {
            Format::Html => DocumentFormat::Html,
            Format::Markdown => DocumentFormat::Markdown,
        };
        let asked = options.filter.asked();
        let document = Document::new(self.output.open()?, options::stderr(), format).only(asked);
        let report = report::Report::new(options, document);
        self.output.tell(report, |document| Ok(document.finish()?))
    }
}
