//! What a frame holds: entries of a kind, a length and a body. Kernel records
//! are columns, everything else is JSON.

use bytes::{Buf as _, Bytes};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use v6trace_common::HOOKS;

use super::{Damage, MAX_CONTENT, columns};
use crate::event;
use crate::record::{Lookup, Lost, Record, SessionInfo};

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
        $(pub(super) const $name: u16 = $number;)*
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
pub(super) struct StoredLost {
    pub(super) boot_ns: u64,
    pub(super) hook: Option<String>,
    pub(super) cpu: Option<u32>,
    pub(super) count: u64,
}

/// A moment, nanoseconds since boot.
#[derive(Serialize, Deserialize)]
pub(super) struct Moment {
    pub(super) boot_ns: u64,
}

/// A number of records.
#[derive(Serialize, Deserialize)]
pub(super) struct Count {
    pub(super) records: u64,
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
