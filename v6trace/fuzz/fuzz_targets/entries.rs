//! Any bytes as the content of a frame whose checksums are right, in a session
//! that is open.

#![no_main]

use std::io::sink;

use libfuzzer_sys::fuzz_target;
use v6trace::{recording::Contents, render::Text, render::time::TimeDisplay};
use v6trace_fuzz::replay;

/// A recording whose first frame is an opening.
const OPENED: &[u8] = include_bytes!("../../tests/golden/6.12/token.v6t");
/// Bytes of a frame's header.
const HEADER: usize = 32;

fuzz_target!(|content: &[u8]| {
    let opening = &OPENED[..HEADER + stored_len(OPENED)];
    let file = [opening, &frame(content)].concat();
    replay(
        &file,
        Text::new(sink(), sink(), TimeDisplay::Local, false),
        true,
    );
    replay(&file, Contents::default(), true);
});

/// What the header of a frame says of its length.
fn stored_len(frame: &[u8]) -> usize {
    u32::from_le_bytes(frame[20..24].try_into().expect("four bytes")) as usize
}

/// The frame that follows the first, with this content.
fn frame(content: &[u8]) -> Vec<u8> {
    let stored = lz4_flex::block::compress(content);
    let mut frame = OPENED[..12].to_vec();
    frame.extend(1_u32.to_le_bytes());
    for length in [content.len(), stored.len()] {
        frame.extend(u32::try_from(length).expect("a short input").to_le_bytes());
    }
    frame.extend(crc32fast::hash(&stored).to_le_bytes());
    frame.extend(crc32fast::hash(&frame).to_le_bytes());
    frame.extend(stored);
    frame
}
