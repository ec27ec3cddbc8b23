//! Content → a frame with its checksums.

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use zerocopy::{
    IntoBytes as _,
    little_endian::{U16, U32},
};

use super::{
    MAX_CONTENT,
    frame::{HEADER, Header, MAGIC, MAJOR, MINOR},
};

/// Makes frames; keeps its working memory between them.
#[derive(Default)]
pub(super) struct Packer {
    table: CompressTable,
    frame: Vec<u8>,
}

impl Packer {
    /// The frame number `sequence` with these entries.
    pub(super) fn pack(&mut self, sequence: u32, content: &[u8]) -> std::io::Result<&[u8]> {
        if content.len() > MAX_CONTENT {
            return Err(std::io::Error::other(
                "what was looked up for one event is larger than a frame may be",
            ));
        }
        let too_large = |_| std::io::Error::other("a frame is larger than its format can say");
        self.frame.clear();
        self.frame
            .resize(HEADER + get_maximum_output_size(content.len()), 0);
        let stored = &mut self.frame[HEADER..];
        let stored_len = compress_into_with_table(content, stored, &mut self.table)
            .map_err(std::io::Error::other)?;
        self.frame.truncate(HEADER + stored_len);
        let mut header = Header {
            magic: MAGIC,
            major: MAJOR,
            minor: MINOR,
            reserved: U16::ZERO,
            sequence: sequence.into(),
            content_len: u32::try_from(content.len()).map_err(too_large)?.into(),
            stored_len: u32::try_from(stored_len).map_err(too_large)?.into(),
            stored_crc: crc32fast::hash(&self.frame[HEADER..]).into(),
            crc: U32::ZERO,
        };
        header.crc = header.crc_of_bytes().into();
        self.frame[..HEADER].copy_from_slice(header.as_bytes());
        Ok(&self.frame)
    }

    /// The frame made last.
    pub(super) fn frame(&self) -> &[u8] {
        &self.frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_survives_the_way_there_and_back() {
        let content = b"entries".repeat(99);
        let mut packer = Packer::default();
        let frame = packer.pack(7, &content).unwrap();
        let header = Header::at(frame).unwrap();
        assert_eq!(header.sequence, 7);
        assert!(header.is_plausible() && header.fits(&frame[HEADER..]));
        let unpacked = header.unpack(&frame[HEADER..]).unwrap();
        assert_eq!(unpacked, content);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut packer = Packer::default();
        let mut frame = packer.pack(0, b"a few entries").unwrap().to_vec();
        for bit in 0..frame.len() * 8 {
            frame[bit / 8] ^= 1 << (bit % 8);
            let intact = Header::at(&frame).is_some_and(|header| header.fits(&frame[HEADER..]));
            assert!(!intact, "bit {bit}");
            frame[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
