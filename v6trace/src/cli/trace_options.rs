//! Options of the commands that look at this machine: where to learn of its
//! kernel, and what to trace.

use std::path::PathBuf;

use clap::Args;
use v6trace_common::{FAMILIES, Family, families::process};

use super::options::start_log;
use crate::attach;

/// Where to learn of the kernel, and how.
#[derive(Args, Debug)]
#[command(next_help_heading = "Tracing")]
pub(super) struct TraceOptions {
    /// Read the kernel's types from this BTF instead of /sys/kernel/btf/vmlinux
    #[arg(long, value_name = "FILE")]
    btf: Option<PathBuf>,
    /// Read the kernel's symbols from this file instead of /proc/kallsyms
    #[arg(long, value_name = "FILE")]
    kallsyms: Option<PathBuf>,
    /// Trace only these families of failures; `v6trace explain` lists them, and which are traced
    /// only where they are named here
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = family)]
    family: Vec<&'static Family>,
    /// Trace all families but these
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = family, conflicts_with = "family")]
    skip_family: Vec<&'static Family>,
    /// Say which hooks are attached, and how; twice: log what the programs do
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

impl TraceOptions {
    /// What to attach; `follows` where processes are followed.
    pub(super) fn attach(&self, events: bool, follows: bool) -> attach::Options<'_> {
        let mut families = self.families();
        if follows
            && !families
                .iter()
                .any(|family| family.name == process::FAMILY.name)
        {
            families.push(&process::FAMILY);
        }
        attach::Options {
            btf: self.btf.as_deref(),
            kallsyms: self.kallsyms.as_deref(),
            events,
            debug: self.verbose > 1,
            ..attach::Options::of(&families)
        }
    }

    /// The families that are wanted.
    fn families(&self) -> Vec<&'static Family> {
        let is_in =
            |list: &[&Family], family: &Family| list.iter().any(|of| of.name == family.name);
        let chosen = FAMILIES.iter().copied().filter(|family| {
            if self.family.is_empty() {
                family.on_request.is_none() && !is_in(&self.skip_family, family)
            } else {
                is_in(&self.family, family)
            }
        });
        chosen.collect()
    }

    /// Starts logging.
    pub(super) fn start_log(&self) {
        start_log(self.log_level());
    }

    /// From which level on there is to be logged.
    pub(super) fn log_level(&self) -> &'static str {
        if self.verbose > 1 { "debug" } else { "warn" }
    }
}

/// A family by its name.
fn family(name: &str) -> Result<&'static Family, String> {
    Family::named(name).ok_or_else(|| {
        let names: Vec<_> = FAMILIES.iter().map(|family| family.name).collect();
        format!("the families are {}", names.join(", "))
    })
}
