//! `v6trace export`: recorded sessions in a form for other programs.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use same_file::Handle;

use super::{
    options::{self, FilterOptions},
    recordings::Recordings,
};
use crate::{
    event,
    recording::{ReadError, Reader, Replay},
    render::{Csv, Json, Pcapng, Render},
    report::{self, Report},
};

/// Arguments of `v6trace export`.
#[derive(Args, Debug)]
pub(super) struct Export {
    /// Recordings, or the pieces of one in their order; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum)]
    format: Format,
    /// Where to write it, instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace that file if it is there already
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    filter: FilterOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The frames of neighbour discovery, with what is said of them as comments
    Pcapng,
    /// Diagnoses and events, one JSON object a line
    Json,
    /// Diagnoses, one row each
    Csv,
}

impl Export {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        options::start_log("warn");
        let options = report::Options {
            everything: true,
            filter: self.filter.offline()?,
            events: self.format != Format::Csv,
            ..report::Options::default()
        };
        self.check_inputs()?;
        let out = self.open()?;
        let err = options::stderr();
        let render: Box<dyn Render> = match self.format {
            Format::Pcapng => Box::new(Pcapng::new(out, err)),
            Format::Json => Box::new(Json::new(out, err)),
            Format::Csv => Box::new(Csv::new(out, err)),
        };
        let mut feed = Replay::new(Report::new(options, render));
        let (_, read) = Recordings::new(&self.files).feed(&mut feed, |_| Ok(()));
        let (whole, _) = feed.finish()?;
        read?;
        Ok(if whole {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
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
                bail!("{} cannot be exported into itself", input.display());
            }
        }
        Ok(())
    }

    fn open(&self) -> anyhow::Result<Box<dyn Write>> {
        let Some(path) = &self.output else {
            if self.format == Format::Pcapng && io::stdout().is_terminal() {
                bail!("pcapng is nothing for a terminal; -o FILE writes it into a file");
            }
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

/// Whether there is anything to export.
fn begins_recording(file: File) -> Result<(), ReadError> {
    let mut reader = Reader::new(file)?;
    if reader.next_item()?.is_none() {
        reader.finish()?;
    }
    Ok(())
}
