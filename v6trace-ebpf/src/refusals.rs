//! How often refused requests over netlink are reported.
//!
//! Daemons add what may be there, and delete what may be gone, and take the errno for
//! an answer: of each process the same is told once, and some of what is not the same.
//! What is more than that is held back: the newest, with the number of those before it,
//! for the next that is told to count, or for the end of the session. Whoever tries by
//! hand is answered each time, for each command is a process of its own; and whoever
//! starts thousands of them is held back as one.

use aya_ebpf::{EbpfContext, helpers::bpf_get_current_pid_tgid, macros::map};
use v6trace_common::Hook;

use crate::{
    limit::{Counting, HELD_BACK, Held, Limit},
    netlink::MESSAGE_HEADER,
    output::Record,
    pointer::Pointer,
    search::functions,
};

/// `-ENOENT`, `-ESRCH` and `-EEXIST`: the answer to whether something is there.
const NO_ENTRY: i32 = -2;
const NO_SUCH: i32 = -3;
const EXISTS: i32 = -17;

/// How soon such an answer to a process is told again, and how many to different
/// questions are told meanwhile.
const ANSWER_NS: u64 = 3600 * 1_000_000_000;
const MOST_ANSWERS: u32 = 4;
/// Words of a request by which it is told from others.
const WORDS: u64 = 64;
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
    pub(crate) answer: Answer,
}

impl Refusal {
    /// What is told apart of those of all hooks.
    #[inline(always)]
    fn sort_at_hook(&self) -> u32 {
        u32::from(self.hook.0) | self.sort << 16
    }
}

/// Whether programs take an errno for an answer.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    No,
    /// To whatever is asked.
    Any,
    /// To this question: see [`question`].
    To(u32),
}

/// What becomes of a refusal that is of interest.
pub(crate) struct Verdict {
    /// How many were not reported before this one, but for answers of the process that
    /// wait.
    pub(crate) suppressed: u32,
    /// It is an answer that waits, with those before it.
    pub(crate) is_held: bool,
    /// Whether it, or one before it, waits for any process of the namespace.
    is_of_namespace: bool,
}

/// Answers that wait: of a process, or as too many were told in the namespace, of any.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    said: u64,
    netns: u32,
    /// 0 for all of the namespace.
    pid: u32,
    ret: i32,
    sort: u32,
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
    /// What was asked, of answers.
    question: u32,
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

/// A number that another request would mostly make another: by the request itself, of
/// `length` bytes with its header, and without that.
#[inline(always)]
pub(crate) fn question(message: u64, length: u32) -> u32 {
    refusal_question(message + MESSAGE_HEADER, message + u64::from(length))
}

functions! {
    /// The same; it is followed once, whoever asks.
    fn refusal_question(at: u64, end: u64) -> u32 {
        let mut question = end.wrapping_sub(at);
        for word in 0..WORDS {
            let at = at + word * 4;
            if at + 4 > end {
                break;
            }
            // Zeros where it fails: an `Option` would be looked into too late.
            let mut next = [0; 4];
            Pointer(at).read_into(&mut next);
            // Any odd number would do: no two words become the same.
            question = (question ^ u64::from(u32::from_ne_bytes(next))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            question ^= question >> 32;
        }
        question as u32
    }
}

/// What becomes of it; `None` where it is counted alone.
#[inline(always)]
pub(crate) fn verdict(refusal: &Refusal) -> Option<Verdict> {
    let same = Same {
        netns: refusal.netns,
        pid: (bpf_get_current_pid_tgid() >> 32) as u32,
        ret: refusal.ret,
        sort: refusal.sort_at_hook(),
        said: refusal.said,
        ifindex: refusal.ifindex,
        question: 0,
    };
    let of_question = match refusal.answer {
        Answer::To(question) => {
            let same = Same { question, ..same };
            let of_question = REFUSALS_REPORTED.pass(&same, 0, ANSWER_NS, 1);
            if of_question == HELD_BACK {
                return None;
            }
            of_question
        }
        Answer::No | Answer::Any => 0,
    };
    let of_process = match refusal.answer {
        Answer::No => REFUSALS_REPORTED.pass(&same, 0, AGAIN_NS, MOST),
        Answer::Any => REFUSALS_REPORTED.pass(&same, 0, ANSWER_NS, 1),
        Answer::To(_) => REFUSALS_REPORTED.pass(&same, 0, ANSWER_NS, MOST_ANSWERS),
    };
    if of_process == HELD_BACK {
        return held(refusal, &same, of_question, false);
    }
    let of_namespace = Same { pid: 0, ..same };
    let of_all = REFUSALS_REPORTED.pass(&of_namespace, 0, AGAIN_NS, MOST_OF_ALL);
    if of_all == HELD_BACK {
        // It was not told: the next of the process is not for that reason held back for
        // an hour.
        if !matches!(refusal.answer, Answer::No) {
            REFUSALS_REPORTED.forget(&same);
        }
        return held(refusal, &same, of_question, true);
    }
    let of_these = match refusal.answer {
        // Those of other questions wait, and are counted there.
        Answer::To(_) => of_question,
        Answer::No | Answer::Any => of_process,
    };
    Some(Verdict {
        suppressed: (of_these + of_all) as u32,
        is_held: false,
        is_of_namespace: of_all != 0,
    })
}

/// It was not told: the same question may be the next time. Those that were the same
/// before it are counted with it.
#[inline(always)]
fn held(
    refusal: &Refusal,
    same: &Same,
    of_question: u64,
    is_of_namespace: bool,
) -> Option<Verdict> {
    let Answer::To(question) = refusal.answer else {
        return None;
    };
    REFUSALS_REPORTED.forget(&Same { question, ..*same });
    Some(Verdict {
        suppressed: of_question as u32,
        is_held: true,
        is_of_namespace,
    })
}

/// Sends the record of a refusal, or holds it back. One that is sent counts what waited.
#[inline(always)]
pub(crate) fn settle<C: EbpfContext, P: Counting>(
    ctx: &C,
    refusal: &Refusal,
    verdict: &Verdict,
    waiting: &Held<Waiting, P>,
    record: &mut Record<P>,
) {
    if !matches!(refusal.answer, Answer::To(_)) {
        record.send(ctx, refusal.hook);
        return;
    }
    let of_namespace = Waiting {
        said: refusal.said,
        netns: refusal.netns,
        pid: 0,
        ret: refusal.ret,
        sort: refusal.sort_at_hook(),
    };
    let of_process = Waiting {
        pid: record.header.pid,
        ..of_namespace
    };
    let key = if verdict.is_held && verdict.is_of_namespace {
        &of_namespace
    } else {
        &of_process
    };
    if !verdict.is_held && verdict.is_of_namespace {
        // This one counts them.
        waiting.forget(&of_namespace);
    }
    waiting.settle(ctx, refusal.hook, key, record, !verdict.is_held);
}
