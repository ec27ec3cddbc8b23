//! The newest of a recording in memory, for whoever may want it later: pieces as in files, of
//! which the oldest are let go.

use std::{collections::VecDeque, io};

use super::{OutputFile, entries::Entries, output::Output, writer::Writer};
use crate::record::Record;

/// Bytes of a piece, and how many are held: of what happens on a busy host, minutes.
const PIECE: u64 = 1 << 20;
const PIECES: usize = 16;

/// Pieces in memory.
#[derive(Debug)]
pub struct Held {
    piece_size: u64,
    /// Those before the one that is written.
    closed: VecDeque<Vec<u8>>,
    open: Vec<u8>,
    piece: u32,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            piece_size: PIECE,
            closed: VecDeque::new(),
            open: Vec::new(),
            piece: 0,
        }
    }
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
        self.bytes().saturating_add(more as u64) > self.piece_size
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Lost, SessionInfo},
        recording::{Item, PieceOptions, Reader},
    };

    /// A stream that takes more memory than is held: what is written of it is the newest, says
    /// what it continues, and ends.
    #[test]
    fn the_newest_is_held_and_written_as_a_recording() {
        let mut writer = Writer::new(Held {
            piece_size: 4096,
            ..Held::default()
        })
        .expect("memory");
        let opening = Record::Session(SessionInfo::default());
        writer.take(&[opening]).expect("memory");
        let lost = |boot_ns| {
            Record::Lost(Lost {
                boot_ns,
                cpu: Some(0),
                hook: None,
                count: 1,
            })
        };
        for boot_ns in 0..2000 {
            writer.take(&[lost(boot_ns)]).expect("memory");
        }
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("held.v6t");
        let mut file = OutputFile::create(&path, false, PieceOptions::default()).expect("a file");
        let saved = writer.save(2000, &mut file).expect("it is written");
        assert!(saved.let_go > 0 && saved.size <= 4096 * PIECES, "{saved:?}");
        let written = std::fs::File::open(&path).expect("it is there");
        let mut reader = Reader::new(written).expect("a recording");
        let mut items = Vec::new();
        while let Some(item) = reader.next_item().expect("it is whole") {
            items.push(item);
        }
        assert!(reader.finish().expect("it is whole").is_none());
        let Some(Item::Opening(opening)) = items.first() else {
            panic!("it does not open");
        };
        assert_eq!(opening.piece, saved.let_go);
        assert!(matches!(
            items.last(),
            Some(Item::Record(Record::End { boot_ns: 2000 }))
        ));
        let newest = items.iter().rev().nth(1);
        assert!(matches!(newest, Some(Item::Record(Record::Lost(lost))) if lost.boot_ns == 1999));
    }
}
