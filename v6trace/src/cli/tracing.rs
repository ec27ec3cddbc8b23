//! What `live`, `record` and `why` have in common: attach, explain, perhaps record,
//! until told to stop or the traced command ends.

use std::{
    cell::Cell,
    io::{self, Write},
    ops::ControlFlow,
    process::ExitCode,
};

use clap::Args;

use super::{
    command::{Traced, ended},
    follow::{Explained, Follow},
    live_options::{self, LiveOptions},
    options::{self, FilterOptions, OutputOptions},
    stop::Stop,
};
use crate::{
    clock,
    filter::Filter,
    live,
    observe::ORDERED_NS,
    privilege::kept::Files,
    record::{Quiet, Record},
    recording::{OutputFile, Writer},
    render::Render,
    report::Report,
};

/// Makes the file to record into.
pub(super) type Create<'a> = &'a dyn Fn() -> anyhow::Result<OutputFile>;

/// Arguments of commands that trace the whole host.
#[derive(Args, Debug)]
pub(super) struct Tracing {
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    session: SessionOptions,
}

impl Tracing {
    /// Traces, into `recording` as well if there is one, and until `command`
    /// ends if there is one; its exit status is then the result.
    pub(super) fn run(
        &self,
        recording: Option<Create<'_>>,
        command: Option<&Traced>,
    ) -> anyhow::Result<ExitCode> {
        self.session.run(Work {
            filter: self.filter.filter()?,
            recording,
            command,
            follow: None,
        })
    }
}

/// What is to be traced, and where it goes.
pub(super) struct Work<'a> {
    /// Which occurrences to show.
    pub(super) filter: Filter,
    /// What to record into as well.
    pub(super) recording: Option<Create<'a>>,
    /// The command until whose end it goes on.
    pub(super) command: Option<&'a Traced>,
    /// The processes that it is about, if not about all.
    pub(super) follow: Option<Follow>,
}

/// Arguments of every command that traces.
#[derive(Args, Debug)]
pub(super) struct SessionOptions {
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    live: LiveOptions,
}

impl SessionOptions {
    /// Traces; the exit status of a command is the result.
    pub(super) fn run(&self, work: Work<'_>) -> anyhow::Result<ExitCode> {
        self.output.apply_color();
        self.live.trace.start_log();
        let report = self.output.report(work.filter.clone())?;
        // What the command prints is its own.
        let render = if work.command.is_some() {
            self.output
                .render(Box::new(io::BufWriter::new(options::stderr())))
        } else {
            self.output.render_to_stdout()
        };
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(self.trace(Report::new(report, render), work))
    }

    async fn trace(
        &self,
        mut report: Report<Box<dyn Render>>,
        work: Work<'_>,
    ) -> anyhow::Result<ExitCode> {
        let Work {
            recording,
            command,
            follow,
            ..
        } = work;
        let mut begun = self.live.begin(self.output.events, follow.is_some())?;
        let attached = &mut begun.attached;
        if !self.output.quiet {
            options::say_coverage(&attached.coverage, self.live.trace.verbose > 0)?;
        }
        if self.live.trace.verbose > 1 {
            live::kernel_log::start(&mut attached.ebpf)?;
        }
        let hooks = attached.coverage.hooks.len();
        let count = attached.coverage.attached().count();
        if let Some(follow) = &follow {
            let following = follow.begin(attached, command)?;
            begun.host.push(following.into());
        }
        // A command, which is started later, has the rights of whoever runs it.
        if command.is_none() {
            live_options::give_up_rights(match recording {
                Some(_) => Files::Replaced,
                None => Files::None,
            });
        }
        let (live, info) = begun.into_live()?;
        let mut recorder = recording
            .map(|create| create().and_then(Recorder::new))
            .transpose()?;
        // While a command is asked about, signals are for that.
        let mut stop = match (&follow, command) {
            (Some(_), Some(_)) => Stop::listen_only()?,
            _ => Stop::listen()?,
        };
        // Whoever asks about a command does not wait for this.
        let is_asked = follow.is_some() && command.is_some() && self.live.trace.verbose == 0;
        if !self.output.quiet && !is_asked {
            let place = recorder.as_ref().map(Recorder::place).unwrap_or_default();
            say_ready(count, hooks, &info.kernel, &place);
        }
        // Without a service manager there is nobody to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        let mut child = command.map(Traced::start);

        let mut failed = None;
        let status = Cell::new(None);
        let explained = Explained::default();
        let end = async {
            match (&mut child, &follow) {
                (Some(Ok(child)), _) => {
                    status.set(child.ended(&mut stop).await);
                    if follow.is_some() {
                        let ended_well = status.get().is_some_and(|status| status.success());
                        let quiet = self.output.quiet;
                        explained.settled(ended_well, &mut stop, quiet).await;
                    }
                }
                // The session ends as it would have with the command.
                (Some(Err(_)), _) => {}
                (None, Some(follow)) => follow.ended(&mut stop).await,
                (None, None) => {
                    stop.asked().await;
                }
            }
        };
        let watched = follow.is_some().then_some(&explained.through_ns);
        let sink = |mut records: Vec<Record>| {
            if follow.is_some()
                && let Some(&Record::End { boot_ns }) = records.last()
                && let Some(status) = status.get()
            {
                let ended = ended(status, boot_ns);
                records.insert(records.len() - 1, ended.into());
            }
            records.extend(quiet(&report, records.is_empty() && failed.is_none()));
            if let Some(recorder) = &mut recorder {
                recorder.take(&records);
            }
            let told = explain(&mut report, &records, &mut failed);
            explained.note(&report);
            match told {
                // Whoever no longer reads does not end the command.
                ControlFlow::Break(()) if failed.is_some() && command.is_some() => {
                    ControlFlow::Continue(())
                }
                other => other,
            }
        };
        let traced = live.run(info, self.live.duration, end, watched, sink).await;
        let complete = recorder.is_none_or(Recorder::finish);
        let status = match child {
            Some(Ok(child)) => Some(child.status(&mut stop).await?),
            Some(Err(unstarted)) => Some(unstarted.tell()),
            None => None,
        };
        traced?;
        match (status, failed) {
            (Some(status), _) => Ok(status),
            (None, Some(error)) => Err(error.into()),
            (None, None) if complete => Ok(ExitCode::SUCCESS),
            (None, None) => Ok(ExitCode::FAILURE),
        }
    }
}

/// Says that everything is there.
fn say_ready(count: usize, hooks: usize, kernel: &str, place: &str) {
    // With standard error closed there is nobody to tell.
    let _ = writeln!(
        options::stderr(),
        "v6trace: ready, {count} of {hooks} hooks attached on {kernel}{place}; Ctrl-C ends"
    );
}

/// What the stream has to say so that what repeated is told, though nothing else happens.
pub(super) fn quiet(report: &Report<impl Render>, nothing_else: bool) -> Option<Record> {
    // What happened since may still have to come.
    let boot_ns = clock::boot_ns().saturating_sub(ORDERED_NS);
    let is_due = nothing_else && report.is_due(boot_ns);
    is_due.then(|| Quiet { boot_ns }.into())
}

/// Explains records, until nobody reads it.
fn explain(
    report: &mut Report<Box<dyn Render>>,
    records: &[Record],
    failed: &mut Option<io::Error>,
) -> ControlFlow<()> {
    if failed.is_some() {
        return ControlFlow::Break(());
    }
    told(report, records).unwrap_or_else(|error| {
        *failed = Some(error);
        ControlFlow::Break(())
    })
}

/// Explains records and lets the reader have them at once.
pub(super) fn told(
    report: &mut Report<impl Render>,
    records: &[Record],
) -> io::Result<ControlFlow<()>> {
    let mut enough = ControlFlow::Continue(());
    for record in records {
        if report.feed(record)?.is_break() {
            enough = ControlFlow::Break(());
        }
    }
    report.flush()?;
    Ok(enough)
}

/// A recording under way; says what goes wrong with it.
struct Recorder {
    writer: Writer,
}

impl Recorder {
    fn new(output: OutputFile) -> anyhow::Result<Self> {
        Ok(Self {
            writer: Writer::new(output)?,
        })
    }

    /// Where it goes, as a part of the ready line.
    fn place(&self) -> String {
        format!(", recording into {}", self.writer.path().display())
    }

    fn take(&mut self, records: &[Record]) {
        if let Err(error) = self.writer.take(records) {
            self.say(&format!(
                "{error}; tracing goes on, and what cannot be recorded is counted"
            ));
        }
    }

    /// Whether all of it is in the file.
    fn finish(self) -> bool {
        let path = self.writer.path().to_owned();
        let (stats, finished) = self.writer.finish();
        let say = |what: &str| {
            let _ = writeln!(options::stderr(), "v6trace: {}: {what}", path.display());
        };
        if let Err(error) = &finished {
            say(&error.to_string());
        }
        if stats.unrecorded > 0 {
            say(&format!(
                "{} of {} records could not be recorded",
                stats.unrecorded,
                stats.unrecorded + stats.stored
            ));
        }
        finished.is_ok() && stats.unrecorded == 0
    }

    fn say(&self, what: &str) {
        // With standard error closed there is nobody to tell.
        let path = self.writer.path().display();
        let _ = writeln!(options::stderr(), "v6trace: {path}: {what}");
    }
}
