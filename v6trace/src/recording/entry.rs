//! What a frame holds: entries of a kind, a length and a body. Kernel records
//! are columns, everything else is JSON.

use bytes::{Buf as _, BufMut as _, Bytes};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use v6trace_common::HOOKS;

use super::{Damage, MAX_CONTENT, columns};
use crate::event;
use crate::record::{KernelRecord, Lookup, Lost, Record, SessionInfo};

/// What a recording holds, one after the other.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every item is a record, and a box for each would cost more"
)]
pub enum Item {
    /// A recording opens; the same one again and again, so that a damaged
    /// opening is not the end.
    Opening(Box<Opening>),
    /// A record of the session.
    Record(Record),
    /// The session goes on in the next piece.
    Continued {
        /// When, nanoseconds since boot.
        boot_ns: u64,
    },
    /// Records that could not be stored when they came.
    Unrecorded {
        /// How many.
        records: u64,
    },
    /// An entry that this version does not understand.
    Unknown {
        /// Its kind.
        kind: u16,
    },
    /// Something is missing from here.
    Damaged(Damage),
}

/// How a recording opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// Tells recordings apart: random, the same in every piece.
    pub recording: String,
    /// Which piece this is, from 0 on.
    pub piece: u32,
    /// Who traced what, where and when.
    pub session: SessionInfo,
}

/// Declares each kind of entry with its number in the format.
macro_rules! kinds {
    ($($name:ident = $number:literal,)*) => {
        $(const $name: u16 = $number;)*
    };
}

kinds! {
    OPENING = 1,
    KERNEL = 2,
    // From 3 to 7 and from 12 on: what `Lookup` declares.
    LOST = 8,
    END = 9,
    CONTINUED = 10,
    UNRECORDED = 11,
}

/// Bytes of an opening at most: many times what one has, and few enough for a
/// hostile file with many.
const MAX_OPENING: usize = 128 << 10;
/// Bytes at most of an entry that says one thing, such as a name.
const MAX_SMALL: usize = 2 << 10;

/// [`Lost`] with the hook's name, which outlives its number.
#[derive(Serialize, Deserialize)]
struct StoredLost {
    boot_ns: u64,
    hook: Option<String>,
    cpu: Option<u32>,
    count: u64,
}

/// A moment, nanoseconds since boot.
#[derive(Serialize, Deserialize)]
struct Moment {
    boot_ns: u64,
}

/// A number of records.
#[derive(Serialize, Deserialize)]
struct Count {
    records: u64,
}

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

/// The items of a frame's content, made one by one: a frame may hold many
/// more than should be in memory at once.
#[derive(Debug, Default)]
pub(super) struct Items {
    content: Bytes,
    rows: Bytes,
    row_size: usize,
    /// How many bytes the kernel records of this frame may still unpack to.
    limit: usize,
}

impl Items {
    pub(super) fn new(content: Vec<u8>) -> Self {
        Self {
            content: content.into(),
            limit: MAX_CONTENT,
            ..Self::default()
        }
    }
}

impl Iterator for Items {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if !self.rows.is_empty() {
            let row = self.rows.split_to(self.row_size);
            return Some(Item::Record(Record::kernel(row)));
        }
        if self.content.is_empty() {
            return None;
        }
        let Some((kind, body)) = entry(&mut self.content) else {
            self.content.clear();
            return Some(Item::Unknown { kind: 0 });
        };
        if kind == KERNEL {
            let Some((rows, row_size)) = columns::unpack(&body, self.limit) else {
                return Some(Item::Unknown { kind });
            };
            self.limit -= rows.len();
            (self.rows, self.row_size) = (rows, row_size);
            return self.next();
        }
        Some(item(kind, &body).unwrap_or(Item::Unknown { kind }))
    }
}

/// Takes an entry from the front of a frame's content.
fn entry(content: &mut Bytes) -> Option<(u16, Bytes)> {
    let kind = content.try_get_u16_le().ok()?;
    let len = content.try_get_u32_le().ok()? as usize;
    (len <= content.len()).then(|| (kind, content.split_to(len)))
}

/// One entry but kernel records; `None` where it is not understood.
fn item(kind: u16, body: &[u8]) -> Option<Item> {
    let limit = match kind {
        OPENING => MAX_OPENING,
        kind => Lookup::limit(kind).unwrap_or(MAX_SMALL),
    };
    if body.len() > limit {
        return None;
    }
    Some(match kind {
        OPENING => Item::Opening(json(body)?),
        LOST => {
            let lost: StoredLost = json(body)?;
            let hook = lost.hook.and_then(|name| {
                let known = HOOKS.iter().find(|hook| hook.name == name);
                known.map(|hook| hook.hook)
            });
            Item::Record(Record::Lost(Lost {
                boot_ns: lost.boot_ns,
                hook,
                cpu: lost.cpu,
                count: lost.count,
            }))
        }
        END => Item::Record(Record::End {
            boot_ns: json::<Moment>(body)?.boot_ns,
        }),
        CONTINUED => Item::Continued {
            boot_ns: json::<Moment>(body)?.boot_ns,
        },
        UNRECORDED => Item::Unrecorded {
            records: json::<Count>(body)?.records,
        },
        _ => Item::Record(Record::Lookup(understood(Lookup::read(
            kind,
            printable(body)?,
        ))??)),
    })
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    understood(serde_json::from_value(printable(body)?))
}

fn printable(body: &[u8]) -> Option<Value> {
    let mut value = serde_json::from_slice(body).ok()?;
    make_printable(&mut value);
    Some(value)
}

fn understood<T>(read: serde_json::Result<T>) -> Option<T> {
    read.inspect_err(|error| log::debug!("an entry is not understood: {error}"))
        .ok()
}

/// Replaces what a terminal would take for commands, as decoding does in the
/// names of kernel records.
fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(char::is_control) => {
            *text = event::text(text.as_bytes());
        }
        Value::Array(values) => values.iter_mut().for_each(make_printable),
        Value::Object(members) => members.values_mut().for_each(make_printable),
        _ => {}
    }
}
