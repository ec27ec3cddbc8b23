//! Makes what v6trace is handed out as, of what it says of itself: its command
//! line and its catalogue of causes. `cargo xtask package` runs it.
//!
//! It is no part of v6trace, which is carried to machines that fail and has
//! to be small.

mod causes;
mod completions;
mod manual;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::Parser;
use jiff::Timestamp;

/// Makes what v6trace is handed out as.
#[derive(Parser)]
struct Arguments {
    /// When the commit was made that it is made of, seconds since 1970: what
    /// is made bears no other time
    #[arg(long, env = "SOURCE_DATE_EPOCH", value_parser = timestamp)]
    epoch: Timestamp,
    /// Where to write it
    into: PathBuf,
}

/// A file, by its name.
type Named = (String, Vec<u8>);

fn main() -> ExitCode {
    match make(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn make(arguments: &Arguments) -> Result<()> {
    let date = arguments.epoch.strftime("%Y-%m-%d").to_string();
    let mut pages = manual::pages(&date)?;
    pages.push(causes::page(&date)?);
    write(&arguments.into.join("man"), &pages)?;
    write(&arguments.into.join("completions"), &completions::all())
}

fn write(directory: &Path, files: &[Named]) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    for (name, content) in files {
        let path = directory.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn timestamp(text: &str) -> Result<Timestamp> {
    Ok(Timestamp::from_second(text.parse()?)?)
}
