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

use crate::files::Effort;

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
    /// In haste, so that they are larger: to see that they can be made
    #[arg(long)]
    fast: bool,
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
    let effort = if arguments.fast {
        Effort::Least
    } else {
        Effort::Most
    };
    let files = files::all(&arguments.v6trace, &date)?;
    // As they are, for who makes packages of another kind.
    write(&into.join("man"), &files::manual_pages(&date)?)?;
    let laid_out = into.join("partial");
    let mut made = vec![
        deb::of(&files, *epoch, effort, &laid_out)?,
        redhat::of(&files, *epoch, effort)?,
        archive::of(&files, *epoch, effort)?,
        image::of(&files, created, *epoch, effort)?,
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

#[cfg(test)]
mod tests {
    use rustix::{fs::Mode, process::umask};

    use super::*;

    #[test]
    fn packed_again_it_is_the_same() {
        let directory = tempfile::tempdir().expect("a directory");
        let v6trace = directory.path().join("v6trace");
        fs::write(&v6trace, "a program").expect("a file");
        let sums = [0o022, 0o077, 0o002].map(|mask| {
            let into = directory.path().join(format!("{mask:o}"));
            let before = umask(Mode::from_raw_mode(mask));
            let made = make(&Arguments {
                epoch: 1_700_000_000,
                v6trace: v6trace.clone(),
                fast: true,
                into: into.clone(),
            });
            umask(before);
            made.expect("all of it is made");
            fs::read_to_string(into.join("SHA256SUMS")).expect("their sums")
        });
        assert_eq!(sums[0].lines().count(), 4);
        assert!(sums.iter().all(|other| *other == sums[0]), "{sums:?}");
    }
}
