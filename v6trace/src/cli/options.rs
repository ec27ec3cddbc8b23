//! Options that several commands share, with the same meaning in each.

use std::io::{self, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
#[cfg(feature = "live")]
use anyhow::Context as _;
use anyhow::bail;
use clap::{Args, ValueEnum};

use crate::{
    check::Question,
    coverage::Coverage,
    filter::{Filter, NetnsFilter},
    render::time::TimeDisplay,
    render::{Json, Render, Text},
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
    /// Only of this container: its name, its id or how that begins, or its pod as
    /// [NAMESPACE/]NAME
    #[arg(long, value_name = "NAME|ID")]
    container: Option<String>,
    /// Only in this network namespace: a name of `ip netns`, an inode number,
    /// or, while tracing, a path such as /proc/PID/ns/net
    #[arg(long, value_name = "NETNS")]
    netns: Option<String>,
    /// Only on this interface
    #[arg(short, long, value_name = "NAME")]
    interface: Option<String>,
}

impl FilterOptions {
    /// The filter for what happens on this machine, whose files name namespaces
    /// as well.
    #[cfg(feature = "live")]
    pub(super) fn filter(&self) -> anyhow::Result<Filter> {
        let Some(path) = self.netns.as_deref().filter(|netns| netns.contains('/')) else {
            return self.offline();
        };
        let inode = crate::observe::inode_of(path.as_ref())
            .with_context(|| format!("cannot tell which network namespace {path} is"))?;
        Ok(self.with_netns(Some(NetnsFilter::Inode(inode))))
    }

    /// The filter for what happened elsewhere, where this machine's files mean
    /// nothing.
    pub(super) fn offline(&self) -> anyhow::Result<Filter> {
        let path = self.netns.as_deref().filter(|netns| netns.contains('/'));
        if let Some(path) = path {
            bail!("--netns {path} is a file of this machine; give a name or an inode number");
        }
        Ok(self.with_netns(self.netns.as_deref().map(netns)))
    }

    fn with_netns(&self, netns: Option<NetnsFilter>) -> Filter {
        Filter {
            pid: self.pid,
            comm: self.comm.clone(),
            container: self.container.clone(),
            netns,
            families: Vec::new(),
            interface: self.interface.clone(),
        }
    }
}

/// `PROC_DYNAMIC_FIRST`: a smaller number can only be a name.
const LOWEST_INODE: u32 = 0xF000_0000;

fn netns(text: &str) -> NetnsFilter {
    match text.parse::<u32>() {
        Ok(inode) if inode >= LOWEST_INODE => NetnsFilter::Inode(inode),
        _ => NetnsFilter::Name(text.to_owned()),
    }
}

/// What a check is to tell.
#[derive(Args, Debug)]
pub(super) struct CheckOptions {
    /// Of the host's state, tell instead what a write would take and give, before it is
    /// made: of 1 to net.ipv6.conf.all.forwarding
    #[arg(long = "if", value_enum, value_name = "WRITE")]
    write: Option<Written>,
}

/// A write that can be asked about.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Written {
    #[value(name = "forwarding=1")]
    Forwarding,
}

impl CheckOptions {
    /// Whether something else is asked than what is the matter.
    pub(super) fn is_any(&self) -> bool {
        self.write.is_some()
    }

    pub(super) fn question(&self) -> Question {
        match self.write {
            Some(Written::Forwarding) => Question::IfForwarding,
            None => Question::Now,
        }
    }
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
    /// Show each diagnosis by itself, also of what repeats
    #[arg(long)]
    no_fold: bool,
    /// Stop after N diagnoses
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
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes the choice hold for everything that is printed.
    pub(super) fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => ColorChoice::AlwaysAnsi.write_global(),
            Self::Never => ColorChoice::Never.write_global(),
        }
    }
}

impl OutputOptions {
    /// Refuses what means nothing where a state is shown.
    pub(super) fn of_a_state(&self) -> anyhow::Result<()> {
        if self.events || self.count.is_some() {
            bail!("--events and --count are of what happens: a check is of what there is");
        }
        Ok(())
    }

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
            Box::new(self.text(out))
        }
    }

    /// What renders that form, results to standard output.
    pub(super) fn render_to_stdout(&self) -> Box<dyn Render> {
        // Colours are left out here where nobody wants them: to look for them
        // would take longer than to make the text.
        let colours = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        let out = Box::new(buffered(io::stdout().lock()));
        if self.is_json() || colours {
            self.render(out)
        } else {
            Box::new(self.text(out).without_colours())
        }
    }

    fn text<O: Write>(&self, out: O) -> Text<O, impl Write + use<O>> {
        Text::new(out, stderr(), self.time(), self.quiet)
    }

    /// Makes the choice of colour hold for everything that is printed.
    pub(super) fn apply_color(&self) {
        self.color.apply();
    }

    pub(super) fn report(&self, filter: Filter) -> anyhow::Result<report::Options> {
        if self.events && filter.container.is_some() {
            bail!(
                "--container tells what failed by containers, not every event; leave --events out"
            );
        }
        Ok(report::Options {
            filter,
            events: self.events && !self.quiet,
            singly: self.no_fold,
            count: self.count,
            check: None,
            everything: false,
        })
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

/// Starts logging from a level on, to standard error; `RUST_LOG` has the last
/// word.
pub(super) fn start_log(level: &str) {
    log_from(level)
        .write_style(if std::io::stderr().is_terminal() {
            env_logger::WriteStyle::Auto
        } else {
            env_logger::WriteStyle::Never
        })
        .init();
}

/// The same into something else.
#[cfg(feature = "top")]
pub(super) fn start_log_into(level: &str, out: Box<dyn Write + Send>) {
    log_from(level)
        .target(env_logger::Target::Pipe(out))
        .write_style(env_logger::WriteStyle::Never)
        .init();
}

fn log_from(level: &str) -> env_logger::Builder {
    let mut builder =
        env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level));
    builder.format_target(false).format_timestamp_millis();
    builder
}

/// Says which hooks do not fire and which families were left out; all hooks, if
/// asked to.
pub(super) fn say_coverage(coverage: &Coverage, all: bool) -> io::Result<()> {
    write_coverage(&mut stderr(), coverage, all)
}

fn write_coverage(err: &mut impl Write, coverage: &Coverage, all: bool) -> io::Result<()> {
    if let Some(why) = &coverage.without_ipv6 {
        writeln!(err, "v6trace: {why}")?;
    }
    if let Some(families) = coverage.left_out() {
        writeln!(err, "v6trace: left out on request: {families}")?;
    }
    for trouble in coverage.troubles() {
        writeln!(err, "v6trace: {trouble}")?;
    }
    if !all {
        return Ok(());
    }
    for hook in coverage.attached() {
        let note = hook.note.as_deref();
        let note = note.map_or_else(String::new, |note| format!(": {note}"));
        let via = hook.via.map_or_else(String::new, |via| format!(", {via}"));
        writeln!(
            err,
            "v6trace: {} {} ({}{via}){note}",
            hook.hook, hook.status, hook.function
        )?;
    }
    for absent in &coverage.absent {
        writeln!(err, "v6trace: {absent}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::{HookCoverage, Status};

    #[test]
    fn namespaces_by_inode_and_name() {
        assert_eq!(netns("4026531840"), NetnsFilter::Inode(4_026_531_840));
        assert_eq!(netns("blue"), NetnsFilter::Name("blue".to_owned()));
    }

    #[test]
    fn coverage_tells_what_there_is_not_and_one_trouble_once() {
        let hook = |hook: &str, status, note: &str| HookCoverage {
            hook: hook.to_owned(),
            function: format!("f_{hook}"),
            status,
            via: None,
            note: Some(note.to_owned()),
        };
        let coverage = Coverage {
            hooks: vec![
                hook("a", Status::Refused, "the kernel said no"),
                hook("b", Status::Fallback, "half of it"),
                hook("c", Status::Refused, "the kernel said no"),
            ],
            without_ipv6: Some("no IPv6".to_owned()),
            left_out: vec!["dad".to_owned(), "forwarding".to_owned()],
            absent: vec![],
        };
        let said = |all| {
            let mut text = Vec::new();
            write_coverage(&mut text, &coverage, all).unwrap();
            String::from_utf8(text).unwrap()
        };
        let few = "v6trace: no IPv6\n\
                   v6trace: left out on request: dad, forwarding\n\
                   v6trace: 2 hooks refused: the kernel said no (a at f_a, c at f_c)\n";
        assert_eq!(said(false), few);
        assert_eq!(
            said(true),
            few.to_owned() + "v6trace: b fallback (f_b): half of it\n"
        );
        assert_eq!(said(false).matches("said no").count(), 1);
    }
}
