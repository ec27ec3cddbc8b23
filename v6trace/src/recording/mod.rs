//! A session on disk, so that it can be explained again anywhere.
//!
//! ```text
//! Record -> entry -> Writer -> frame (zstd, checksums) -> file or pieces
//! file   -> Reader -> frame -> entry -> Item (Record, or what is missing)
//! ```
//!
//! A recording is a row of frames that are checked and read independently of
//! each other, so that a cut, a kill or a damaged sector costs only the frames
//! it hit. `docs/session-format.md` describes every byte.

mod columns;
mod contents;
mod entry;
mod error;
mod file;
mod frame;
mod missing;
mod reader;
mod replay;
mod writer;

pub use contents::{Contents, FileMissing, Place, SessionContents};
pub use entry::{Item, Opening};
pub use error::ReadError;
pub use file::{OutputFile, PieceOptions, piece_path};
pub use frame::{MAJOR, MINOR};
pub use missing::{Damage, Missing};
pub use reader::{Reader, Stats};
pub use replay::Replay;
pub use writer::{Recorded, Writer};

/// The most bytes that a frame may hold once decompressed. No writer makes a
/// larger one, no reader believes one that claims to be.
pub const MAX_CONTENT: usize = 8 << 20;
