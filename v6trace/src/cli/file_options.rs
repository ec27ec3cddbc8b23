//! Recordings that something is made of, and where that is written: a file of its owner's
//! alone, or standard output.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use same_file::Handle;

use super::{options::FilterOptions, recordings::Recordings};
use crate::{
    event,
    filter::Filter,
    recording::{ReadError, Reader, Replay},
    render::Render,
    report::Report,
};

/// Of what, and where it goes.
#[derive(Args, Debug)]
pub(super) struct FileOptions {
    /// Recordings, or the pieces of one in their order; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to write it, instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace that file if it is there already
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    filter: FilterOptions,
}

impl FileOptions {
    /// Whether it is a file.
    pub(super) fn is_given(&self) -> bool {
        self.output.is_some()
    }

    /// What to tell of them.
    pub(super) fn filter(&self) -> anyhow::Result<Filter> {
        self.filter.offline()
    }

    /// Has all of them told, whatever comes then of what could not be read.
    pub(super) fn tell<R: Render>(
        &self,
        report: Report<R>,
        end: impl FnOnce(R) -> anyhow::Result<()>,
    ) -> anyhow::Result<ExitCode> {
        let mut feed = Replay::new(report);
        let (_, read) = Recordings::new(&self.files).feed(&mut feed, |_| Ok(()));
        let (whole, render) = feed.finish()?;
        end(render)?;
        read?;
        Ok(if whole {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// Opens where it goes.
    pub(super) fn open(&self) -> anyhow::Result<Box<dyn Write>> {
        self.check_inputs()?;
        self.open_output()
    }

    /// Nothing is replaced for inputs that are not there or are no recordings,
    /// nor by themselves.
    fn check_inputs(&self) -> anyhow::Result<()> {
        let output = self.output.as_deref().filter(|path| path.is_file());
        let output = output.and_then(|path| Handle::from_path(path).ok());
        for input in self.files.iter().filter(|path| path.as_os_str() != "-") {
            let file = File::open(input);
            let file = file.with_context(|| format!("cannot open {}", input.display()))?;
            let input_is = Handle::from_file(file.try_clone()?)?;
            if file.metadata()?.is_file() {
                let begins = begins_recording(file);
                begins.with_context(|| event::text(input.as_os_str().as_encoded_bytes()))?;
            }
            if output.as_ref() == Some(&input_is) {
                bail!("{} cannot be written into itself", input.display());
            }
        }
        Ok(())
    }

    fn open_output(&self) -> anyhow::Result<Box<dyn Write>> {
        let Some(path) = &self.output else {
            return Ok(Box::new(BufWriter::new(io::stdout().lock())));
        };
        let mut options = File::options();
        options.write(true).truncate(true);
        // What is in a recording is its owner's to pass on.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = if self.force {
            options.create(true).open(path)
        } else {
            options.create_new(true).open(path)
        };
        let path = path.display();
        match file {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                bail!("{path} is there already; --force replaces it")
            }
            file => Ok(Box::new(BufWriter::new(
                file.with_context(|| format!("cannot create {path}"))?,
            ))),
        }
    }
}

/// Whether there is anything to read.
fn begins_recording(file: File) -> Result<(), ReadError> {
    let mut reader = Reader::new(file)?;
    if reader.next_item()?.is_none() {
        reader.finish()?;
    }
    Ok(())
}
