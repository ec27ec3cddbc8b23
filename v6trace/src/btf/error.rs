//! What can be wrong with BTF itself ([`BtfError`]) and with a question to it
//! ([`MemberError`]).

use std::{io, path::PathBuf};
use thiserror::Error;

/// Why there is no usable BTF.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BtfError {
    /// Any of the others, for the file named.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file that was to be read.
        path: PathBuf,
        /// What is wrong with it.
        problem: Box<BtfError>,
    },
    /// The file could not be opened or read.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// The running kernel shows no BTF.
    #[error(
        "there is no such file: this kernel was built without CONFIG_DEBUG_INFO_BTF, or /sys is \
         not mounted; give the BTF of exactly this kernel with --btf FILE, made from the vmlinux \
         of its debug package by `pahole --btf_encode_detached=FILE vmlinux`"
    )]
    KernelWithoutBtf,
    /// Larger than any kernel's BTF.
    #[error("is larger than 256 MiB, so it is not the BTF of a kernel")]
    TooLarge,
    /// An ELF file, such as vmlinux, which may hold BTF in a section.
    #[error(
        "is an ELF file, not raw BTF; take the BTF out of it with `objcopy --dump-section \
         .BTF=vmlinux.btf FILE /dev/null`; if it has no .BTF section but debug information, \
         make one with `pahole --btf_encode_detached=vmlinux.btf FILE`"
    )]
    Elf,
    /// Compressed or archived.
    #[error("is compressed ({0}), not raw BTF; unpack it first")]
    Compressed(&'static str),
    /// Made for a machine of the other byte order.
    #[error(
        "is big-endian BTF; v6trace runs on little-endian kernels only, so this is another machine's"
    )]
    BigEndian,
    /// Not BTF at all.
    #[error(
        "does not begin like BTF (9f eb); give raw BTF such as /sys/kernel/btf/vmlinux of the traced kernel"
    )]
    BadMagic,
    /// A version of the format that did not exist when this was written.
    #[error("is BTF of version {0}; only version 1 is known")]
    UnknownVersion(u8),
    /// Ends before all that it announces.
    #[error(
        "is truncated: {what} should reach to byte {needed}, but it ends at {have}; copy it again"
    )]
    Truncated {
        /// What does not fit.
        what: &'static str,
        /// Where that should end, in bytes from the beginning of the file or section.
        needed: u64,
        /// Where the file or section ends.
        have: u64,
    },
    /// A type of a kind that is neither known nor described by the file.
    #[error(
        "type {type_id} is of kind {kind}, unknown to this version of v6trace; \
         use a newer one, or BTF from an older pahole"
    )]
    UnknownKind {
        /// The type's number in the file.
        type_id: u32,
        /// The kind as stored.
        kind: u8,
    },
    /// Contradicts the format.
    #[error("is damaged: {0}")]
    Malformed(&'static str),
}

/// Why a member, or the size of a type, cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MemberError {
    /// This kernel has no type of that name.
    #[error("this kernel has no type {name}")]
    NoSuchType {
        /// The name asked for.
        name: String,
    },
    /// This kernel's structure lacks that member.
    #[error("{type_name} has no member {member} in this kernel")]
    NoSuchMember {
        /// The structure (or what stands in its place).
        type_name: String,
        /// The member asked for.
        member: String,
    },
    /// This kernel's array is shorter.
    #[error("{member} has only {len} elements in this kernel")]
    NoSuchElement {
        /// The array with the index asked for.
        member: String,
        /// Number of elements it has.
        len: u32,
    },
    /// The path goes on behind a pointer, which no offset can express.
    #[error("{pointer} is a pointer; what it points to needs a path of its own")]
    ThroughPointer {
        /// The component of the path that is a pointer.
        pointer: String,
    },
    /// The path is not of the form `type.member[3].member`.
    #[error("{path:?} is not a member path: {problem}")]
    BadPath {
        /// The path as given.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The BTF contradicts itself.
    #[error("damaged BTF at type {type_id}: {problem}")]
    Malformed {
        /// The type's number in the file.
        type_id: u32,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl MemberError {
    /// Whether this kernel simply does not have what was asked for, as happens
    /// with members that came or went with a release; the BTF itself is fine.
    pub fn is_absent(&self) -> bool {
        matches!(
            self,
            Self::NoSuchType { .. } | Self::NoSuchMember { .. } | Self::NoSuchElement { .. }
        )
    }
}
