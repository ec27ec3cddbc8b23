//! What a recording lacks, and how that is said.

use std::fmt;

use serde::Serialize;

/// A part of a file that is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Damage {
    /// Where the damaged bytes begin, from the start of the file.
    pub offset: u64,
    /// How many there are; 0 where frames are missing and nothing in their
    /// place.
    pub bytes: u64,
    /// How many frames are missing, where the numbers of those around tell.
    pub frames: Option<u32>,
    /// Whether the file ends in the midst of a frame.
    #[serde(skip)]
    pub cut: bool,
}

/// What a recording is known to lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A part of the file is not what was written.
    Damaged(Damage),
    /// Records that could not be stored while recording.
    Unrecorded {
        /// How many.
        records: u64,
    },
    /// Records ahead of the first intact opening, without which nothing can be
    /// said about them.
    Unopened {
        /// How many.
        records: u64,
    },
    /// The pieces ahead of this one.
    Start {
        /// Which piece it is.
        piece: u32,
    },
    /// What was told before, comes ahead of what was, or comes after its end.
    Again,
    /// The end.
    End,
    /// The piece that follows.
    NextPiece,
}

/// What is missing, for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MissingPart {
    /// A short name for it: damaged, cut, unrecorded, unopened, start, again, end or
    /// next-piece.
    what: &'static str,
    /// Where it is.
    #[serde(flatten)]
    damage: Option<Damage>,
    /// How many records are.
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
}

impl Missing {
    /// A short name for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Damaged(Damage { cut: true, .. }) => "cut",
            Self::Damaged(_) => "damaged",
            Self::Unrecorded { .. } => "unrecorded",
            Self::Unopened { .. } => "unopened",
            Self::Start { .. } => "start",
            Self::Again => "again",
            Self::End => "end",
            Self::NextPiece => "next-piece",
        }
    }

    /// How many records, where that is known.
    pub const fn records(&self) -> Option<u64> {
        match self {
            Self::Unrecorded { records } | Self::Unopened { records } => Some(*records),
            Self::Damaged(_) | Self::Start { .. } | Self::Again | Self::End | Self::NextPiece => {
                None
            }
        }
    }

    /// The same for programs.
    pub fn part(&self) -> MissingPart {
        let damage = match self {
            Self::Damaged(damage) => Some(*damage),
            _ => None,
        };
        MissingPart {
            what: self.name(),
            damage,
            records: self.records(),
        }
    }

    /// Whether something that was written is not told: more than a recorder
    /// that was stopped at once, or pieces that were not given.
    pub const fn is_loss(&self) -> bool {
        match self {
            Self::Damaged(damage) => !damage.cut && !matches!(damage.frames, Some(0)),
            Self::Unrecorded { .. } | Self::Unopened { .. } | Self::Again => true,
            Self::Start { .. } | Self::End | Self::NextPiece => false,
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(Damage {
                offset,
                bytes,
                cut: true,
                ..
            }) => write!(
                f,
                "cut at the end: the last {bytes} bytes, from offset {offset} on, are a part of a frame"
            ),
            Self::Damaged(Damage {
                offset, bytes: 0, ..
            }) => write!(f, "frames are missing at offset {offset}"),
            Self::Damaged(Damage {
                offset,
                bytes,
                frames: Some(0),
                ..
            }) => write!(
                f,
                "{bytes} bytes from offset {offset} on are no part of it, and none of its own are missing"
            ),
            Self::Damaged(Damage { offset, bytes, .. }) => write!(
                f,
                "{bytes} bytes from offset {offset} on are damaged, what they told is missing"
            ),
            Self::Unrecorded { records } => {
                write!(f, "{records} records could not be stored while recording")
            }
            Self::Unopened { records } => write!(
                f,
                "{records} records cannot be explained, since what opens the recording is missing"
            ),
            Self::Start { piece } => write!(
                f,
                "it is piece {piece} of its recording, and what came before was not given"
            ),
            Self::Again => f.write_str(
                "left out: it was given before, or belongs ahead of what was (pieces go in their order), \
                 or is a later copy of what has ended (give that one alone)",
            ),
            Self::End => {
                f.write_str("it ends without a closing record: recording was killed, or goes on")
            }
            Self::NextPiece => f.write_str("the piece that follows was not given"),
        }
    }
}
