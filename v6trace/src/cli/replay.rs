//! `v6trace replay`: the explanations of recorded sessions, as live tracing
//! gave them.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{
    options::{self, CheckOptions, FilterOptions, OutputOptions},
    recordings::Recordings,
};
use crate::{recording::Replay as Feed, report::Report};

/// Arguments of `v6trace replay`.
#[derive(Args, Debug)]
pub(super) struct Replay {
    /// Recordings, or the pieces of one in their order; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Wait for more until the recording ends
    #[arg(short = 'F', long)]
    follow: bool,
    /// Show what was the matter with the host when recording began, as `v6trace
    /// check` would have there and then, and nothing else
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    asked: CheckOptions,
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    output: OutputOptions,
    /// Say which hooks were attached, and how
    #[arg(short, long)]
    verbose: bool,
}

impl Replay {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        self.output.apply_color();
        options::start_log("warn");
        let mut report = self.output.report(self.filter.offline()?)?;
        if self.check || self.asked.is_any() {
            self.output.of_a_state()?;
            report.check = Some(self.asked.question());
        }
        let render = self.output.render_to_stdout();
        let mut feed = Feed::new(Report::new(report, render));
        let mut recordings = Recordings::new(&self.files);
        if self.follow {
            recordings = recordings.follow()?;
        }
        let (_, read) = recordings.feed(&mut feed, |opening| {
            if self.output.quiet {
                return Ok(());
            }
            options::say_coverage(&opening.session.coverage, self.verbose)
        });
        // What could be read is explained and summed up, whatever came then.
        let (whole, _) = feed.finish()?;
        read?;
        Ok(if whole {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
