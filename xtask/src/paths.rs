//! Where things are: the checkout and the places under `target/` that the
//! tasks write to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

/// The root of the checkout that this xtask was compiled from.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// `target/NAME`.
///
/// `CARGO_TARGET_DIR` is left aside on purpose: the names in messages and
/// documentation then hold everywhere.
pub(crate) fn target(name: &str) -> PathBuf {
    root().join("target").join(name)
}

/// `target/guest/NAME`: kernels, userland, initramfs layers and logs.
pub(crate) fn guest(name: &str) -> PathBuf {
    target("guest").join(name)
}

/// Where recordings of a kernel are kept for tests without one.
pub(crate) fn golden(kernel: &str) -> PathBuf {
    root().join("v6trace/tests/golden").join(kernel)
}

/// A path as shown in messages: relative to the checkout when inside it.
pub(crate) fn shown(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(root()).unwrap_or(path).display()
}

/// Creates a directory and its parents.
pub(crate) fn make_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))
}

/// Makes `path` an empty directory, whatever it was before.
pub(crate) fn make_empty_dir(path: &Path) -> Result<()> {
    remove_dir(path)?;
    make_dir(path)
}

/// Removes a directory with its content; one that is not there is fine.
pub(crate) fn remove_dir(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes a file, replacing it.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Copies a file, with this mode, into a directory that is created if need
/// be.
pub(crate) fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let failed = || format!("cannot copy {} to {}", from.display(), to.display());
    if let Some(parent) = to.parent() {
        make_dir(parent)?;
    }
    fs::copy(from, to).with_context(failed)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).with_context(failed)
}

/// A new name in `target/guest/run`, for what lives no longer than this
/// task. What killed tasks left there is removed.
pub(crate) fn run_file(name: &str) -> Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let directory = guest("run");
    make_dir(&directory)?;
    for entry in fs::read_dir(&directory)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let task = name.split('-').next().unwrap_or_default().to_owned();
        if !Path::new("/proc").join(task).exists() {
            // Another task may be faster; then it is gone as well.
            let _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path()));
        }
    }
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    Ok(directory.join(format!("{}-{number}-{name}", std::process::id())))
}
