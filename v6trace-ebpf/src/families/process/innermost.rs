//! Which of the functions that are watched was the first to return an errno.
//!
//! ```text
//! a function returns an errno       FAILED[thread] = it, and where its stack was
//! one that called it returns        the same errno: handed on
//!                                   another errno: that one's own
//!                                   no errno: got over
//! the system call returns, or a     the errno that it comes to is that of FAILED:
//! request over netlink is answered  a record
//! ```
//!
//! Whoever called a function has its stack above that function's. One that returns from
//! there, but was called by a caller only when the first had returned, looks the same: so
//! it is the first of those that are watched, and no more is said. Which function it is
//! the kernel knows by the probe whose program it runs, on all kernels alike; the helper
//! for that came only with 5.15.

use aya_ebpf::{
    EbpfContext,
    bindings::{BPF_F_NO_PREALLOC, pt_regs},
    helpers::bpf_get_smp_processor_id,
    macros::map,
    maps::HashMap,
    programs::RetProbeContext,
};
use v6trace_common::{
    Hook,
    families::process::{FUNCTION_LEN, Innermost},
};

use super::globals;
use crate::{calls::Calls, context, output::Record, pointer::Pointer, scratch::Scratch};

/// The largest errno that a function returns.
const MAX_ERRNO: u32 = 4095;

/// What failed first.
#[repr(C)]
#[derive(Clone, Copy)]
struct Failed {
    /// Where its probe is.
    address: u64,
    /// Where the stack was when it had returned.
    stack: u64,
    ret: i32,
    unused: u32,
}

#[map]
static FAILED: Calls<Failed> = Calls::new(1024);

/// The names of the functions, by where their probes are: userspace writes it before any
/// process is followed.
#[map]
static FUNCTIONS: HashMap<u64, [u8; FUNCTION_LEN]> =
    HashMap::with_max_entries(1024, BPF_F_NO_PREALLOC);

#[map]
static INNERMOST: Scratch<Record<Innermost>> = Scratch::new();

/// A function returns, in a process that is followed.
#[inline(always)]
pub(super) fn returns(ctx: &RetProbeContext) -> Option<()> {
    // Whatever interrupts the process is not its own.
    if context::may_be_softirq() {
        return None;
    }
    let ret = errno(ctx.ret());
    // SAFETY: the program's own context, of which the kernel allows the read.
    let registers = unsafe { &*ctx.regs };
    let stack = stack_of(registers);
    if let Some(failed) = FAILED.current() {
        let is_beyond = stack > failed.stack;
        // One that was jumped to from the end of the other returns to the same place.
        let is_handed_on = failed.ret == ret && stack >= failed.stack;
        if is_handed_on || ret == 0 && !is_beyond {
            return None;
        }
    }
    if ret == 0 {
        forget();
        return None;
    }
    FAILED.begin(&Failed {
        address: running()?,
        stack,
        ret,
        unused: 0,
    });
    Some(())
}

/// Where the stack is.
#[inline(always)]
fn stack_of(registers: &pt_regs) -> u64 {
    #[cfg(bpf_target_arch = "x86_64")]
    return registers.rsp;
    #[cfg(bpf_target_arch = "aarch64")]
    return registers.sp;
}

/// The errno in a result, negative, of a function that returns a number or a pointer; else
/// 0. A number has nothing, or its sign, in its upper half; the kernel's addresses have
/// something else there.
#[inline(always)]
fn errno(result: u64) -> i32 {
    let (upper, lower) = ((result >> 32) as u32, result as u32);
    let is_number = upper == 0 || upper == u32::MAX;
    if is_number && lower >= MAX_ERRNO.wrapping_neg() {
        lower as i32
    } else {
        0
    }
}

/// Where the probe is whose program runs on this CPU.
#[inline(always)]
fn running() -> Option<u64> {
    let offsets = globals::PER_CPU_OFFSET.load();
    let current = globals::CURRENT_KPROBE.load();
    if offsets == 0 || current == 0 {
        return None;
    }
    // SAFETY: the helper takes nothing and returns a number.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let base: u64 = Pointer(offsets + u64::from(cpu) * size_of::<u64>() as u64).read()?;
    let probe = Pointer(Pointer(base.wrapping_add(current)).read()?);
    probe.get(&globals::KPROBE_ADDRESS)
}

/// What failed is none of what comes.
#[inline(always)]
pub(crate) fn forget() {
    // Looking takes no lock, and there mostly is nothing.
    if FAILED.current().is_some() {
        FAILED.end();
    }
}

/// Where the probe of the function is that was the first to return this errno, which is
/// what it comes to.
#[inline(always)]
pub(crate) fn take(ret: i32) -> Option<u64> {
    let failed = FAILED.take()?;
    (failed.ret == ret).then_some(failed.address)
}

/// Tells of that, ahead of what else is told of what failed.
#[inline(always)]
pub(crate) fn tell<C: EbpfContext>(
    ctx: &C,
    hook: Hook,
    netns: u32,
    ret: i32,
    address: Option<u64>,
) -> Option<()> {
    let name = FUNCTIONS.get_ptr(address?)?;
    let record = INNERMOST.get()?;
    record.open_in(context::of_sleeper(), hook, netns);
    Pointer(name as u64).read_into(&mut record.payload.function);
    record.payload.ret = ret;
    record.payload.unused = 0;
    record.send(ctx, hook);
    Some(())
}
