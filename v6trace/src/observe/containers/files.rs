//! Files of runtimes, some of which users write: what a process of root reads of them
//! is bounded, and never waits.

use std::{
    fs::{self, OpenOptions},
    io::Read as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use serde_json::Value;

/// Bytes of a file that are read: Podman has all its containers in one.
const LONGEST: u64 = 8 << 20;

/// Entries of a directory that are looked at.
const MOST: usize = 1 << 14;

/// What the file says; nothing, should it not be a regular file, or too long.
pub(super) fn json(path: &Path) -> Option<Value> {
    let file = OpenOptions::new()
        .read(true)
        // Of a named pipe nobody may be at the other end.
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text).ok()?;
    let is_whole = u64::try_from(text.len()).is_ok_and(|length| length <= LONGEST);
    let read = is_whole.then(|| serde_json::from_slice(&text).ok());
    read.flatten()
}

/// The names in a directory.
pub(super) fn names(directory: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let entries = entries.take(MOST);
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}
