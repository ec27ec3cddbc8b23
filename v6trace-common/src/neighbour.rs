//! Frames of neighbour discovery in records, whichever family's.

use crate::kind::layout;

/// Bytes of a frame that a record has room for.
pub const FRAME_LEN: usize = 128;
/// Bytes of a frame that are copied at most: a solicitation or advertisement
/// over Ethernet with five options of 8 bytes.
pub const FRAME_COPIED: u32 = 120;

layout! {
    /// The beginning of a frame of neighbour discovery, from its link layer on.
    pub struct NeighbourFrame: 136 bytes {
        /// The bytes; only the first [`copied`](Self::copied) count.
        pub bytes: [u8; FRAME_LEN],
        /// How many bytes were copied; 0 where the frame could not be read.
        pub copied: u16,
        /// Bytes of the whole frame.
        pub length: u16,
        /// Where the IPv6 header begins; 0 without a link layer.
        pub network: u16,
        /// Where the ICMPv6 header begins.
        pub transport: u16,
    }
}
