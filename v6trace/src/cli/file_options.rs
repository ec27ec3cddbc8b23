//! Where what is made of recordings is written: a file of its owner's alone, or standard
//! output.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use clap::Args;
use same_file::Handle;

use crate::{
    event,
    recording::{ReadError, Reader},
};

/// Where it goes.
#[derive(Args, Debug)]
pub(super) struct FileOptions {
    /// Where to write it, instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace that file if it is there already
    #[arg(long, requires = "output")]
    force: bool,
}

impl FileOptions {
    /// Whether it is a file.
    pub(super) fn is_given(&self) -> bool {
        self.output.is_some()
    }

    /// Nothing is replaced for inputs that are not there or are no recordings,
    /// nor by themselves.
    pub(super) fn check_inputs(&self, inputs: &[PathBuf]) -> anyhow::Result<()> {
        let output = self.output.as_deref().filter(|path| path.is_file());
        let output = output.and_then(|path| Handle::from_path(path).ok());
        for input in inputs.iter().filter(|path| path.as_os_str() != "-") {
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

    /// Opens it.
    pub(super) fn open(&self) -> anyhow::Result<Box<dyn Write>> {
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
