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
    sort: u32,
    /// Where the kernel's words are, which are constants; 0 without.
    said: u64,
}

/// Beside the hook: several next hops of a route of IPv4, of which mostly none is of
/// IPv6. These hold back only each other.
const MAY_BE_IPV4: u32 = 0x100;

#[map]
static ROUTE_REPORTED: Limit<Same> = Limit::new(4096);

/// How many were not reported before this one; `None` where it is not either.
#[inline(always)]
pub(super) fn suppressed(
    hook: Hook,
    may_be_ipv4: bool,
    netns: u32,
    ret: i32,
    said: u64,
) -> Option<u32> {
    let same = Same {
        netns,
        pid: (bpf_get_current_pid_tgid() >> 32) as u32,
        ret,
        sort: u32::from(hook.0) | if may_be_ipv4 { MAY_BE_IPV4 } else { 0 },
        said,
    };
    let is_answer = matches!(ret, NO_ENTRY | NO_SUCH | EXISTS);
    let of_process = if is_answer {
        ROUTE_REPORTED.pass(&same, 0, ANSWER_NS, 1)
    } else {
        ROUTE_REPORTED.pass(&same, 0, AGAIN_NS, MOST)
    };
    if of_process == HELD_BACK {
        return None;
    }
    let of_namespace = Same { pid: 0, ..same };
    let of_all = ROUTE_REPORTED.pass(&of_namespace, 0, AGAIN_NS, MOST_OF_ALL);
    if of_all == HELD_BACK {
        // It was not told: the next of the process is not for that reason held back for
        // an hour.
        if is_answer {
            ROUTE_REPORTED.forget(&same);
        }
        return None;
    }
    Some((of_process + of_all) as u32)
}
