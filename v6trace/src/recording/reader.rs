//! Bytes → items, whatever happened to the bytes.
//!
//! A frame that is not what was written is skipped and said to be missing, and
//! the next intact one is looked for. Memory stays bounded by the format's
//! limits, not by what a file claims.

use std::io::{self, Read};

use super::{
    Damage, MAJOR, ReadError,
    entry::{Item, Items},
    frame::{HEADER, Header, MAGIC},
};

/// How much is read at once.
const CHUNK: usize = 64 << 10;
/// Checksums over payloads that turned out wrong may cover so many bytes for
/// each byte of the file, before lengths are believed unchecked: a file made to
/// be slow must not be.
const CHECKS_PER_BYTE: u64 = 4;
/// How many bytes of such checks are free.
const FREE_CHECKS: u64 = 64 << 20;

/// Reads a recording, or one piece of it.
pub struct Reader<R> {
    input: R,
    /// Bytes read but not consumed.
    buffer: Vec<u8>,
    /// Where in the buffer the next frame is looked for.
    start: usize,
    /// The file offset of the buffer's first byte.
    base: u64,
    /// File offset and length of the damage met since the last intact frame.
    damage: Option<(u64, u64)>,
    /// The number that the next frame should have.
    expected: Option<u32>,
    /// The number of the first frame, where that is not the recording's first
    /// and it is not known yet whether a later piece begins here.
    begins_late: Option<u32>,
    /// Where the frame that is being taken apart begins.
    frame_at: u64,
    /// Bytes of payloads that were checked in vain.
    vain: u64,
    /// What was missing ahead of the frame that is being taken apart.
    missing: Option<Damage>,
    items: Items,
    stats: Stats,
}

/// What a reader has met so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes read.
    pub bytes: u64,
    /// Intact frames.
    pub frames: u64,
    /// The largest minor version of the format among them.
    pub minor: u8,
}

impl<R: Read> Reader<R> {
    /// A reader of `input`, from its beginning.
    pub fn new(input: R) -> Result<Self, ReadError> {
        Ok(Self {
            input,
            buffer: Vec::new(),
            start: 0,
            base: 0,
            damage: None,
            expected: None,
            begins_late: None,
            frame_at: 0,
            vain: 0,
            missing: None,
            items: Items::default(),
            stats: Stats::default(),
        })
    }

    /// Expects this input to go on where another reader's piece ended.
    #[must_use]
    pub fn continuing(mut self, expected: Option<u32>) -> Self {
        self.expected = expected;
        self
    }

    /// The number that the next frame should have, for the piece that follows.
    pub fn expected(&self) -> Option<u32> {
        self.expected
    }

    /// Where the frame of the last item begins, from the start of the input.
    pub fn frame_at(&self) -> u64 {
        self.frame_at
    }

    /// What has been met so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// The next item; `None` where the input ends for now. More may come later
    /// if the file still grows.
    pub fn next_item(&mut self) -> Result<Option<Item>, ReadError> {
        loop {
            if let Some(damage) = self.missing.take() {
                return Ok(Some(Item::Damaged(damage)));
            }
            if let Some(item) = self.items.next() {
                if let Item::Opening(opening) = &item
                    && let Some(frames) = self.begins_late.take()
                    && opening.piece == 0
                {
                    self.missing = Some(Damage {
                        offset: 0,
                        bytes: 0,
                        frames: Some(frames),
                        cut: false,
                    });
                }
                return Ok(Some(item));
            }
            if !self.read_frame()? {
                return Ok(None);
            }
        }
    }

    /// Takes the end of the input for final: what is missing there, until there
    /// is nothing more.
    pub fn finish(&mut self) -> Result<Option<Item>, ReadError> {
        if self.stats.bytes == 0 {
            return Err(ReadError::Empty);
        }
        if self.stats.frames == 0 {
            return Err(ReadError::NotARecording);
        }
        let rest = self.buffer.len() - self.start;
        let begins_frame = Header::at(&self.buffer[self.start..]).is_some();
        let damaged = self.damage.is_some();
        // A frame that is cut is no part of the damage ahead of it.
        if !(damaged && begins_frame) {
            self.skip(rest);
        }
        Ok(self.damage.take().map(|(offset, bytes)| {
            Item::Damaged(Damage {
                offset,
                bytes,
                frames: None,
                cut: !damaged,
            })
        }))
    }

    /// Makes the next frame's items ready; `false` where the input ends first.
    fn read_frame(&mut self) -> Result<bool, ReadError> {
        loop {
            if !self.fill(HEADER)? {
                return Ok(false);
            }
            let bytes = &self.buffer[self.start..];
            let Some(header) = Header::at(bytes) else {
                self.skip_to_magic();
                continue;
            };
            if header.major > MAJOR {
                return Err(ReadError::Newer {
                    major: header.major,
                    minor: header.minor,
                });
            }
            if !header.is_plausible() {
                self.skip(HEADER);
                continue;
            }
            let end = HEADER + header.stored_len();
            if !self.fill(end)? {
                // Cut here, or what looks like a header is part of a damage
                // with intact frames behind it.
                if self.at_end_of_input()? && self.has_magic_after_header() {
                    self.skip(HEADER);
                    continue;
                }
                return Ok(false);
            }
            let stored = &self.buffer[self.start + HEADER..self.start + end];
            if !header.fits(stored) {
                self.vain += header.stored_len() as u64;
                let believed = self.vain > FREE_CHECKS + CHECKS_PER_BYTE * self.stats.bytes;
                self.skip(if believed { end } else { HEADER });
                continue;
            }
            let content = header.unpack(stored);
            let Some(content) = content else {
                self.skip(end);
                continue;
            };
            self.note_missing(header.sequence.get());
            self.frame_at = self.base + self.start as u64;
            self.items = Items::new(content);
            self.start += end;
            self.stats.frames += 1;
            self.stats.minor = self.stats.minor.max(header.minor);
            return Ok(true);
        }
    }

    /// Makes at least `bytes` available from the start on; `false` where the
    /// input ends first.
    fn fill(&mut self, bytes: usize) -> Result<bool, ReadError> {
        while self.buffer.len() - self.start < bytes {
            if self.start >= CHUNK {
                self.buffer.drain(..self.start);
                self.base += self.start as u64;
                self.start = 0;
            }
            if !self.read_chunk()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads some more; `false` at the end of the input.
    fn read_chunk(&mut self) -> Result<bool, ReadError> {
        let filled = self.buffer.len();
        self.buffer.resize(filled + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        let read = read?;
        self.stats.bytes += read as u64;
        Ok(read > 0)
    }

    fn at_end_of_input(&mut self) -> Result<bool, ReadError> {
        Ok(!self.read_chunk()?)
    }

    fn has_magic_after_header(&self) -> bool {
        let rest = &self.buffer[(self.start + HEADER).min(self.buffer.len())..];
        rest.windows(MAGIC.len()).any(|window| window == MAGIC)
    }

    /// Passes over bytes that belong to no intact frame.
    fn skip(&mut self, bytes: usize) {
        if bytes > 0 {
            let at = self.base + self.start as u64;
            let (_, length) = self.damage.get_or_insert((at, 0));
            *length += bytes as u64;
            self.start += bytes;
        }
    }

    /// Passes over bytes to where the next frame may begin.
    fn skip_to_magic(&mut self) {
        let rest = &self.buffer[self.start + 1..];
        let next = rest
            .windows(MAGIC.len())
            .position(|window| window == MAGIC)
            .unwrap_or(rest.len().saturating_sub(MAGIC.len() - 1));
        self.skip(1 + next);
    }

    /// Says what is missing ahead of the frame with this number.
    fn note_missing(&mut self, sequence: u32) {
        if self.expected.is_none() && sequence > 0 {
            self.begins_late = Some(sequence);
        }
        let frames = self
            .expected
            .and_then(|expected| sequence.checked_sub(expected));
        self.expected = Some(sequence.wrapping_add(1));
        let (offset, bytes) = match (self.damage.take(), frames) {
            (Some(damage), _) => damage,
            (None, Some(1..)) => (self.base + self.start as u64, 0),
            _ => return,
        };
        self.missing = Some(Damage {
            offset,
            bytes,
            frames,
            cut: false,
        });
    }
}
