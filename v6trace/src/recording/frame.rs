//! One frame: a header that says what follows and can be recognised anywhere,
//! then compressed entries.

use lz4_flex::block::{decompress_into, get_maximum_output_size};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout,
    little_endian::{U16, U32},
};

use super::MAX_CONTENT;

/// What every frame begins with. The first byte is no text, the rest is the
/// format's name.
pub(super) const MAGIC: [u8; 8] = *b"\xF6v6trace";
/// The format's major version: readers refuse a larger one.
pub const MAJOR: u8 = 1;
/// The format's minor version: raised by what older readers may skip.
pub const MINOR: u8 = 0;

/// Bytes of a frame's header.
pub(super) const HEADER: usize = size_of::<Header>();

/// The first bytes of a frame, little-endian.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub(super) struct Header {
    pub(super) magic: [u8; 8],
    pub(super) major: u8,
    pub(super) minor: u8,
    pub(super) reserved: U16,
    /// The frame's number in its recording, from 0 on.
    pub(super) sequence: U32,
    /// Bytes of the entries, decompressed.
    pub(super) content_len: U32,
    /// Bytes that follow the header: one LZ4 block.
    pub(super) stored_len: U32,
    /// CRC-32 of those bytes.
    pub(super) stored_crc: U32,
    /// CRC-32 of the header's bytes before this one.
    pub(super) crc: U32,
}

const _: () = assert!(HEADER == 32);

impl Header {
    /// The header at the start of `bytes`, if one is there and undamaged.
    pub(super) fn at(bytes: &[u8]) -> Option<Self> {
        let (header, _) = Self::read_from_prefix(bytes).ok()?;
        let intact = header.magic == MAGIC && header.crc == header.crc_of_bytes();
        intact.then_some(header)
    }

    /// Whether `stored`, which follows the header, is what was written.
    pub(super) fn fits(&self, stored: &[u8]) -> bool {
        stored.len() == self.stored_len() && self.stored_crc == crc32fast::hash(stored)
    }

    /// Bytes that follow the header.
    pub(super) fn stored_len(&self) -> usize {
        self.stored_len.get() as usize
    }

    /// Whether the sizes are those of a frame that a writer makes.
    pub(super) fn is_plausible(&self) -> bool {
        self.content_len.get() as usize <= MAX_CONTENT
            && self.stored_len() <= get_maximum_output_size(MAX_CONTENT)
    }

    /// The entries of a frame whose bytes fit its header; `None` where they
    /// are none all the same.
    pub(super) fn unpack(&self, stored: &[u8]) -> Option<Vec<u8>> {
        let mut content = vec![0; self.content_len.get() as usize];
        let content_len = decompress_into(stored, &mut content).ok()?;
        (content_len == content.len()).then_some(content)
    }

    pub(super) fn crc_of_bytes(&self) -> u32 {
        let bytes = self.as_bytes();
        crc32fast::hash(&bytes[..HEADER - size_of::<U32>()])
    }
}
