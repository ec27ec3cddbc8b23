//! A session on disk, so that it can be explained again anywhere.
//!
//! ```text
//! Record -> entry -> Writer -> frame (LZ4, checksums) -> file or pieces, or Held in memory
//! file   -> Reader -> frame -> entry -> Item (Record, or what is missing)
//! ```
//!
//! A recording is a row of frames that are checked and read independently of
//! each other, so that a cut, a kill or a damaged sector costs only the frames
//! it hit. `docs/session-format.md` describes every byte.

mod columns;
mod contents;
#[cfg(feature = "live")]
mod entries;
mod entry;
mod error;
#[cfg(feature = "live")]
mod file;
mod frame;
#[cfg(feature = "live")]
mod held;
mod missing;
#[cfg(feature = "live")]
mod output;
#[cfg(feature = "live")]
mod packer;
mod reader;
mod replay;
#[cfg(feature = "live")]
mod writer;

use std::path::{Path, PathBuf};

pub use contents::{Contents, FileMissing, Place, SessionContents};
pub use entry::{Item, Opening};
pub use error::ReadError;
#[cfg(feature = "live")]
pub use file::{OutputFile, PieceOptions};
pub use frame::{MAJOR, MINOR};
#[cfg(feature = "live")]
pub use held::{Copied, Held};
pub use missing::{Damage, Missing, MissingPart};
#[cfg(feature = "live")]
pub use output::Output;
pub use reader::{Reader, Stats};
pub use replay::Replay;
#[cfg(feature = "live")]
pub use writer::{Recorded, Writer};

/// The most bytes that a frame may hold once decompressed. No writer makes a
/// larger one, no reader believes one that claims to be.
pub const MAX_CONTENT: usize = 8 << 20;

/// The name of a piece: the first has the recording's own.
pub fn piece_path(path: &Path, piece: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    if piece > 0 {
        name.push(format!(".{piece}"));
    }
    name.into()
}
