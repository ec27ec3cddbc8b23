//! Content → a frame with its checksums.

use zerocopy::{
    IntoBytes as _,
    little_endian::{U16, U32},
};

use super::{
    MAX_CONTENT,
    frame::{HEADER, Header, MAGIC, MAJOR, MINOR},
};

/// zstd's level: beyond it a burst shrinks little and costs much.
const LEVEL: i32 = 3;

/// Makes frames; keeps its working memory between them.
pub(super) struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    frame: Vec<u8>,
}

impl Packer {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            compressor: zstd::bulk::Compressor::new(LEVEL)?,
            frame: Vec::new(),
        })
    }

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
            .resize(HEADER + zstd::zstd_safe::compress_bound(content.len()), 0);
        let stored_len = self
            .compressor
            .compress_to_buffer(content, &mut self.frame[HEADER..])?;
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
    use super::{super::frame::Unpacker, *};

    #[test]
    fn a_frame_survives_the_way_there_and_back() {
        let content = b"entries".repeat(99);
        let mut packer = Packer::new().unwrap();
        let frame = packer.pack(7, &content).unwrap();
        let header = Header::at(frame).unwrap();
        assert_eq!(header.sequence, 7);
        assert!(header.is_plausible() && header.fits(&frame[HEADER..]));
        let unpacked = Unpacker::new()
            .unwrap()
            .unpack(&header, &frame[HEADER..])
            .unwrap();
        assert_eq!(unpacked, content);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut packer = Packer::new().unwrap();
        let mut frame = packer.pack(0, b"a few entries").unwrap().to_vec();
        for bit in 0..frame.len() * 8 {
            frame[bit / 8] ^= 1 << (bit % 8);
            let intact = Header::at(&frame).is_some_and(|header| header.fits(&frame[HEADER..]));
            assert!(!intact, "bit {bit}");
            frame[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
