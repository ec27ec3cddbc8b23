//! `v6trace check`: what is the matter with this host now, without tracing it.

use std::{process::ExitCode, time::Duration};

use clap::Args;

use super::options::{self, CheckOptions, FilterOptions, OutputOptions};
use crate::{
    attach, catalogue, check, coverage::Coverage, observe, record::Record, report::Report,
};

/// How long it looks at most, but for the namespace that it is at.
const LIMIT: Duration = Duration::from_secs(10);

/// The exit status of `--exit-code` where something is found.
const FOUND: u8 = 3;

/// Arguments of `v6trace check`.
#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    asked: CheckOptions,
    /// Only what these families of failures are about; `v6trace explain` lists them
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = family)]
    family: Vec<&'static str>,
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    output: OutputOptions,
    /// Exit with 3 where anything is found
    #[arg(long)]
    exit_code: bool,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        self.output.of_a_state()?;
        self.output.apply_color();
        options::start_log("warn");
        let mut filter = self.filter.filter()?;
        filter.families.clone_from(&self.family);
        let mut options = self.output.report(filter)?;
        options.check = Some(self.asked.question());
        let mut report = Report::new(options, self.output.render_to_stdout());
        let coverage = Coverage {
            without_ipv6: observe::why_without_ipv6(),
            ..Coverage::default()
        };
        if !self.output.quiet {
            options::say_coverage(&coverage, false)?;
        }
        let info = observe::session_info(coverage, Vec::new())?;
        let mut stream = vec![Record::Session(info)];
        stream.extend(observe::names());
        stream.extend(check::look::host(attach::memberships(), LIMIT));
        for record in &stream {
            let _ = report.feed(record)?;
        }
        report.close()?;
        report.flush()?;
        let found = report.totals().findings.unwrap_or_default();
        Ok(if self.exit_code && found > 0 {
            ExitCode::from(FOUND)
        } else {
            ExitCode::SUCCESS
        })
    }
}

/// What the catalogue calls a family, by its name.
fn family(name: &str) -> Result<&'static str, String> {
    let all: Vec<_> = catalogue::sections().map(|(name, ..)| name).collect();
    let known = all.iter().copied().find(|&known| known == name);
    known.ok_or_else(|| format!("the families are {}", all.join(", ")))
}
