//! Why a file cannot be read as a recording.

use std::io;

use thiserror::Error;

use super::{MAJOR, MINOR};

/// Why nothing of a file can be replayed, or nothing more.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There is nothing in it.
    #[error("it is empty: recording was not begun, or the file was not copied whole")]
    Empty,
    /// It holds no frame of a recording.
    #[error("it is no recording of v6trace (or nothing of it is undamaged)")]
    NotARecording,
    /// A newer version of the format.
    #[error(
        "it has format {major}.{minor} and this v6trace reads up to {MAJOR}.{MINOR}; replay it with the \
         v6trace that recorded it, or a newer one"
    )]
    Newer {
        /// The file's major version.
        major: u8,
        /// The file's minor version.
        minor: u8,
    },
}
