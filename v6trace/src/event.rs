//! Bytes of the kernel side → [`Event`], whose payload a family decodes.
//!
//! Decoding is total: whatever the bytes are, the result is an event or a
//! [`DecodeError`] that says what is wrong with them. Values that the kernel
//! side could not read become `None` here, so that nothing further on can
//! mistake them for zero.

use std::fmt;

use smol_str::SmolStr;
use thiserror::Error;
use v6trace_common::{Context, Hook, Kind, RecordHeader, WIRE_VERSION};
use zerocopy::FromBytes;

use crate::families::{Occurrence, Payload};

#[cfg(not(target_endian = "little"))]
compile_error!("records are little-endian and decoded in place");

/// A short name, stored in place: every event has one or two.
pub type Name = SmolStr;

/// Something that happened in the kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, nanoseconds since boot.
    pub boot_ns: u64,
    /// On which CPU.
    pub cpu: u32,
    /// In whose context.
    pub context: Context,
    /// The task that was current: who did it only in [`Context::Task`].
    pub task: Task,
    /// That task's cgroup, by inode number.
    pub cgroup_id: u64,
    /// Inode number of the network namespace concerned, 0 where unreadable.
    pub netns: u32,
    /// The hook that saw it.
    pub hook: Hook,
    /// What happened.
    pub payload: Payload,
}

/// A task as the kernel names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Process id.
    pub pid: u32,
    /// Thread id.
    pub tid: u32,
    /// The thread's name.
    pub comm: Name,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.comm, self.pid)
    }
}

/// Why some bytes are no event.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// Fewer bytes than the record needs.
    #[error("a record of {need} bytes is cut after {have}")]
    Truncated {
        /// Bytes there are.
        have: usize,
        /// Bytes the record needs.
        need: usize,
    },
    /// The record's own length does not fit its kind.
    #[error("a record of kind {kind} claims {size} bytes")]
    Size {
        /// Its kind.
        kind: u16,
        /// Its claimed length.
        size: u16,
    },
    /// Written by programs of another wire version.
    #[error("wire version {0} is not {WIRE_VERSION}")]
    Version(u8),
    /// A kind that this version does not know.
    #[error("unknown record kind {0}")]
    UnknownKind(u16),
    /// A hook that this version does not know.
    #[error("unknown hook {0}")]
    UnknownHook(u16),
    /// A context that this version does not know.
    #[error("unknown context {0}")]
    UnknownContext(u8),
}

impl Event {
    /// Decodes one record. Bytes after the record's own length are ignored,
    /// since the perf buffer pads.
    // Decoded where it stays: to be moved costs more than to be decoded.
    #[inline]
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (header, rest) = header(bytes)?;
        if header.version != WIRE_VERSION {
            return Err(DecodeError::Version(header.version));
        }
        let hook = Hook::from_wire(header.hook).ok_or(DecodeError::UnknownHook(header.hook))?;
        let context = Context::from_wire(header.context)
            .ok_or(DecodeError::UnknownContext(header.context))?;
        let payload = Payload::decode(&header, rest)?;
        Ok(Self {
            boot_ns: header.boot_ns,
            cpu: header.cpu,
            context,
            task: Task {
                pid: header.pid,
                tid: header.tid,
                comm: name(&header.comm),
            },
            cgroup_id: header.cgroup_id,
            netns: header.netns,
            hook,
            payload,
        })
    }

    /// The task, where it is the one that did it.
    pub fn culprit(&self) -> Option<&Task> {
        match self.context {
            Context::Task => Some(&self.task),
            Context::KernelThread | Context::Softirq => None,
        }
    }

    /// What happened, whatever it is.
    pub fn occurrence(&self) -> &dyn Occurrence {
        self.payload.occurrence()
    }
}

/// Bytes of an encoded record, by its own account.
pub fn size(bytes: &[u8]) -> Result<usize, DecodeError> {
    Ok(header(bytes)?.0.size.into())
}

/// The boot time of an encoded record, for putting records in order.
pub fn boot_ns(bytes: &[u8]) -> Result<u64, DecodeError> {
    Ok(header(bytes)?.0.boot_ns)
}

/// The kind of an encoded record.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    Some(Kind(header(bytes).ok()?.0.kind))
}

fn header(bytes: &[u8]) -> Result<(RecordHeader, &[u8]), DecodeError> {
    RecordHeader::read_from_prefix(bytes).map_err(|_| DecodeError::Truncated {
        have: bytes.len(),
        need: size_of::<RecordHeader>(),
    })
}

/// The payload of type `P`, whose size the header must agree with.
pub(crate) fn body<P: FromBytes>(header: &RecordHeader, rest: &[u8]) -> Result<P, DecodeError> {
    let need = size_of::<RecordHeader>() + size_of::<P>();
    if usize::from(header.size) != need {
        return Err(DecodeError::Size {
            kind: header.kind,
            size: header.size,
        });
    }
    P::read_from_prefix(rest)
        .map(|(payload, _)| payload)
        .map_err(|_| DecodeError::Truncated {
            have: size_of::<RecordHeader>() + rest.len(),
            need,
        })
}

/// A NUL-padded name of an interface or a thread, as [`text`] shows it.
pub(crate) fn name(bytes: &[u8]) -> Name {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    let name = &bytes[..end];
    // All of it, not up to the first that is not: that is done many at once.
    let strange = name.iter().filter(|byte| !is_plain(**byte)).count();
    match str::from_utf8(name) {
        Ok(name) if strange == 0 => Name::new(name),
        _ => text(name).into(),
    }
}

/// The name of an interface, a thread, a namespace or a file. Bytes that are no UTF-8, and control
/// characters that would reach a terminal, are shown as replacement characters;
/// a NUL ends it.
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0);
    let bytes = &bytes[..end.unwrap_or(bytes.len())];
    let text = String::from_utf8_lossy(bytes);
    if bytes.iter().copied().all(is_plain) {
        return text.into_owned();
    }
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// Whether a byte is a character that any terminal shows.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use v6trace_common::{Payload as _, families::multicast_join as wire};
    use zerocopy::IntoBytes;

    use super::*;

    fn record() -> Vec<u8> {
        let size = size_of::<RecordHeader>() + size_of::<wire::MulticastJoin>();
        let header = RecordHeader {
            size: size.try_into().unwrap(),
            kind: wire::MulticastJoin::KIND.0,
            version: WIRE_VERSION,
            context: Context::Task as u8,
            hook: wire::JOIN.0,
            boot_ns: 5,
            cgroup_id: 1,
            cpu: 0,
            netns: 4_026_531_840,
            pid: 812,
            tid: 812,
            comm: *b"radvd\0\0\0\0\0\0\0\0\0\0\0",
        };
        let mut bytes = header.as_bytes().to_vec();
        bytes.resize(size, 0);
        bytes
    }

    #[test]
    fn padding_after_the_record_is_ignored() {
        let mut bytes = record();
        let event = Event::decode(&bytes).unwrap();
        assert_eq!(event.task.to_string(), "radvd[812]");
        bytes.extend_from_slice(&[0xff; 4]);
        assert_eq!(Event::decode(&bytes), Ok(event));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = record();
        for end in 0..bytes.len() {
            assert!(
                matches!(
                    Event::decode(&bytes[..end]),
                    Err(DecodeError::Truncated { .. })
                ),
                "cut after {end}"
            );
        }
    }

    #[test]
    fn what_is_unknown_is_named() {
        let with = |at: usize, value: u8| {
            let mut bytes = record();
            bytes[at] = value;
            Event::decode(&bytes).unwrap_err()
        };
        assert!(matches!(with(0, 0xff), DecodeError::Size { .. }));
        assert_eq!(with(2, 0xee), DecodeError::UnknownKind(0xee));
        assert_eq!(with(4, 9), DecodeError::Version(9));
        assert_eq!(with(5, 9), DecodeError::UnknownContext(9));
        assert_eq!(with(6, 0x77), DecodeError::UnknownHook(0x77));
    }

    #[test]
    fn names_cannot_carry_escape_sequences() {
        assert_eq!(text(b"a\x1b[2Jb\0rest"), "a\u{fffd}[2Jb");
        assert_eq!(text(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail_cleanly(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Event::decode(&bytes);
        }

        #[test]
        fn names_are_read_as_any_text(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let read = name(&bytes);
            prop_assert_eq!(read.as_str(), text(&bytes));
        }

        #[test]
        fn a_damaged_record_decodes_or_fails_cleanly(
            at in 0_usize..140,
            value in any::<u8>(),
        ) {
            let mut bytes = record();
            bytes[at] = value;
            let _ = Event::decode(&bytes);
        }
    }
}
