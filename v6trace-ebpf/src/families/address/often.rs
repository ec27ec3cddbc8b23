//! How often the same is reported: whoever has a namespace of its own may ask,
//! and switch its interfaces off and on, as often as it likes.

use aya_ebpf::macros::map;
use v6trace_common::Hook;

use crate::limit::{HELD_BACK, Limit};

/// An interface's failures by one errno, and its losses by one trigger, are
/// reported so often within so many nanoseconds: whoever tries by hand is answered
/// each time.
const MOST: u32 = 8;
const AGAIN_NS: u64 = 10_000_000_000;

/// What is the same.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    netns: u32,
    ifindex: u32,
    /// The errno or trigger.
    why: i32,
    hook: u32,
}

#[map]
static ADDRESS_REPORTED: Limit<Same> = Limit::new(1024);

/// How many were not reported before this one; `None` where it is not either.
#[inline(always)]
pub(super) fn suppressed(hook: Hook, netns: u32, ifindex: u32, why: i32) -> Option<u32> {
    let same = Same {
        netns,
        ifindex,
        why,
        hook: hook.0.into(),
    };
    match ADDRESS_REPORTED.pass(&same, 0, AGAIN_NS, MOST) {
        HELD_BACK => None,
        suppressed => Some(suppressed as u32),
    }
}
