//! The newest of a recording in memory, for whoever may want it later: pieces as in files, of
//! which the oldest are let go.

use std::{collections::VecDeque, fs, io, path::Path};

use super::{OutputFile, PieceOptions, entries::Entries, output::Output, writer::Writer};
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
        // Of what is final nothing is spare.
        self.open.shrink_to_fit();
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
    /// How many pieces were let go.
    fn let_go(&self) -> u32 {
        let closed = u32::try_from(self.closed.len()).unwrap_or(u32::MAX);
        self.piece.saturating_sub(closed)
    }
}

/// What was held at a time, as a recording that ends then.
#[derive(Debug)]
pub struct Copied {
    pieces: Vec<Vec<u8>>,
    /// Pieces before it that are no longer held.
    pub let_go: u32,
    /// Records that could not be held.
    pub unrecorded: u64,
}

impl Writer<Held> {
    /// Copies what is held, as a recording that ends at this boot time, and goes on holding:
    /// to write it takes time.
    ///
    /// # Errors
    /// What waits cannot be held.
    pub fn copy(&mut self, boot_ns: u64) -> io::Result<Copied> {
        self.store()?;
        let mut ending = Entries::default();
        ending.record(&Record::End { boot_ns });
        let ending = self.packer.pack(self.sequence, ending.content())?.to_vec();
        let held = &self.output;
        let pieces = held.closed.iter().chain([&held.open, &ending]);
        Ok(Copied {
            pieces: pieces.cloned().collect(),
            let_go: held.let_go(),
            unrecorded: self.stats.unrecorded,
        })
    }
}

impl Copied {
    /// Bytes of it.
    pub fn size(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum()
    }

    /// Writes it into a new file, of which nothing is left where that fails.
    ///
    /// # Errors
    /// It cannot be written, or there is such a file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = OutputFile::create(path, false, PieceOptions::default())?;
        let written = self.pieces.iter().try_for_each(|piece| file.append(piece));
        written
            .and_then(|()| file.sync())
            // Why writing failed says more than why this might.
            .inspect_err(|_| drop(fs::remove_file(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Lost, SessionInfo},
        recording::{Item, Reader, Replay},
        render::{Text, time::TimeDisplay},
        report::{Options, Report},
    };

    fn lost(boot_ns: u64) -> Record {
        Record::Lost(Lost {
            boot_ns,
            cpu: Some(0),
            hook: None,
            count: 1,
        })
    }

    fn holding(piece_size: u64) -> Writer<Held> {
        let held = Held {
            piece_size,
            ..Held::default()
        };
        let mut writer = Writer::new(held).expect("memory");
        let opening = Record::Session(SessionInfo::default());
        writer.take(&[opening]).expect("memory");
        writer
    }

    fn items(path: &Path) -> Vec<Item> {
        let written = fs::File::open(path).expect("it is there");
        let mut reader = Reader::new(written).expect("a recording");
        let mut items = Vec::new();
        while let Some(item) = reader.next_item().expect("it is whole") {
            items.push(item);
        }
        assert!(reader.finish().expect("it is whole").is_none());
        items
    }

    /// A stream that takes more memory than is held: what is written of it is the newest, says
    /// what it continues, and ends.
    #[test]
    fn the_newest_is_held_and_written_as_a_recording() {
        let mut writer = holding(4096);
        for boot_ns in 0..2000 {
            writer.take(&[lost(boot_ns)]).expect("memory");
        }
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("held.v6t");
        let copied = writer.copy(2000).expect("memory");
        assert!(copied.let_go > 0 && copied.size() <= 4096 * (PIECES + 1));
        copied.write(&path).expect("it is written");
        assert!(copied.write(&path).is_err() && path.exists(), "another's");
        let items = items(&path);
        let Some(Item::Opening(opening)) = items.first() else {
            panic!("it does not open");
        };
        assert_eq!(opening.piece, copied.let_go);
        assert!(matches!(
            items.last(),
            Some(Item::Record(Record::End { boot_ns: 2000 }))
        ));
        let newest = items.iter().rev().nth(1);
        assert!(matches!(newest, Some(Item::Record(Record::Lost(lost))) if lost.boot_ns == 1999));
    }

    /// Two copies of one session, one after the other: the later one is left out, and told to
    /// be.
    #[test]
    fn a_later_copy_is_left_out_and_told_to_be() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = holding(1024);
        let mut out = Vec::new();
        let mut err = Vec::new();
        let text = Text::new(&mut out, &mut err, TimeDisplay::Relative, false);
        let mut replay = Replay::new(Report::new(Options::default(), text));
        for (name, count) in [("one", 100), ("two", 200)] {
            for boot_ns in 0..count {
                writer.take(&[lost(boot_ns)]).expect("memory");
            }
            let path = directory.path().join(name);
            let copied = writer.copy(count).expect("memory");
            copied.write(&path).expect("it is written");
            replay.begin_file(name);
            for item in items(&path) {
                replay.take(item).expect("memory");
            }
        }
        let (whole, _) = replay.finish().expect("memory");
        assert!(!whole);
        let said = String::from_utf8(err).expect("text");
        assert_eq!(said.matches("two: left out").count(), 1, "{said}");
        assert!(!said.contains("cannot be explained"), "{said}");
    }
}
