//! How often the same is reported.
//!
//! Daemons add what may be there, and delete what may be gone, and take the errno for
//! an answer: that is told once for each process. Whoever tries by hand is answered
//! each time, for each command is a process of its own; and whoever starts thousands
//! of them is held back as one.

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::map};
use v6trace_common::Hook;

use crate::limit::{HELD_BACK, Limit};

/// `-ENOENT`, `-ESRCH` and `-EEXIST`: the answer to whether a route is there.
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

/// What is the same.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    netns: u32,
    /// The process; 0 for all of the namespace.
    pid: u32,
    ret: i32,
    hook: u32,
}

#[map]
static ROUTE_REPORTED: Limit<Same> = Limit::new(4096);

/// How many were not reported before this one; `None` where it is not either.
#[inline(always)]
pub(super) fn suppressed(hook: Hook, netns: u32, ret: i32) -> Option<u32> {
    let mut same = Same {
        netns,
        pid: (bpf_get_current_pid_tgid() >> 32) as u32,
        ret,
        hook: hook.0.into(),
    };
    let of_process = if matches!(ret, NO_ENTRY | NO_SUCH | EXISTS) {
        ROUTE_REPORTED.pass(&same, 0, ANSWER_NS, 1)
    } else {
        ROUTE_REPORTED.pass(&same, 0, AGAIN_NS, MOST)
    };
    if of_process == HELD_BACK {
        return None;
    }
    same.pid = 0;
    let of_all = ROUTE_REPORTED.pass(&same, 0, AGAIN_NS, MOST_OF_ALL);
    (of_all != HELD_BACK).then_some((of_process + of_all) as u32)
}
