//! The task `golden`: records the stories again, on every kernel, into the
//! files that `cargo test` replays.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::architecture::OWN;
use crate::batch;
use crate::console::Line;
use crate::paths;
use crate::prepare;
use crate::progress::{self, Step};
use crate::qemu::{EMULATED, Job};

/// Records on the given kernels, one after the other.
pub(crate) fn task(kernels: &[String], refresh: bool) -> Result<ExitCode> {
    for kernel in kernels {
        let (binaries, files) = prepare::prepare_one(OWN, kernel, refresh)?;
        let step = Step::start(format!("Recording the stories on {}", files.version));
        let job = Job {
            arguments: &["golden".to_owned()],
            script: None,
            environment: "",
            interactive: false,
            hardware: &EMULATED,
        };
        let mut recorded: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let log_name = format!("{}-golden", files.version);
        batch::run(&files, &binaries, &job, &log_name, batch::LONG, |line| {
            if let Line::File { name, part } = line {
                recorded.entry(name).or_default().extend(part);
            }
        })?;
        ensure!(!recorded.is_empty(), "the guest sent no file");
        let directory = paths::golden(kernel);
        paths::make_dir(&directory)?;
        for (name, content) in recorded {
            let path = directory.join(&name);
            paths::write(&path, content)?;
            progress::say(&format!("  {}", paths::shown(&path)));
        }
        step.done();
    }
    Ok(ExitCode::SUCCESS)
}
