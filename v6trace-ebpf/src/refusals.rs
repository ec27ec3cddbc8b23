//! How often refused requests over netlink are reported.
//!
//! Daemons add what may be there, and delete what may be gone, and take the errno for
//! an answer: that is told once for each process. Whoever tries by hand is answered
//! each time, for each command is a process of its own; and whoever starts thousands
//! of them is held back as one.

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::map};
use v6trace_common::Hook;

use crate::{
    limit::{HELD_BACK, Limit},
    pointer::Pointer,
};

/// `-ENOENT`, `-ESRCH` and `-EEXIST`: the answer to whether something is there.
const NO_ENTRY: i32 = -2;
const NO_SUCH: i32 = -3;
const EXISTS: i32 = -17;

/// How soon such an answer to a process is told again.
const ANSWER_NS: u64 = 3600 * 1_000_000_000;
/// Other failures of a process by one errno are reported so often within so many
/// nanoseconds, and those of a whole namespace.
const MOST: u32 = 8;
const MOST_OF_ALL: u32 = 16;
const AGAIN_NS: u64 = 10_000_000_000;

/// Bytes behind the beginning of a `struct netlink_ext_ack` in which it may have words
/// of its own, on the stack.
const OWN_WORDS: u64 = 0x100;

/// A request that was refused.
pub(crate) struct Refusal {
    pub(crate) hook: Hook,
    /// What of it is told apart, below 2^16.
    pub(crate) sort: u32,
    pub(crate) netns: u32,
    pub(crate) ret: i32,
    /// Which words the kernel has for it: see [`words`].
    pub(crate) said: u64,
    /// The interface that it is about; 0 where that does not tell it apart.
    pub(crate) ifindex: u32,
    /// Whether programs take it for an answer.
    pub(crate) is_answer: bool,
}

/// What is the same.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    netns: u32,
    /// The process; 0 for all of the namespace.
    pid: u32,
    ret: i32,
    sort: u32,
    said: u64,
    ifindex: u32,
    unused: u32,
}

#[map]
static REFUSALS_REPORTED: Limit<Same> = Limit::new(4096);

/// Whether programs take this errno for an answer to whether something is there.
#[inline(always)]
pub(crate) fn is_answer(ret: i32) -> bool {
    matches!(ret, NO_ENTRY | NO_SUCH | EXISTS)
}

/// Which words the kernel has for a refusal: mostly constants, told apart by where they
/// are; 0 without.
#[inline(always)]
pub(crate) fn words(extack: Pointer, words: Option<Pointer>) -> u64 {
    let at = words.map_or(0, |words| words.0);
    let is_own = at.wrapping_sub(extack.0) < OWN_WORDS;
    if is_own { 1 } else { at }
}

/// How many were not reported before this one; `None` where it is not either.
#[inline(always)]
pub(crate) fn suppressed(refusal: Refusal) -> Option<u32> {
    let same = Same {
        netns: refusal.netns,
        pid: (bpf_get_current_pid_tgid() >> 32) as u32,
        ret: refusal.ret,
        sort: u32::from(refusal.hook.0) | refusal.sort << 16,
        said: refusal.said,
        ifindex: refusal.ifindex,
        unused: 0,
    };
    let of_process = if refusal.is_answer {
        REFUSALS_REPORTED.pass(&same, 0, ANSWER_NS, 1)
    } else {
        REFUSALS_REPORTED.pass(&same, 0, AGAIN_NS, MOST)
    };
    if of_process == HELD_BACK {
        return None;
    }
    let of_namespace = Same { pid: 0, ..same };
    let of_all = REFUSALS_REPORTED.pass(&of_namespace, 0, AGAIN_NS, MOST_OF_ALL);
    if of_all == HELD_BACK {
        // It was not told: the next of the process is not for that reason held back for
        // an hour.
        if refusal.is_answer {
            REFUSALS_REPORTED.forget(&same);
        }
        return None;
    }
    Some((of_process + of_all) as u32)
}
