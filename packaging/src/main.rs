//! Makes what v6trace is handed out as: packages of the program with what it says
//! of itself, its command line as manual pages and completions, and its catalogue
//! of causes. `cargo xtask package` runs it.
//!
//! ```text
//! manual, causes, completions   what is made of the library
//! files                         these and the program, each with its place
//! deb, redhat, archive, image   all of that, as others install it
//! ```
//!
//! It is no part of v6trace, which is carried to machines that fail and has
//! to be small. The same commit and program give the same bytes, whenever they
//! are packed.

mod about;
mod archive;
mod causes;
mod completions;
mod deb;
mod files;
mod image;
mod manual;
mod redhat;

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
    #[arg(long, env = "SOURCE_DATE_EPOCH")]
    epoch: u64,
    /// The program
    #[arg(long)]
    v6trace: PathBuf,
    /// A directory to write it into
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
    let Arguments { epoch, into, .. } = arguments;
    let created = Timestamp::from_second(i64::try_from(*epoch)?)?;
    let date = created.strftime("%Y-%m-%d").to_string();
    let files = files::all(&arguments.v6trace, &date)?;
    // As they are, for who makes packages of another kind.
    write(&into.join("man"), &files::manual_pages(&date)?)?;
    let laid_out = into.join("partial");
    let mut made = vec![
        deb::of(&files, *epoch, &laid_out)?,
        redhat::of(&files, *epoch)?,
        archive::of(&files, *epoch)?,
        image::of(&files, created, *epoch)?,
    ];
    fs::remove_dir_all(&laid_out)?;
    let sums = made.iter().map(|(name, content)| {
        let sum = image::hexadecimal(content);
        format!("{sum}  {name}\n")
    });
    made.push((
        "SHA256SUMS".to_owned(),
        sums.collect::<String>().into_bytes(),
    ));
    write(into, &made)
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
