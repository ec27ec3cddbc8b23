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
mod machine;
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
    /// The program, one for each machine that packages are made for
    #[arg(long, required = true)]
    v6trace: Vec<PathBuf>,
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
    let mut machines = Vec::new();
    for path in &arguments.v6trace {
        let shown = path.display();
        let program = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
        let machine = machine::of(&program).with_context(|| format!("cannot pack {shown}"))?;
        machines.push((machine, files::all(&program, &date)?));
    }
    // As they are, for who makes packages of another kind.
    write(&into.join("man"), &files::manual_pages(&date)?)?;
    let laid_out = into.join("partial");
    let mut made = Vec::new();
    for (machine, files) in &machines {
        made.push(deb::of(files, *machine, *epoch, effort, &laid_out)?);
        made.push(redhat::of(files, *machine, *epoch, effort)?);
        made.push(archive::of(files, *machine, *epoch, effort)?);
    }
    made.push(image::of(&machines, created, *epoch, effort)?);
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
    use object::{
        Endianness,
        elf::{EM_AARCH64, EM_X86_64},
        write::elf::{FileHeader, Writer},
    };
    use rustix::{fs::Mode, process::umask};

    use super::*;

    /// A program that has only its header.
    fn program(machine: u16) -> Vec<u8> {
        let mut program = Vec::new();
        let mut writer = Writer::new(Endianness::Little, true, &mut program);
        let header = FileHeader {
            os_abi: 0,
            abi_version: 0,
            e_type: object::elf::ET_EXEC,
            e_machine: machine,
            e_entry: 0,
            e_flags: 0,
        };
        writer.reserve_file_header();
        writer.write_file_header(&header).expect("a header");
        program
    }

    #[test]
    fn packed_again_it_is_the_same() {
        let directory = tempfile::tempdir().expect("a directory");
        let programs = [("x86_64", EM_X86_64), ("aarch64", EM_AARCH64)];
        let programs = programs.map(|(name, machine)| {
            let path = directory.path().join(name);
            fs::write(&path, program(machine)).expect("a file");
            path
        });
        let sums = [0o022, 0o077, 0o002].map(|mask| {
            let into = directory.path().join(format!("{mask:o}"));
            let before = umask(Mode::from_raw_mode(mask));
            let made = make(&Arguments {
                epoch: 1_700_000_000,
                v6trace: programs.to_vec(),
                fast: true,
                into: into.clone(),
            });
            umask(before);
            made.expect("all of it is made");
            fs::read_to_string(into.join("SHA256SUMS")).expect("their sums")
        });
        assert_eq!(sums[0].lines().count(), 7);
        assert!(sums.iter().all(|other| *other == sums[0]), "{sums:?}");
    }
}
