//! `v6trace live`: attach, then explain until told to stop.

use std::{
    io::{self, Write},
    ops::ControlFlow,
    process::ExitCode,
    time::Duration,
};

use clap::Args;

use super::{
    options::{self, FilterOptions, OutputOptions, TraceOptions},
    stop::Stop,
};
use crate::{
    attach::{self, Coverage},
    live,
    record::Record,
    render::{Json, Render, Text},
    report::Report,
};

/// Arguments of `v6trace live`.
#[derive(Args, Debug)]
pub(super) struct Live {
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    output: OutputOptions,
    #[command(flatten)]
    trace: TraceOptions,
    /// Stop after this time: seconds, or a span such as 5m
    #[arg(long, value_name = "TIME", value_parser = options::duration)]
    duration: Option<Duration>,
    /// Size of the buffer between kernel and v6trace, for each CPU
    #[arg(long, value_name = "BYTES", default_value = "512K", value_parser = options::size)]
    buffer_size: usize,
}

impl Live {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        self.output.apply_color();
        self.trace.start_log();
        let report = self.output.report(self.filter.filter()?);
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(async {
                if self.output.is_json() {
                    let out = io::BufWriter::new(io::stdout().lock());
                    let json = Json::new(out, options::stderr());
                    self.trace(Report::new(report, json)).await
                } else {
                    let text = Text::new(
                        options::stdout(),
                        options::stderr(),
                        self.output.time(),
                        self.output.quiet,
                    );
                    self.trace(Report::new(report, text)).await
                }
            })?;
        Ok(ExitCode::SUCCESS)
    }

    async fn trace<R: Render>(&self, mut report: Report<R>) -> anyhow::Result<()> {
        let options = self.trace.attach(self.output.events);
        let (mut attached, buffers) =
            attach::attach(&options, |ebpf| live::Buffers::open(ebpf, self.buffer_size))?;
        if !self.output.quiet {
            say_coverage(&attached.coverage, self.trace.verbose > 0)?;
        }
        if self.trace.verbose > 1 {
            live::kernel_log::start(&mut attached.ebpf)?;
        }
        let hooks = attached.coverage.hooks.len();
        let count = attached.coverage.attached().count();
        let (live, info) = live::Live::new(attached, buffers)?;
        let stop = Stop::listen()?;
        if !self.output.quiet {
            // With standard error closed there is nobody to tell.
            let _ = writeln!(
                options::stderr(),
                "v6trace: ready, {count} of {hooks} hooks attached on {}; Ctrl-C ends",
                info.kernel
            );
        }
        // Without a service manager there is nobody to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);

        let mut failed = None;
        live.run(info, self.duration, stop.wait(), |record: Record| {
            if failed.is_some() {
                return ControlFlow::Break(());
            }
            report.feed(record).unwrap_or_else(|error| {
                failed = Some(error);
                ControlFlow::Break(())
            })
        })
        .await?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Says which hooks fire: all of them if asked to, else those that do not.
fn say_coverage(coverage: &Coverage, all: bool) -> io::Result<()> {
    let mut err = options::stderr();
    for hook in &coverage.hooks {
        if all || !hook.status.is_attached() {
            let note = hook
                .note
                .as_deref()
                .map_or_else(String::new, |note| format!(": {note}"));
            writeln!(
                err,
                "v6trace: {} {} ({}){note}",
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
