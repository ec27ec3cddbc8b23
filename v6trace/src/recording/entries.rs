//! Entries on their way into a frame: what [`entry`](super::entry) reads again.

use bytes::BufMut as _;
use serde::Serialize;

use super::{
    columns,
    entry::{
        CONTINUED, Count, END, KERNEL, LOST, Moment, OPENING, Opening, StoredLost, UNRECORDED,
    },
};
use crate::{
    event,
    record::{KernelRecord, Lookup, Record},
};

/// Collects entries for a frame.
#[derive(Debug, Default)]
pub(super) struct Entries {
    content: Vec<u8>,
    /// Kernel records of equal size, not yet among the content.
    rows: Vec<u8>,
    row_size: usize,
    /// Records in both.
    records: u64,
}

impl Entries {
    pub(super) fn opening(&mut self, opening: &Opening) {
        self.json(OPENING, opening);
    }

    pub(super) fn continued(&mut self, boot_ns: u64) {
        self.json(CONTINUED, &Moment { boot_ns });
    }

    pub(super) fn unrecorded(&mut self, records: u64) {
        self.json(UNRECORDED, &Count { records });
    }

    pub(super) fn lookup(&mut self, lookup: &Lookup) {
        self.json(lookup.kind(), lookup);
    }

    /// Adds a record. That of the session itself is an opening's part.
    pub(super) fn record(&mut self, record: &Record) {
        match record {
            Record::Session(_) => return,
            Record::Kernel(record) => self.kernel(record),
            Record::Lookup(lookup) => self.lookup(lookup),
            Record::Lost(lost) => self.json(
                LOST,
                &StoredLost {
                    boot_ns: lost.boot_ns,
                    hook: lost.hook.map(|hook| hook.info().name.to_owned()),
                    cpu: lost.cpu,
                    count: lost.count,
                },
            ),
            &Record::End { boot_ns } => self.json(END, &Moment { boot_ns }),
        }
        self.records += 1;
    }

    fn kernel(&mut self, record: &KernelRecord) {
        // Without what the perf buffer has padded it with.
        let bytes = &record.bytes;
        let size = event::size(bytes).unwrap_or(bytes.len());
        let bytes = &bytes[..size.min(bytes.len())];
        if bytes.len() != self.row_size {
            self.close_rows();
            self.row_size = bytes.len();
        }
        self.rows.extend_from_slice(bytes);
    }

    fn close_rows(&mut self) {
        if !self.rows.is_empty() {
            let body = self.open(KERNEL);
            columns::pack(&self.rows, self.row_size, &mut self.content);
            self.close(body);
            self.rows.clear();
        }
    }

    fn json(&mut self, kind: u16, value: &impl Serialize) {
        self.close_rows();
        let before = self.content.len();
        let body = self.open(kind);
        match serde_json::to_writer(&mut self.content, value) {
            Ok(()) => self.close(body),
            Err(error) => {
                self.content.truncate(before);
                log::error!("an entry of kind {kind} cannot be written: {error}");
            }
        }
    }

    /// Begins an entry, and says where its body begins.
    fn open(&mut self, kind: u16) -> usize {
        self.content.put_u16_le(kind);
        self.content.put_u32_le(0);
        self.content.len()
    }

    /// Ends the entry whose body begins there: now its length is known.
    fn close(&mut self, body: usize) {
        let length = u32::try_from(self.content.len() - body).unwrap_or(u32::MAX);
        self.content[body - size_of::<u32>()..body].copy_from_slice(&length.to_le_bytes());
    }

    /// Bytes that wait, about.
    pub(super) fn len(&self) -> usize {
        self.content.len() + self.rows.len()
    }

    /// How many records wait.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// The entries as bytes.
    pub(super) fn content(&mut self) -> &[u8] {
        self.close_rows();
        &self.content
    }

    pub(super) fn clear(&mut self) {
        self.content.clear();
        self.rows.clear();
        self.records = 0;
    }
}
