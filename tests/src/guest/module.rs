//! Kernels that lack a module.

use std::ffi::CString;
use std::fs::{self, File};

use anyhow::{Context as _, Result};
use rustix::io::Errno;
use rustix::system::{delete_module, finit_module};

/// Modules that are not there while this lives. The guest has nothing that
/// would load them on demand.
pub(crate) struct Unloaded {
    names: &'static [&'static str],
}

impl Unloaded {
    /// Takes these modules out, each ahead of those that it needs.
    ///
    /// # Errors
    /// One is in use or built in.
    pub(crate) fn new(names: &'static [&'static str]) -> Result<Self> {
        let unloaded = Self { names };
        for name in names {
            match delete_module(&CString::new(*name)?, 0) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno).with_context(|| format!("cannot unload {name}")),
            }
        }
        Ok(unloaded)
    }
}

impl Drop for Unloaded {
    fn drop(&mut self) {
        for name in self.names.iter().rev() {
            if let Err(error) = load(name) {
                eprintln!("{error:#}");
            }
        }
    }
}

/// Loads what the host side packed under this name.
fn load(name: &str) -> Result<()> {
    let packed = fs::read_dir("/modules").context("cannot list /modules")?;
    let path = packed
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy());
            stem.is_some_and(|stem| stem.replace('-', "_") == name)
        })
        .with_context(|| format!("/modules has no {name}"))?;
    let module = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    match finit_module(&module, c"", 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno).with_context(|| format!("cannot load {name} again")),
    }
}
