//! The last advertisement of each neighbour: what the kernel makes nothing of shows where
//! the neighbour is given up nevertheless.

use aya_ebpf::{macros::map, maps::LruHashMap};
use v6trace_common::{INTERFACE_NAME_LEN, families::neighbour::NeighbourSilent};

use super::Same;
use crate::address::Address;

/// A neighbour advertisement that came in.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) boot_ns: u64,
    pub(crate) interface: [u8; INTERFACE_NAME_LEN],
    pub(crate) ifindex: u32,
    pub(crate) hop_limit: u8,
    pub(crate) code: u8,
    pub(crate) flags: u8,
    /// `ANSWER_*`
    pub(crate) seen: u8,
}

#[map]
static NEIGHBOUR_ANSWERS: LruHashMap<Same, Answer> = LruHashMap::with_max_entries(1024, 0);

/// By which interface it comes may be the very reason that nothing comes of it; but each
/// link has link-local addresses of its own.
#[inline(always)]
fn of(address: Address, netns: u32, ifindex: u32) -> Same {
    Same {
        address,
        netns,
        ifindex: if address.is_link_local() { ifindex } else { 0 },
    }
}

/// A neighbour advertises that address.
#[inline(always)]
pub(crate) fn answered(address: Address, netns: u32, answer: &Answer) {
    // What cannot be remembered is not told.
    let _ = NEIGHBOUR_ANSWERS.insert(&of(address, netns, answer.ifindex), answer, 0);
}

/// Writes the last one of a neighbour, where any came.
#[inline(always)]
pub(super) fn write(same: &Same, payload: &mut NeighbourSilent) {
    let key = of(same.address, same.netns, same.ifindex);
    // SAFETY: copied at once; entries are replaced as a whole.
    let answer = unsafe { NEIGHBOUR_ANSWERS.get(&key).copied() };
    payload.answer_seen = 0;
    if let Some(answer) = answer {
        payload.answer_interface = answer.interface;
        payload.answer_boot_ns = answer.boot_ns;
        payload.answer_ifindex = answer.ifindex;
        payload.answer_hop_limit = answer.hop_limit;
        payload.answer_code = answer.code;
        payload.answer_flags = answer.flags;
        payload.answer_seen = answer.seen;
    }
}
