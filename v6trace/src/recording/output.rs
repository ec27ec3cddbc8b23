//! Where frames go: a file, or memory.

use std::io;

/// What grows by whole frames, in pieces.
pub trait Output {
    /// Which piece is written, from 0 on.
    fn piece(&self) -> u32;
    /// Bytes in this piece.
    fn bytes(&self) -> u64;
    /// Whether pieces may become too large at all.
    fn may_be_full(&self) -> bool;
    /// Whether this piece would be too large with so many bytes more.
    fn is_full_with(&self, more: usize) -> bool;
    /// Appends a whole frame, or nothing.
    fn append(&mut self, frame: &[u8]) -> io::Result<()>;
    /// Closes this piece with a last frame and goes on in the next.
    fn next_piece(&mut self, closing: &[u8]) -> io::Result<()>;
    /// Puts everything where it survives a crash of the machine, if it may.
    fn sync(&self) -> io::Result<()>;
}
