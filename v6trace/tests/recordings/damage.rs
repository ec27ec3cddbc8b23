//! Recordings that were cut or damaged: what is intact replays, what is missing is
//! said, and nothing is made up. Headers and the ends of frames are gone through byte by
//! byte; of what is compressed in between, of which every byte counts alike, some.

use v6trace::{
    recording::Item, recording::Reader, recording::Replay, render::Text, render::time::TimeDisplay,
    report::Options, report::Report,
};

use crate::support;

/// What a file holds.
#[derive(Debug, PartialEq)]
struct Content {
    /// Openings, named, and records, as they are shown for debugging.
    items: Vec<String>,
    /// Bytes that are said to be damaged, and whether frames are said to be
    /// missing or the file to be cut.
    damaged: u64,
    gaps: bool,
    cut: bool,
}

/// Reads bytes as a recording; `None` where there is nothing of one.
fn read(bytes: &[u8]) -> Option<Content> {
    let mut reader = Reader::new(bytes).expect("a reader");
    let mut content = Content {
        items: Vec::new(),
        damaged: 0,
        gaps: false,
        cut: false,
    };
    let take = |item: Item, content: &mut Content| match item {
        Item::Damaged(damage) => {
            content.damaged += damage.bytes;
            content.gaps |= damage.frames.is_some();
            content.cut |= damage.cut;
        }
        Item::Unknown { kind } => panic!("an entry of kind {kind} in a checked frame"),
        Item::Opening(opening) => {
            let what = format!("{} {}", opening.recording, opening.piece);
            content.items.push(what);
        }
        other => content.items.push(format!("{other:?}")),
    };
    while let Some(item) = reader.next_item().expect("bytes can be read") {
        take(item, &mut content);
    }
    while let Some(item) = reader.finish().ok()? {
        take(item, &mut content);
    }
    Some(content)
}

/// The text that a replay gives.
fn replay(bytes: &[u8]) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let text = Text::new(&mut out, &mut err, TimeDisplay::Local, false);
    let mut feed = Replay::new(Report::new(Options::default(), text));
    let mut reader = Reader::new(bytes).expect("a reader");
    while let Some(item) = reader.next_item().expect("bytes can be read") {
        feed.take(item).expect("memory takes everything");
    }
    while let Ok(Some(item)) = reader.finish() {
        feed.take(item).expect("memory takes everything");
    }
    feed.finish().expect("memory takes everything");
    String::from_utf8(out).expect("text")
}

/// Whether `part` is `whole` with some left out.
fn is_part_of(part: &[String], whole: &[String]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|item| whole.any(|other| other == item))
}

#[test]
fn cut_anywhere_what_was_whole_replays() {
    for story in ["dad", "radvd"] {
        let bytes = support::bytes("6.1", story);
        let whole = read(&bytes).expect("a recording");
        let text = replay(&bytes);
        assert!(whole.damaged == 0 && !text.is_empty());
        let mut before = 0;
        for end in places(&bytes) {
            let Some(part) = read(&bytes[..end]) else {
                assert_eq!(
                    before, 0,
                    "{story} cut after {end}: nothing is there any more"
                );
                continue;
            };
            let count = part.items.len();
            assert_eq!(part.items, whole.items[..count], "{story} cut after {end}");
            assert!(count >= before, "{story} cut after {end}");
            assert_eq!(part.cut, part.damaged > 0, "{story} cut after {end}");
            // What is told depends on what was read, wherever in a frame the cut is.
            if count > before || end % 4 == 0 {
                assert!(
                    text.starts_with(&replay(&bytes[..end])),
                    "{story} cut after {end}"
                );
            }
            before = count;
        }
        assert_eq!(
            before,
            whole.items.len() - 1,
            "only the end is in the last frame"
        );
    }
}

/// Bytes of a frame's header.
const HEADER: usize = 32;
/// Bytes at the end of a frame that are all gone through.
const END: usize = 4;
/// One in so many of the others.
const STEP: usize = 29;

/// Where a file is cut or damaged.
fn places(bytes: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    for frame in frames(bytes) {
        let (stored, end) = (frame.start + HEADER, frame.end - END);
        places.extend(frame.start..stored);
        places.extend((stored..end).step_by(STEP));
        places.extend(end.max(stored)..frame.end);
    }
    places
}

/// The frames of a file, by the lengths that their headers give.
fn frames(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let stored = u32::from_le_bytes(*bytes[at + 20..].first_chunk().expect("a header"));
        let end = at + HEADER + stored as usize;
        frames.push(at..end);
        at = end;
    }
    frames
}

/// Every bit of the headers, and some of what they give a checksum of.
#[test]
fn with_a_bit_flipped_only_its_frame_is_missing() {
    let bytes = support::bytes("6.1", "dad");
    let whole = read(&bytes).expect("a recording");
    let mut damaged = bytes.clone();
    for frame in frames(&bytes) {
        let others = [&bytes[..frame.start], &bytes[frame.end..]].concat();
        let others = read(&others).expect("the other frames");
        assert!(others.items.len() < whole.items.len(), "{frame:?}");
        let header = frame.start * 8..(frame.start + HEADER) * 8;
        let stored = (frame.start + HEADER..frame.end).step_by(STEP);
        let stored = stored.map(|byte| byte * 8 + byte % 8);
        for bit in header.chain(stored) {
            damaged[bit / 8] ^= 1 << (bit % 8);
            let part = read(&damaged).expect("the other frames");
            assert!(part.items == others.items, "bit {bit}");
            assert_eq!(part.damaged, frame.len() as u64, "bit {bit}");
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn with_a_byte_changed_no_explanation_is_made_up() {
    for story in ["anycast", "radvd"] {
        let bytes = support::bytes("5.10", story);
        let text = replay(&bytes);
        let told: Vec<String> = text.split_inclusive("\n\n").map(str::to_owned).collect();
        let mut damaged = bytes.clone();
        for at in places(&bytes) {
            damaged[at] = !damaged[at];
            let part = replay(&damaged);
            let part: Vec<String> = part.split_inclusive("\n\n").map(str::to_owned).collect();
            assert!(is_part_of(&part, &told), "byte {at} of {story}");
            damaged[at] = !damaged[at];
        }
    }
}

#[test]
fn bytes_left_out_or_put_in_between_are_said_to_be_missing() {
    let bytes = support::bytes("6.12", "source");
    let whole = read(&bytes).expect("a recording");
    for at in places(&bytes) {
        for (what, changed) in [
            (
                "out",
                [&bytes[..at], &bytes[(at + 40).min(bytes.len())..]].concat(),
            ),
            ("in", [&bytes[..at], &[0xf6; 40], &bytes[at..]].concat()),
        ] {
            let part = read(&changed).expect("the other frames");
            assert!(is_part_of(&part.items, &whole.items), "{what} at {at}");
            assert!(part.damaged > 0 || part.gaps, "{what} at {at}");
        }
    }
}

#[test]
fn a_file_between_two_others_costs_neither() {
    let one = support::bytes("6.12", "token");
    let other = support::bytes("6.12", "radvd");
    let joined = [&one[..], &[0; 5000], &other].concat();
    let expected = replay(&one) + &replay(&other);
    assert_eq!(replay(&joined), expected);
}

/// A damage ahead of a cut is a damage, not a part of the cut.
#[test]
fn damage_and_a_cut_are_told_apart() {
    let bytes = support::bytes("6.1", "dad");
    let frames = frames(&bytes);
    let [.., damaged, cut] = &frames[..] else {
        panic!("{} frames", frames.len());
    };
    let mut part = bytes[..cut.end - 3].to_vec();
    part[damaged.start + 40] ^= 1;
    let mut reader = Reader::new(part.as_slice()).expect("a reader");
    while reader.next_item().expect("bytes can be read").is_some() {}
    let mut said = Vec::new();
    while let Some(Item::Damaged(damage)) = reader.finish().expect("a recording") {
        said.push((damage.offset, damage.bytes, damage.cut));
    }
    let range = |range: &std::ops::Range<usize>| (range.start as u64, range.len() as u64);
    let (damaged, cut) = (range(damaged), range(cut));
    assert_eq!(
        said,
        [(damaged.0, damaged.1, false), (cut.0, cut.1 - 3, true)]
    );
}
