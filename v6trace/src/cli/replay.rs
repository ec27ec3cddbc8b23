//! `v6trace replay`: the explanations of recorded sessions, as live tracing
//! gave them.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use super::options::{self, FilterOptions, Input, OutputOptions};
use crate::{
    recording::{Item, Reader, Replay as Feed, piece_path},
    render::Render,
    report::Report,
};

/// How often a file that is followed is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Arguments of `v6trace replay`.
#[derive(Args, Debug)]
pub(super) struct Replay {
    /// Recordings, or the pieces of one in their order; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Wait for more until the recording ends
    #[arg(short = 'F', long)]
    follow: bool,
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
        let report = self.output.report(self.filter.offline()?);
        let render = self.output.render(Box::new(options::stdout()));
        let mut feed = Feed::new(Report::new(report, render));
        let read = self.read(&mut feed);
        // What could be read is explained and summed up, whatever came then.
        let (whole, _) = feed.finish()?;
        read?;
        Ok(if whole {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn read(&self, feed: &mut Feed<Box<dyn Render>>) -> anyhow::Result<()> {
        let follow = self.follow.then(Following::begin).transpose()?;
        let mut previous: Option<Reader<Input>> = None;
        let last = self.files.len() - 1;
        for (index, path) in self.files.iter().enumerate() {
            let follow = follow.as_ref().filter(|_| index == last);
            self.file(path, feed, &mut previous, follow)?;
        }
        let first = &self.files[last];
        let mut piece = 0;
        while let Some(follow) = &follow
            && feed.is_continued()
        {
            piece += 1;
            let next = piece_path(first, piece);
            if !follow.wait_for(&next) {
                break;
            }
            self.file(&next, feed, &mut previous, Some(follow))?;
        }
        Ok(())
    }

    fn file(
        &self,
        path: &Path,
        feed: &mut Feed<Box<dyn Render>>,
        previous: &mut Option<Reader<Input>>,
        follow: Option<&Following>,
    ) -> anyhow::Result<()> {
        let name = options::file_name(path);
        let input = options::open(path)?;
        let mut reader = Reader::new(input).with_context(|| name.clone())?;
        if let Some(previous) = previous {
            reader = reader.continuing(previous);
        }
        feed.begin_file(&name);
        loop {
            while let Some(item) = reader.next_item().with_context(|| name.clone())? {
                if let Item::Opening(opening) = &item
                    && !self.output.quiet
                    && !feed.is_open(opening)
                {
                    options::say_coverage(&opening.session.coverage, self.verbose)?;
                }
                feed.take(item)?;
            }
            feed.flush()?;
            let more = !feed.has_ended() && !feed.is_continued();
            if !follow.is_some_and(|follow| more && follow.pause()) {
                break;
            }
        }
        if let Some(item) = reader.finish().with_context(|| name.clone())? {
            feed.take(item)?;
        }
        *previous = Some(reader);
        Ok(())
    }
}

/// Waiting for a file to grow.
struct Following {
    stop: Arc<AtomicBool>,
}

impl Following {
    /// From now on Ctrl-C ends the waiting; a second one ends the process.
    fn begin() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_default(signal, Arc::clone(&stop))?;
            flag::register(signal, Arc::clone(&stop))?;
        }
        Ok(Self { stop })
    }

    /// Waits a moment; `false` where nobody wants to any more.
    fn pause(&self) -> bool {
        thread::sleep(POLL);
        !self.stop.load(Ordering::Relaxed)
    }

    /// Waits until a file is there; `false` where nobody wants to any more.
    fn wait_for(&self, path: &Path) -> bool {
        while !path.exists() {
            if !self.pause() {
                return false;
            }
        }
        true
    }
}
