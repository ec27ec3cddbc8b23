//! Records → frames in a file, each as soon as it must not be lost.
//!
//! A failure is in the file before it is explained, everything else within a
//! second. Writing never stops the explanations: what cannot be stored is
//! counted, said once for a while, and noted in the file when it can be written
//! again.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::Path,
    time::{Duration, Instant},
};

use super::{OutputFile, entries::Entries, entry::Opening, output::Output, packer::Packer};
use crate::{
    clock,
    record::{Lookup, Namespace, Record, SessionInfo},
};

/// Entries of a frame before compression, about: larger ones compress little
/// better and lose more when damaged.
const FRAME_CONTENT: usize = 256 << 10;
/// How long a record waits to be stored at most.
const STORED_WITHIN: Duration = Duration::from_secs(1);
/// An error is told again once writing has gone well for so long.
const TOLD_AGAIN: Duration = Duration::from_mins(1);
/// The opening is repeated after so many bytes, for a file that is damaged.
const OPENING_EVERY: u64 = 1 << 20;
/// Left free at the end of a piece, for the frame that says that another
/// follows.
const PIECE_END: usize = 128;

/// Stores a session, into a file or into memory.
pub struct Writer<O = OutputFile> {
    pub(super) output: O,
    pub(super) packer: Packer,
    entries: Entries,
    /// The number of the next frame.
    pub(super) sequence: u32,
    recording: String,
    session: SessionInfo,
    /// What the host was like when the session began: `Checked` closes it.
    host: Vec<Lookup>,
    /// The names that namespaces had before the records that wait.
    names: BTreeMap<u32, Namespace>,
    /// What became of names since then.
    renamed: Vec<Namespace>,
    last_stored: Instant,
    /// Where in the piece the opening is due again.
    opening_at: u64,
    /// Bytes of the openings that the piece began with.
    opened: u64,
    /// The errors that were told.
    told: HashSet<(io::ErrorKind, Option<i32>)>,
    /// When writing failed last.
    last_failed: Instant,
    pub(super) stats: Recorded,
    /// How many unrecorded records the file does not know of yet.
    untold: u64,
}

/// What became of a session's records.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recorded {
    /// Records in the file.
    pub stored: u64,
    /// Records that are not, because writing failed.
    pub unrecorded: u64,
}

impl Writer {
    /// The name of the first piece.
    pub fn path(&self) -> &Path {
        self.output.path()
    }
}

impl<O: Output> Writer<O> {
    /// Stores into `output`.
    pub fn new(output: O) -> io::Result<Self> {
        let mut id = [0; 8];
        rustix::rand::getrandom(&mut id, rustix::rand::GetRandomFlags::empty())?;
        Ok(Self {
            output,
            packer: Packer::default(),
            entries: Entries::default(),
            sequence: 0,
            recording: format!("{:016x}", u64::from_le_bytes(id)),
            session: SessionInfo::default(),
            host: Vec::new(),
            names: BTreeMap::new(),
            renamed: Vec::new(),
            last_stored: Instant::now(),
            opening_at: 0,
            opened: 0,
            told: HashSet::new(),
            last_failed: Instant::now(),
            stats: Recorded::default(),
            untold: 0,
        })
    }

    /// Takes records that came out together; an event and what was looked up
    /// for it end up in the same frame.
    ///
    /// Without any it stores what waits. An error is the first of its kind for
    /// a while: on a disk that is nearly full, small frames still fit between
    /// large ones that do not. The records that do not fit are counted, not kept.
    pub fn take(&mut self, records: &[Record]) -> io::Result<()> {
        let mut urgent = records.is_empty();
        let mut stored = Ok(());
        for record in records {
            self.entries.record(record);
            match record {
                Record::Session(info) => {
                    self.session = info.clone();
                    urgent = true;
                }
                Record::Lookup(Lookup::Namespace(namespace)) => {
                    self.renamed.push(namespace.clone());
                }
                Record::Kernel(record) => {
                    urgent |= record.is_remarkable();
                    if self.entries.len() >= FRAME_CONTENT {
                        stored = stored.and(self.store());
                    }
                }
                // Many of a large host are more than a frame may hold.
                Record::Lookup(lookup @ Lookup::Snapshot(_)) => {
                    self.keep(lookup);
                    if self.entries.len() >= FRAME_CONTENT {
                        stored = stored.and(self.store());
                    }
                }
                Record::Lookup(lookup @ Lookup::Checked(_)) => self.keep(lookup),
                Record::Lost(_) | Record::End { .. } => urgent = true,
                Record::Lookup(_) => {}
            }
        }
        if urgent || self.last_stored.elapsed() >= STORED_WITHIN {
            stored = stored.and(self.store());
        }
        stored
    }

    /// Makes what has been stored safe, and says how much that is.
    pub fn finish(mut self) -> (Recorded, io::Result<()>) {
        let stored = self.store().and_then(|()| self.output.sync());
        (self.stats, stored)
    }

    /// Keeps what the host is like for further pieces, where there may be any.
    fn keep(&mut self, lookup: &Lookup) {
        if self.output.may_be_full() {
            self.host.push(lookup.clone());
        }
    }

    /// Stores what waits.
    pub(super) fn store(&mut self) -> io::Result<()> {
        self.last_stored = Instant::now();
        let records = self.entries.records();
        let due = self.output.bytes() == 0;
        if records == 0 && !due {
            return Ok(());
        }
        let stored = self.append();
        self.entries.clear();
        for namespace in self.renamed.drain(..) {
            match namespace.name {
                Some(_) => self.names.insert(namespace.inode, namespace),
                None => self.names.remove(&namespace.inode),
            };
        }
        if let Err(error) = stored {
            self.stats.unrecorded += records;
            self.untold += records;
            // What the lost records said of the namespaces is not there.
            self.opening_at = 0;
            self.last_failed = Instant::now();
            let first = self.told.insert((error.kind(), error.raw_os_error()));
            return if first { Err(error) } else { Ok(()) };
        }
        if self.last_failed.elapsed() >= TOLD_AGAIN {
            self.told.clear();
        }
        self.stats.stored += records;
        self.untold = 0;
        Ok(())
    }

    fn append(&mut self) -> io::Result<()> {
        self.open_if_due()?;
        if self.untold > 0 {
            self.entries.unrecorded(self.untold);
        }
        if self.entries.len() == 0 {
            return Ok(());
        }
        let frame = self.packer.pack(self.sequence, self.entries.content())?;
        let full = self.output.is_full_with(frame.len() + PIECE_END);
        if full && self.output.bytes() > self.opened {
            self.next_piece()?;
            self.packer.pack(self.sequence, self.entries.content())?;
        }
        self.output.append(self.packer.frame())?;
        self.sequence += 1;
        Ok(())
    }

    fn next_piece(&mut self) -> io::Result<()> {
        let mut closing = Entries::default();
        closing.continued(clock::boot_ns());
        let frame = self.packer.pack(self.sequence, closing.content())?;
        self.output.next_piece(frame)?;
        self.sequence += 1;
        self.open_if_due()?;
        // What waits matters more.
        if let Err(error) = self.tell_host() {
            log::debug!("the host is not in this piece: {error}");
        }
        Ok(())
    }

    /// Says again what the host was like, for earlier pieces may be gone; not where that
    /// would be most of the piece, and then never again.
    fn tell_host(&mut self) -> io::Result<()> {
        if !matches!(self.host.last(), Some(Lookup::Checked(_))) {
            return Ok(());
        }
        let mut frames: Vec<Vec<u8>> = Vec::new();
        let mut entries = Entries::default();
        let mut lookups = self.host.iter().peekable();
        let mut sequence = self.sequence;
        while let Some(lookup) = lookups.next() {
            entries.lookup(lookup);
            if entries.len() >= FRAME_CONTENT || lookups.peek().is_none() {
                frames.push(self.packer.pack(sequence, entries.content())?.to_vec());
                entries.clear();
                sequence += 1;
                let size: usize = frames.iter().map(Vec::len).sum();
                if self.output.is_full_with(2 * size) {
                    self.host = Vec::new();
                    return Ok(());
                }
            }
        }
        for frame in frames {
            self.output.append(&frame)?;
            self.sequence += 1;
        }
        self.opened = self.output.bytes();
        Ok(())
    }

    /// Begins a piece with two openings, so that one of them may be damaged,
    /// and repeats it now and then.
    fn open_if_due(&mut self) -> io::Result<()> {
        let empty = self.output.bytes() == 0;
        if !empty && self.output.bytes() < self.opening_at {
            return Ok(());
        }
        let mut opening = Entries::default();
        opening.opening(&Opening {
            recording: self.recording.clone(),
            piece: self.output.piece(),
            session: self.session.clone(),
        });
        for namespace in self.names.values() {
            opening.lookup(&Lookup::Namespace(namespace.clone()));
        }
        let times = if empty { 2 } else { 1 };
        for _ in 0..times {
            let frame = self.packer.pack(self.sequence, opening.content())?;
            self.output.append(frame)?;
            self.sequence += 1;
        }
        self.opening_at = self.output.bytes() + OPENING_EVERY;
        if empty {
            self.opened = self.output.bytes();
        }
        Ok(())
    }
}
