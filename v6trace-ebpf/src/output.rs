//! The one way out: a finished record goes into this CPU's perf buffer, and
//! what does not fit is counted by CPU and hook.
//!
//! The reader is not woken for each: it looks by itself while anything happens.
//! When nothing did for a while, it asks to be woken at the next record; and
//! what cannot wait always wakes it.

use aya_ebpf::{
    EbpfContext,
    bindings::{BPF_F_CURRENT_CPU, BPF_F_MMAPABLE},
    helpers::{
        bpf_get_current_cgroup_id, bpf_get_current_pid_tgid, bpf_get_smp_processor_id,
        bpf_ktime_get_boot_ns, bpf_perf_event_output, generated,
    },
    macros::map,
    maps::{Array, PerfEventArray, RingBuf},
};
use v6trace_common::{
    COMM_LEN, Context, HOOK_COUNT, Hook, HookLoss, Payload, RecordHeader, WIRE_VERSION,
};

use crate::{context, volatile::Volatile};

#[map]
static EVENTS: PerfEventArray<u8> = PerfEventArray::new(0);

/// One [`HookLoss`] for each hook, at the hook's number, and so for each CPU:
/// the loader makes room for all. The reader maps it.
#[map]
static LOSSES: Array<HookLoss> = Array::with_max_entries(HOOK_COUNT as u32, BPF_F_MMAPABLE);

/// What is in it means nothing: that there is something wakes the reader, once
/// until it has seen to it.
#[map]
static BELL: RingBuf = RingBuf::with_byte_size(4096, 0);

/// Not 0: the reader sleeps, and is to be woken at the next record. The reader
/// maps it.
#[map]
static ASLEEP: Array<Volatile<u64>> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// A record as it leaves: built in place in a per-CPU map, since it would not
/// fit on the stack beside the rest. A kprobe's program is never interrupted by
/// another one on its CPU, so the slot is its own until it is sent.
#[repr(C)]
pub(crate) struct Record<P> {
    pub(crate) header: RecordHeader,
    pub(crate) payload: P,
}

impl<P: Payload> Record<P> {
    /// Writes the whole header. `netns` is the namespace's inode number, 0
    /// where it is not known.
    #[inline(always)]
    pub(crate) fn open(&mut self, hook: Hook, netns: u32) {
        self.open_in(context::current(), hook, netns);
    }

    /// The same, where the context is known.
    #[inline(always)]
    pub(crate) fn open_in(&mut self, context: Context, hook: Hook, netns: u32) {
        // Padding would leave the kernel, and userspace refuse the record.
        const {
            assert!(size_of::<Self>() == size_of::<RecordHeader>() + size_of::<P>());
        }
        let header = &mut self.header;
        header.size = size_of::<Self>() as u16;
        header.kind = P::KIND.0;
        header.version = WIRE_VERSION;
        header.context = context as u8;
        header.hook = hook.0;
        header.netns = netns;
        // SAFETY: helpers without arguments that return numbers.
        unsafe {
            header.boot_ns = bpf_ktime_get_boot_ns();
            header.cgroup_id = bpf_get_current_cgroup_id();
            header.cpu = bpf_get_smp_processor_id();
        }
        let pid_tgid = bpf_get_current_pid_tgid();
        header.pid = (pid_tgid >> 32) as u32;
        header.tid = pid_tgid as u32;
        // SAFETY: the helper writes COMM_LEN bytes, which is what comm has. On
        // failure it writes zeros.
        unsafe {
            generated::bpf_get_current_comm(header.comm.as_mut_ptr().cast(), COMM_LEN as u32);
        }
    }

    /// Sends the record, or counts it as lost.
    #[inline(always)]
    pub(crate) fn send<C: EbpfContext>(&mut self, ctx: &C, hook: Hook) {
        self.put(ctx, hook);
        let Some(asleep) = ASLEEP.get_ptr_mut(0) else {
            return;
        };
        // SAFETY: a map value, checked for null. Other CPUs and the reader may
        // write it at the same time, as a whole; a ring too many is all that
        // comes of it.
        let asleep = unsafe { &mut *asleep };
        if asleep.get() != 0 {
            asleep.set(0);
            ring();
        }
    }

    /// The same for what the reader has to know at once.
    #[inline(always)]
    pub(crate) fn send_at_once<C: EbpfContext>(&mut self, ctx: &C, hook: Hook) {
        self.put(ctx, hook);
        ring();
    }

    #[inline(always)]
    fn put<C: EbpfContext>(&mut self, ctx: &C, hook: Hook) {
        // SAFETY: the context is the program's own, EVENTS is a perf event
        // array, and the record is as long as its type.
        let result = unsafe {
            bpf_perf_event_output(
                ctx.as_ptr(),
                (&raw const EVENTS).cast_mut().cast(),
                BPF_F_CURRENT_CPU,
                (&raw mut *self).cast(),
                size_of::<Self>() as u64,
            )
        };
        if result != 0 {
            count(hook, |loss| loss.output_failed += 1);
        }
    }
}

/// Wakes the reader. Where the bell has no room, nobody has seen to it yet.
#[inline(always)]
fn ring() {
    let _ = BELL.output::<u64>(0, 0);
}

/// Counts a record that could not be kept until it is sent.
#[inline(always)]
pub(crate) fn not_kept(hook: Hook) {
    count(hook, |loss| loss.output_failed += 1);
}

/// Counts a return that should have been reported but whose call is unknown.
#[inline(always)]
pub(crate) fn call_unknown(hook: Hook) {
    count(hook, |loss| loss.call_unknown += 1);
}

#[inline(always)]
fn count(hook: Hook, add: impl FnOnce(&mut HookLoss)) {
    // SAFETY: a helper without arguments that returns a number.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    if let Some(loss) = LOSSES.get_ptr_mut(cpu * HOOK_COUNT as u32 + u32::from(hook.0)) {
        // SAFETY: the slot is this CPU's own, and no other program runs on this
        // CPU until this one ends. The reader does not write it.
        add(unsafe { &mut *loss });
    }
}
