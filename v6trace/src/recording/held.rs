//! The newest of a recording in memory, for whoever may want it later: pieces as in files, of
//! which the oldest are let go.

use std::{collections::VecDeque, io};

use super::{OutputFile, entries::Entries, output::Output, writer::Writer};
use crate::record::Record;

/// Bytes of a piece, and how many are held: of what happens on a busy host, minutes.
const PIECE: u64 = 1 << 20;
const PIECES: usize = 16;

/// Pieces in memory.
#[derive(Debug, Default)]
pub struct Held {
    /// Those before the one that is written.
    closed: VecDeque<Vec<u8>>,
    open: Vec<u8>,
    piece: u32,
}

impl Output for Held {
    fn piece(&self) -> u32 {
        self.piece
    }

    fn bytes(&self) -> u64 {
        self.open.len() as u64
    }

    fn may_be_full(&self) -> bool {
        true
    }

    fn is_full_with(&self, more: usize) -> bool {
        self.bytes().saturating_add(more as u64) > PIECE
    }

    fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        self.open.extend_from_slice(frame);
        Ok(())
    }

    fn next_piece(&mut self, closing: &[u8]) -> io::Result<()> {
        self.append(closing)?;
        self.closed.push_back(std::mem::take(&mut self.open));
        if self.closed.len() >= PIECES {
            self.closed.pop_front();
        }
        self.piece += 1;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Held {
    /// Bytes of it.
    fn size(&self) -> usize {
        self.closed.iter().chain([&self.open]).map(Vec::len).sum()
    }

    /// How many pieces were let go.
    fn let_go(&self) -> u32 {
        let closed = u32::try_from(self.closed.len()).unwrap_or(u32::MAX);
        self.piece.saturating_sub(closed)
    }
}

/// What was written of it.
#[derive(Clone, Copy, Debug)]
pub struct Saved {
    /// Bytes.
    pub size: usize,
    /// Pieces before it that are no longer held.
    pub let_go: u32,
}

impl Writer<Held> {
    /// Writes what is held into a file, as a recording that ends at this boot time, and goes
    /// on holding.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&mut self, boot_ns: u64, file: &mut OutputFile) -> io::Result<Saved> {
        self.store()?;
        let mut ending = Entries::default();
        ending.record(&Record::End { boot_ns });
        let held = &self.output;
        for piece in held.closed.iter().chain([&held.open]) {
            file.append(piece)?;
        }
        file.append(self.packer.pack(self.sequence, ending.content())?)?;
        file.sync()?;
        Ok(Saved {
            size: held.size(),
            let_go: held.let_go(),
        })
    }
}
