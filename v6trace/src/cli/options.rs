//! Options that several commands share, with the same meaning in each.

use std::{
    io::{self, IsTerminal as _, Write},
    path::PathBuf,
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use crate::{
    attach::{self, Coverage},
    filter::{Filter, NetnsFilter},
    observe,
    render::{Json, Render, Text, time::TimeDisplay},
    report,
};

/// Which occurrences to show.
#[derive(Args, Debug)]
#[command(next_help_heading = "Filters")]
pub(super) struct FilterOptions {
    /// Only of this process
    #[arg(short, long, value_name = "PID")]
    pid: Option<u32>,
    /// Only of tasks with this name
    #[arg(long, value_name = "NAME")]
    comm: Option<String>,
    /// Only in this network namespace: a name of `ip netns`, an inode number,
    /// or, while tracing, a path such as /proc/PID/ns/net
    #[arg(long, value_name = "NETNS")]
    netns: Option<String>,
    /// Only on this interface
    #[arg(short, long, value_name = "NAME")]
    interface: Option<String>,
}

impl FilterOptions {
    pub(super) fn filter(&self) -> anyhow::Result<Filter> {
        Ok(self.with_netns(self.netns.as_deref().map(netns).transpose()?))
    }

    /// The filter for what happened elsewhere, where this machine's files mean
    /// nothing.
    pub(super) fn offline(&self) -> anyhow::Result<Filter> {
        let path = self.netns.as_deref().filter(|netns| netns.contains('/'));
        if let Some(path) = path {
            bail!("--netns {path} is a file of this machine; give a name or an inode number");
        }
        self.filter()
    }

    fn with_netns(&self, netns: Option<NetnsFilter>) -> Filter {
        Filter {
            pid: self.pid,
            comm: self.comm.clone(),
            netns,
            interface: self.interface.clone(),
        }
    }
}

/// `PROC_DYNAMIC_FIRST`: a smaller number can only be a name.
const LOWEST_INODE: u32 = 0xF000_0000;

fn netns(text: &str) -> anyhow::Result<NetnsFilter> {
    if let Ok(inode) = text.parse::<u32>()
        && inode >= LOWEST_INODE
    {
        return Ok(NetnsFilter::Inode(inode));
    }
    if text.contains('/') {
        let inode = observe::inode_of(text.as_ref())
            .with_context(|| format!("cannot tell which network namespace {text} is"))?;
        return Ok(NetnsFilter::Inode(inode));
    }
    Ok(NetnsFilter::Name(text.to_owned()))
}

/// How to show it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(super) struct OutputOptions {
    /// One JSON object a line; short for --format json
    #[arg(long)]
    json: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    format: Format,
    /// Show every decoded event, not only what is explained
    #[arg(long)]
    pub(super) events: bool,
    /// Stop after so many diagnoses
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Colour the text
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Color,
    /// Show times in UTC
    #[arg(long, conflicts_with = "relative")]
    utc: bool,
    /// Show times as seconds since the session began
    #[arg(long)]
    relative: bool,
    /// Leave out everything but the diagnoses
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl OutputOptions {
    fn is_json(&self) -> bool {
        self.json || self.format == Format::Json
    }

    fn time(&self) -> TimeDisplay {
        match (self.utc, self.relative) {
            (true, _) => TimeDisplay::Utc,
            (false, true) => TimeDisplay::Relative,
            (false, false) => TimeDisplay::Local,
        }
    }

    /// What renders that form, results into `out`.
    pub(super) fn render(&self, out: Box<dyn Write>) -> Box<dyn Render> {
        if self.is_json() {
            Box::new(Json::new(out, stderr()))
        } else {
            Box::new(Text::new(out, stderr(), self.time(), self.quiet))
        }
    }

    /// What renders that form, results to standard output.
    pub(super) fn render_to_stdout(&self) -> Box<dyn Render> {
        // JSON has no colours: to look for them would take longer than to
        // make it.
        if self.is_json() {
            self.render(Box::new(buffered(io::stdout().lock())))
        } else {
            self.render(Box::new(stdout()))
        }
    }

    /// Makes the choice of colour hold for everything that is printed.
    pub(super) fn apply_color(&self) {
        match self.color {
            Color::Auto => {}
            Color::Always => ColorChoice::AlwaysAnsi.write_global(),
            Color::Never => ColorChoice::Never.write_global(),
        }
    }

    pub(super) fn report(&self, filter: Filter) -> report::Options {
        report::Options {
            filter,
            events: self.events && !self.quiet,
            count: self.count,
        }
    }
}

/// Bytes of results that are written out at once.
const BUFFER: usize = 64 << 10;

/// Standard output that drops colours where they are not wanted, written out
/// as a whole by each flush.
pub(super) fn stdout() -> impl Write {
    buffered(AutoStream::auto(io::stdout().lock()))
}

fn buffered(out: impl Write) -> impl Write {
    io::BufWriter::with_capacity(BUFFER, out)
}

/// Standard error likewise.
pub(super) fn stderr() -> AutoStream<std::io::Stderr> {
    AutoStream::auto(std::io::stderr())
}

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
    /// Say which hooks are attached, and how; twice: log what the programs do
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

impl TraceOptions {
    pub(super) fn attach(&self, events: bool) -> attach::Options<'_> {
        attach::Options {
            btf: self.btf.as_deref(),
            kallsyms: self.kallsyms.as_deref(),
            events,
            debug: self.verbose > 1,
            ..attach::Options::default()
        }
    }

    /// Starts logging.
    pub(super) fn start_log(&self) {
        start_log(if self.verbose > 1 { "debug" } else { "warn" });
    }
}

/// Starts logging from a level on, to standard error; `RUST_LOG` has the last
/// word.
pub(super) fn start_log(level: &str) {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level))
        .format_target(false)
        .format_timestamp_millis()
        .write_style(if std::io::stderr().is_terminal() {
            env_logger::WriteStyle::Auto
        } else {
            env_logger::WriteStyle::Never
        })
        .init();
}

/// Says which hooks fire: all of them if asked to, else those that do not.
pub(super) fn say_coverage(coverage: &Coverage, all: bool) -> io::Result<()> {
    let mut err = stderr();
    for hook in &coverage.hooks {
        if all || !hook.is_attached() {
            let note = hook
                .note
                .as_deref()
                .map_or_else(String::new, |note| format!(": {note}"));
            let via = hook.via.map_or_else(String::new, |via| format!(", {via}"));
            writeln!(
                err,
                "v6trace: {} {} ({}{via}){note}",
                hook.hook, hook.status, hook.function
            )?;
        }
    }
    if all {
        for absent in &coverage.absent {
            writeln!(err, "v6trace: {absent}")?;
        }
    }
    Ok(())
}

/// A time span such as `90`, `90s`, `5m` or `1h 30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span = match text.parse::<u64>() {
        Ok(seconds) => return Ok(Duration::from_secs(seconds)),
        Err(_) => text.parse::<jiff::SignedDuration>(),
    };
    span.ok()
        .and_then(|span| Duration::try_from(span).ok())
        .ok_or_else(|| "give seconds, or a span such as 90s, 5m or 1h 30m".to_owned())
}

/// A number of bytes such as `65536`, `64K` or `1M`.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let factor = match unit.to_ascii_lowercase().trim_end_matches("ib") {
        "" | "b" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => 0,
    };
    digits
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| "give bytes, or a size such as 64K or 1M".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes() {
        assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert!(duration("-1s").is_err() && duration("soon").is_err());
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64K"), Ok(65_536));
        assert_eq!(size("1MiB"), Ok(1 << 20));
        assert!(size("0").is_err() && size("12X").is_err() && size("99999999999G").is_err());
    }

    #[test]
    fn namespaces_by_inode_and_name() {
        assert_eq!(
            netns("4026531840").unwrap(),
            NetnsFilter::Inode(4_026_531_840)
        );
        assert_eq!(netns("blue").unwrap(), NetnsFilter::Name("blue".to_owned()));
        assert!(netns("/no/such/file").is_err());
    }
}
