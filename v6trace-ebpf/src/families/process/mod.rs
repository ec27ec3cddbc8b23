//! Processes that are followed.
//!
//! ```text
//! userspace          the first of them -> FOLLOWED
//! wake_up_new_task   a followed process starts another: that is followed as well
//!                    another one starts one whose id was a followed one's: no longer
//! sys_exit           a followed process's calls on sockets: `call`
//! many functions     return an errno to a followed process: `innermost`
//! ```
//!
//! So a process that has ended needs no hook of its own. What a process does comes after
//! it was started, and so do the records of that.

mod call;
mod innermost;

use aya_ebpf::{
    bindings::BPF_F_NO_PREALLOC,
    helpers::bpf_get_current_pid_tgid,
    macros::map,
    maps::HashMap,
    programs::{ProbeContext, RawTracePointContext, RetProbeContext},
};
use v6trace_common::families::process::{IS_FOLLOWED, ProcessStarted, START};

use crate::{
    attachment::Arguments as _,
    context,
    kernel::Net,
    output::{self, Record},
    pointer::Pointer,
    programs::programs,
    scratch::Scratch,
};

pub(super) use innermost::{forget as forget_failed, take as failed_first, tell as tell_innermost};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::process_members!(members);

    /// Per-CPU address of `current_kprobe`, 0 without.
    #[unsafe(no_mangle)]
    pub(super) static CURRENT_KPROBE: aya_ebpf::Global<u64> = aya_ebpf::Global::new(0);
}

/// The processes that are followed (`IS_FOLLOWED`), or whose children are (`STARTS`), by
/// id. Userspace begins with the first.
#[map]
static FOLLOWED: HashMap<u32, u32> = HashMap::with_max_entries(16384, BPF_F_NO_PREALLOC);

#[map]
static PROCESS_STARTED: Scratch<Record<ProcessStarted>> = Scratch::new();

programs! {
    start: kprobe process_start_enter;
    call: kprobe process_call_enter;
    failed: kretprobe process_innermost_return;
    nothing: raw_tracepoint process_call_opener, raw_tracepoint process_call_opener_too;
}

/// `wake_up_new_task(p)`, in the context of who starts it.
#[inline(always)]
fn start(ctx: &ProbeContext) -> Option<()> {
    let task = ctx.object(0);
    let process: u32 = task.get(&globals::TASK_TGID)?;
    let thread: u32 = task.get(&globals::TASK_PID)?;
    if process != thread {
        return None;
    }
    let is_followed = current().is_some();
    if is_followed {
        if FOLLOWED.insert(&process, &IS_FOLLOWED, 0).is_err() {
            output::not_kept(START);
        }
    } else if FOLLOWED.remove(&process).is_err() {
        return None;
    }
    let record = PROCESS_STARTED.get()?;
    record.open_in(context::of_sleeper(), START, netns(task).unwrap_or(0));
    record.payload.process = process;
    record.payload.is_followed = u32::from(is_followed);
    record.send(ctx, START);
    Some(())
}

/// `__traceiter_sys_exit(data, regs, ret)`. For most of the host this is all of it.
#[inline(always)]
fn call(ctx: &ProbeContext) -> Option<()> {
    if current() != Some(IS_FOLLOWED) {
        return None;
    }
    let told = call::returns(ctx, ctx.object(1), ctx.number(2) as i64);
    // What failed in it is none of the next one's.
    innermost::forget();
    told
}

/// A function that is watched returns.
#[inline(always)]
fn failed(ctx: &RetProbeContext) -> Option<()> {
    if current() != Some(IS_FOLLOWED) {
        return None;
    }
    innermost::returns(ctx)
}

/// The kernel calls that function where the tracepoint has two programs.
#[inline(always)]
fn nothing(_ctx: &RawTracePointContext) {}

/// What the map has of the current task's process.
#[inline(always)]
fn current() -> Option<u32> {
    let process = (bpf_get_current_pid_tgid() >> 32) as u32;
    // SAFETY: read at once; an entry that goes meanwhile reads as what it was.
    unsafe { FOLLOWED.get(&process) }.copied()
}

/// The network namespace that a task is in.
#[inline(always)]
fn netns(task: Pointer) -> Option<u32> {
    let spaces = task.follow(&globals::TASK_NSPROXY)?;
    Net(spaces.follow(&globals::NSPROXY_NET)?).inum()
}
