//! Reads the kernel's BTF, the description of its types, to find where a
//! member lies in this kernel's structures.
//!
//! Rust emits no CO-RE relocations, so the eBPF programs are told every offset
//! at load time. The bytes of `/sys/kernel/btf/vmlinux` (or of a file given
//! instead) go through [`Btf::parse`], which walks the records once, notes
//! where each begins and indexes the named ones; [`Btf::member`] then follows a
//! path such as `sock.__sk_common.skc_net.net` through that index.
//!
//! The input counts as hostile: every access is checked, chains and nesting are
//! bounded, and the memory used is a small multiple of the input's size.

mod error;
mod index;
mod lookup;
mod measure;
mod parse;
mod path;
mod record;

#[cfg(test)]
mod blob;
#[cfg(test)]
mod tests;

pub use error::{BtfError, MemberError};

use index::NameIndex;
use std::{fs::File, io, io::Read as _, ops::Range, path::Path};

/// Where the running kernel shows its own BTF.
pub const KERNEL_BTF: &str = "/sys/kernel/btf/vmlinux";

/// No kernel's BTF comes near this; it keeps `--btf /dev/zero` from filling the memory.
const MAX_FILE: u64 = 256 << 20;

/// The types of one kernel.
#[derive(Debug)]
pub struct Btf {
    data: Vec<u8>,
    types: Range<usize>,
    strings: Range<usize>,
    /// Where the record of type `id` begins in the type section, at `[id - 1]`;
    /// one more entry marks the end of the last.
    starts: Vec<u32>,
    names: NameIndex,
}

/// Where a member lies in the structure named first in its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Bytes from the beginning of the outermost structure to what is to be loaded.
    pub byte_offset: u32,
    /// Bytes to load: the size of the member (of the whole array for an array,
    /// 0 for a flexible one), or 1, 2, 4 or 8 for a bitfield.
    pub byte_size: u32,
    /// Set for a bitfield: which bits of the loaded unit are the member.
    pub bit: Option<BitField>,
}

/// The bits of a bitfield within the unit its [`Member`] describes:
/// `(unit >> shift) & ((1 << width) - 1)` on a little-endian machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitField {
    /// Position of the lowest bit, counted from the unit's least significant one.
    pub shift: u8,
    /// Number of bits, 1 to 64.
    pub width: u8,
}

impl Btf {
    /// Reads raw BTF.
    ///
    /// # Errors
    /// [`BtfError`] says what is wrong with the bytes and, where they are
    /// something else than raw BTF, how to get at it.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, BtfError> {
        parse::parse(bytes)
    }

    /// Reads raw BTF from a file, [`KERNEL_BTF`] as a rule.
    ///
    /// # Errors
    /// Those of [`Btf::parse`] and of reading, as [`BtfError::File`], which names the file.
    pub fn load(path: &Path) -> Result<Self, BtfError> {
        read_file(path)
            .and_then(Self::parse)
            .map_err(|problem| BtfError::File {
                path: path.to_owned(),
                problem: Box::new(problem),
            })
    }

    /// Number of types described.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether no type at all is described.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, BtfError> {
    let missing = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound && path == Path::new(KERNEL_BTF) {
            BtfError::KernelWithoutBtf
        } else {
            BtfError::Read(error)
        }
    };
    let mut file = File::open(path).map_err(missing)?;
    let mut bytes = Vec::new();
    // A vmlinux with debug information is huge: find out what the file is
    // before reading all of it.
    file.by_ref()
        .take(parse::MIN_HEADER as u64)
        .read_to_end(&mut bytes)
        .map_err(BtfError::Read)?;
    parse::check_magic(&bytes)?;
    file.take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(BtfError::Read)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(BtfError::TooLarge);
    }
    Ok(bytes)
}
