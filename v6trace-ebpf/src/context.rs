//! In whose context a program runs.
//!
//! A kprobe sees whatever task is current, also in a softirq that merely
//! interrupted it. The preemption counter of the CPU tells the two apart, as
//! the kernel's own `in_serving_softirq` does. With PREEMPT_RT, where softirqs
//! are served by tasks that may be preempted, the task has a counter for it.

use aya_ebpf::helpers::{bpf_get_current_task, bpf_get_smp_processor_id};
use v6trace_common::{Context, member::ABSENT};

use crate::{
    globals,
    pointer::{Pointer, Reading},
};

/// `SOFTIRQ_OFFSET`: set in the counter while a softirq is served.
const SERVING_SOFTIRQ: u32 = 0x100;
/// `SOFTIRQ_MASK`: not 0 while a softirq is served, or softirqs are held off.
const SOFTIRQS: u32 = 0xff00;
/// `PF_KTHREAD` of `task_struct.flags`.
const KERNEL_THREAD: u32 = 0x0020_0000;

/// The context in which the calling program runs.
#[inline(always)]
pub(crate) fn current() -> Context {
    let task = current_task();
    if serves_softirq(task).unwrap_or(false) {
        return Context::Softirq;
    }
    of_task(task)
}

/// The context of a function that is not in a softirq, but may be called where
/// softirqs are held off: there a packet is on its way through a device, on
/// behalf of nobody in particular, whichever task it is.
#[inline(always)]
pub(crate) fn of_sender() -> Context {
    let task = current_task();
    if softirqs(task).unwrap_or(0) & SOFTIRQS != 0 {
        return Context::KernelThread;
    }
    of_task(task)
}

/// The context of a function that may sleep, and so never runs in a softirq.
#[inline(always)]
pub(crate) fn of_sleeper() -> Context {
    of_task(current_task())
}

#[inline(always)]
fn of_task(task: Pointer) -> Context {
    if task.get(&globals::TASK_FLAGS).unwrap_or(0) & KERNEL_THREAD != 0 {
        Context::KernelThread
    } else {
        Context::Task
    }
}

/// Whether the calling program may run in a softirq: it does, or that cannot be
/// told.
#[inline(always)]
pub(crate) fn may_be_softirq() -> bool {
    serves_softirq(current_task()).unwrap_or(true)
}

/// The task that is current.
#[inline(always)]
pub(crate) fn current_task() -> Pointer {
    // SAFETY: the helper takes nothing and returns an address, which is only
    // ever read through Pointer.
    Pointer(unsafe { bpf_get_current_task() })
}

/// The lower half of what the current task is capable of in its user namespace, and
/// `flag` where that could be read, else 0.
#[inline(always)]
pub(crate) fn capabilities(flag: u32) -> (u32, u32) {
    let mut reading = Reading::new();
    let cred = Pointer(reading.get(current_task(), &globals::TASK_CRED));
    let effective: u64 = reading.get(cred, &globals::CRED_EFFECTIVE);
    (effective as u32, flag & reading.mask())
}

/// Whether a softirq is served.
#[inline(always)]
fn serves_softirq(task: Pointer) -> Option<bool> {
    softirqs(task).map(|count| count & SERVING_SOFTIRQ != 0)
}

/// The counter that says whether a softirq is served or held off.
#[inline(always)]
fn softirqs(task: Pointer) -> Option<u32> {
    if globals::TASK_SOFTIRQS.load() == ABSENT {
        preempt_count()
    } else {
        task.get(&globals::TASK_SOFTIRQS)
    }
}

/// This CPU's preemption counter, where the kernel's symbols tell where it is.
#[inline(always)]
fn preempt_count() -> Option<u32> {
    let offsets = globals::PER_CPU_OFFSET.load();
    let counter = globals::PREEMPT_COUNT.load();
    if offsets == 0 || counter == 0 {
        return None;
    }
    // SAFETY: the helper takes nothing and returns a number.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let base: u64 = Pointer(offsets + u64::from(cpu) * size_of::<u64>() as u64).read()?;
    Pointer(base.wrapping_add(counter)).read()
}
