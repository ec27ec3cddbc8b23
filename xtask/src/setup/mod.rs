//! Finds or installs what the tasks need; each part is quick when all is
//! there.
//!
//! - `compiler`: a compiler for the eBPF programs, if need be from Debian
//!   packages that `host` installs;
//! - `deny`: what checks dependencies;
//! - `tools`, `kernels`, `userland`: what makes guests and what they boot,
//!   taken from Debian's archive through a private apt root (`apt`,
//!   `sources`) and unpacked under `target/guest`, without touching the
//!   machine.

pub(crate) mod apt;
pub(crate) mod compiler;
pub(crate) mod deny;
mod entries;
pub(crate) mod host;
pub(crate) mod kernels;
pub(crate) mod libraries;
mod sources;
pub(crate) mod suites;
pub(crate) mod tools;
pub(crate) mod userland;

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

use crate::{paths, progress};

/// How long an answer of the archive is trusted.
const FRESH: Duration = Duration::from_hours(24);

/// Held while set-up changes `target/`; released when dropped.
pub(crate) struct Lock {
    _file: File,
}

/// Waits until no other `cargo xtask` of this checkout is setting up.
pub(crate) fn lock() -> Result<Lock> {
    ensure!(
        cfg!(all(target_arch = "x86_64", target_os = "linux")),
        "v6trace's guests run x86-64 Linux, and so must the machine that starts them"
    );
    paths::make_dir(&paths::target(""))?;
    let path = paths::target("xtask.lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    if file.try_lock().is_err() {
        progress::say("Waiting for another `cargo xtask` to finish its set-up ...");
        file.lock()
            .with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(Lock { _file: file })
}

/// Whether a file was written within the last day.
fn is_fresh(path: &Path) -> bool {
    path.metadata()
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|written| {
            SystemTime::now()
                .duration_since(written)
                .is_ok_and(|age| age < FRESH)
        })
}
