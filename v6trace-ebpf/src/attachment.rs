//! The two ways into a program, behind traits, so that what a hook does is
//! written once.
//!
//! ```text
//! kprobe, kretprobe   any function that has a symbol; the return knows the
//!                     result, not the arguments
//! fentry, fexit       functions in the kernel's BTF, by a trampoline: a third
//!                     of the cost; the return knows the arguments as well,
//!                     and objects may be read without a helper
//! ```
//!
//! Userspace loads the one or the other of each hook. Neither ever runs twice
//! at the same time on one CPU, so a hook's slots in per-CPU maps are its own
//! (or shared with hooks in the middle of which it never runs):
//! the kernel sees to that for every program, for trampolines from 5.12 on.
//! Before, what runs by a trampoline must bear a softirq in between: sources
//! leave those alone, joins are never in one, routes of IPv6 are removed while they are
//! held off, and a charge in one shows as that of another socket. Routes of IPv4 are
//! removed while they are not: their list has a slot that no softirq uses.
//! Kprobes keep preemption off; where a trampoline's program could be preempted,
//! and calls be missed meanwhile, userspace takes kprobes.

use core::hint::black_box;

use aya_ebpf::{
    EbpfContext, Global,
    macros::map,
    programs::{FEntryContext, FExitContext, ProbeContext},
};
use v6trace_common::member::{ABSENT, Bits};

use crate::{
    pointer::{Pointer, Value},
    scratch::Scratch,
    volatile::Volatile,
};

/// The context of a program that is told a function's arguments.
pub(crate) trait Arguments: EbpfContext {
    /// An argument that points to one of the kernel's objects.
    type Object: Object;

    /// The argument number `index`, from 0 on.
    fn number(&self, index: usize) -> u64;

    /// The object that an argument points to.
    fn object(&self, index: usize) -> Self::Object;
}

/// An object in the kernel's memory, of which members are read.
pub(crate) trait Object: Copy {
    /// The value of a member; `None` where this kernel lacks it.
    fn value<T: Value>(self, member: &Global<u32>) -> Option<T>;

    /// The object that a member points to.
    fn next(self, member: &Global<u32>) -> Option<Self>;

    /// The value of a bitfield.
    fn bits(self, member: &Global<u32>) -> Option<u32>;

    /// Its address.
    fn pointer(self) -> Pointer;
}

impl Arguments for ProbeContext {
    type Object = Pointer;

    #[inline(always)]
    fn number(&self, index: usize) -> u64 {
        self.arg(index).unwrap_or(0)
    }

    #[inline(always)]
    fn object(&self, index: usize) -> Pointer {
        Pointer(self.number(index))
    }
}

impl Object for Pointer {
    #[inline(always)]
    fn value<T: Value>(self, member: &Global<u32>) -> Option<T> {
        self.get(member)
    }

    #[inline(always)]
    fn next(self, member: &Global<u32>) -> Option<Self> {
        self.follow(member)
    }

    #[inline(always)]
    fn bits(self, member: &Global<u32>) -> Option<u32> {
        let bits = packed(member)?;
        let word = Pointer(self.0 + u64::from(bits.offset)).read()?;
        Some(bits.of(word))
    }

    #[inline(always)]
    fn pointer(self) -> Pointer {
        self
    }
}

impl Arguments for FEntryContext {
    type Object = Typed;

    #[inline(always)]
    fn number(&self, index: usize) -> u64 {
        self.arg(index)
    }

    #[inline(always)]
    fn object(&self, index: usize) -> Typed {
        Typed(self.arg(index))
    }
}

impl Arguments for FExitContext {
    type Object = Typed;

    #[inline(always)]
    fn number(&self, index: usize) -> u64 {
        self.arg(index)
    }

    #[inline(always)]
    fn object(&self, index: usize) -> Typed {
        Typed(self.arg(index))
    }
}

#[map]
static ADDRESS: Scratch<Volatile<u64>> = Scratch::new();

/// An address to calculate with. The verifier refuses that of a pointer whose
/// type it knows; of what has been in a map it knows none.
#[inline(always)]
pub(crate) fn plain(address: u64) -> Option<u64> {
    let slot = ADDRESS.get()?;
    slot.set(address);
    let plain = slot.get();
    // A softirq may have left an address of its own in between. That the two
    // are equal is kept from the compiler, which would take the other one.
    black_box(plain == address).then_some(plain)
}

/// The result of a function with `arguments` arguments, which follows them.
/// The helper for it came only with 5.17.
#[inline(always)]
pub(crate) fn result(ctx: &FExitContext, arguments: usize) -> u64 {
    ctx.arg(arguments)
}

/// A pointer whose type the verifier knows: members are read where they are,
/// and an address that is not there reads as zero.
#[derive(Clone, Copy)]
pub(crate) struct Typed(*const u8);

impl Object for Typed {
    #[inline(always)]
    fn value<T: Value>(self, member: &Global<u32>) -> Option<T> {
        let offset = member.load();
        (offset != ABSENT).then(|| self.at(offset as usize))
    }

    #[inline(always)]
    fn next(self, member: &Global<u32>) -> Option<Self> {
        let address: u64 = self.value(member)?;
        Some(Typed(address as *const u8))
    }

    #[inline(always)]
    fn bits(self, member: &Global<u32>) -> Option<u32> {
        let bits = packed(member)?;
        let (byte, shift) = (bits.shift / 8, bits.shift % 8);
        if shift + bits.width > 8 {
            return None;
        }
        // A whole word might reach into a neighbour, which the verifier minds.
        let byte: u8 = self.at(usize::from(bits.offset) + usize::from(byte));
        let within = Bits { shift, ..bits };
        Some(within.of(byte.into()))
    }

    #[inline(always)]
    fn pointer(self) -> Pointer {
        Pointer(self.0 as u64)
    }
}

impl Typed {
    /// What is at an offset.
    #[inline(always)]
    fn at<T: Value>(self, offset: usize) -> T {
        // SAFETY: the verifier follows the pointer from the function's
        // arguments and refuses a load that is not one of a member there; the
        // kernel catches faults. Any bits are a value of T.
        unsafe { self.0.wrapping_add(offset).cast::<T>().read_volatile() }
    }
}

/// Where the bits of a bitfield are; `None` where this kernel lacks it.
#[inline(always)]
fn packed(member: &Global<u32>) -> Option<Bits> {
    let packed = member.load();
    (packed != ABSENT).then(|| Bits::unpack(packed))
}
