//! The last advertisement of each neighbour, where it may be of no use: that shows where
//! the neighbour is given up nevertheless.

use aya_ebpf::{helpers::generated, macros::map, maps::LruHashMap};
use v6trace_common::families::neighbour::NeighbourSilent;

use super::{Same, globals};
use crate::{limit::now, pointer::Pointer};

/// A neighbour advertisement that came in.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) hop_limit: u8,
    pub(crate) code: u8,
    pub(crate) flags: u8,
    /// `ANSWER_*`
    pub(crate) seen: u8,
}

/// An advertisement, and when it came.
#[repr(C)]
#[derive(Clone, Copy)]
struct Came {
    boot_ns: u64,
    jiffies: u64,
    answer: Answer,
    unused: u32,
}

#[map]
static NEIGHBOUR_ANSWERS: LruHashMap<Same, Came> = LruHashMap::with_max_entries(1024, 0);

/// A neighbour advertises itself, which may be of no use.
#[inline(always)]
pub(crate) fn answered(same: &Same, answer: Answer) {
    let came = Came {
        boot_ns: now(),
        jiffies: jiffies(),
        answer,
        unused: 0,
    };
    // What cannot be remembered is not told.
    let _ = NEIGHBOUR_ANSWERS.insert(same, &came, 0);
}

/// It does so as it should: what came before says nothing any more.
#[inline(always)]
pub(crate) fn answered_well(same: &Same) {
    // Mostly there is none.
    let _ = NEIGHBOUR_ANSWERS.remove(same);
}

/// Writes the last one of a neighbour, where any came while it was asked for.
#[inline(always)]
pub(super) fn write(same: &Same, neighbour: Pointer, payload: &mut NeighbourSilent) {
    payload.answer_seen = 0;
    // SAFETY: copied at once; entries are replaced as a whole.
    let Some(came) = (unsafe { NEIGHBOUR_ANSWERS.get(same).copied() }) else {
        return;
    };
    // As its state became INCOMPLETE or PROBE; that it is asked again changes nothing.
    let Some(since) = neighbour.get::<u64>(&globals::NEIGH_UPDATED) else {
        return;
    };
    // Within the same jiffy it may have come before.
    if (came.jiffies.wrapping_sub(since) as i64) > 0 {
        let answer = came.answer;
        payload.answer_boot_ns = came.boot_ns;
        payload.answer_hop_limit = answer.hop_limit;
        payload.answer_code = answer.code;
        payload.answer_flags = answer.flags;
        payload.answer_seen = answer.seen;
    }
}

#[inline(always)]
fn jiffies() -> u64 {
    // SAFETY: a helper without arguments that returns a number.
    unsafe { generated::bpf_jiffies64() }
}
