//! Typed pointers into the kernel's memory.
//!
//! Reads go through a helper that fails instead of faulting, also at null and
//! what is near it, at offsets that userspace took from the kernel's BTF. A
//! member that this kernel lacks reads as `None`, like an address that cannot be
//! read; or as zero, where a [`Reading`] knows that it is none. (`attachment` has
//! objects of which members are read without the helper.)

use core::{ffi::c_void, hint::black_box, mem::MaybeUninit};

use aya_ebpf::{
    Global,
    helpers::{bpf_probe_read_kernel, generated},
};
use v6trace_common::member::ABSENT;
use zerocopy::FromBytes;

/// What is read out of the kernel: any bits are a value of it.
pub(crate) trait Value: Copy + FromBytes {}

impl<T: Copy + FromBytes> Value for T {}

/// The address of some kernel object; 0 is null.
#[derive(Clone, Copy)]
pub(crate) struct Pointer(pub(crate) u64);

impl Pointer {
    /// Reads a `T` at this very address.
    #[inline(always)]
    pub(crate) fn read<T: Value>(self) -> Option<T> {
        // SAFETY: bpf_probe_read_kernel checks the address itself and fails
        // where it is not readable kernel memory; any bits are a value of T.
        unsafe { bpf_probe_read_kernel(self.0 as *const T) }.ok()
    }

    /// Reads what is at this very address into place, since bytes that are
    /// copied on the way cost more than reading them. Whether it could be read;
    /// else zeros are written.
    #[inline(always)]
    pub(crate) fn read_into<const SIZE: usize>(self, bytes: &mut [u8; SIZE]) -> bool {
        // SAFETY: the helper checks the address itself and writes all of the
        // bytes, zeros where it fails.
        let failed = unsafe {
            generated::bpf_probe_read_kernel(
                bytes.as_mut_ptr().cast(),
                SIZE as u32,
                self.0 as *const c_void,
            )
        };
        failed == 0
    }

    /// Reads a string with its NUL into place, as far as there is room; what is behind it
    /// stays. Whether it could be read.
    #[inline(always)]
    pub(crate) fn text_into<const SIZE: usize>(self, text: &mut [u8; SIZE]) -> bool {
        // SAFETY: the helper checks the address itself and writes a string with its NUL
        // into SIZE bytes at most.
        let length = unsafe {
            generated::bpf_probe_read_kernel_str(
                text.as_mut_ptr().cast(),
                SIZE as u32,
                self.0 as *const c_void,
            )
        };
        length > 0
    }

    /// The address of a member.
    #[inline(always)]
    pub(crate) fn member(self, member: &Global<u32>) -> Option<Pointer> {
        let offset = member.load();
        if offset == ABSENT || self.0 == 0 {
            return None;
        }
        Some(Pointer(self.0 + u64::from(offset)))
    }

    /// The value of a member.
    #[inline(always)]
    pub(crate) fn get<T: Value>(self, member: &Global<u32>) -> Option<T> {
        self.member(member)?.read()
    }

    /// The value of a member, zero where it cannot be read. There is no branch
    /// that the verifier would follow both ways, each to the program's end.
    #[inline(always)]
    pub(crate) fn or_zero<T: Value>(self, member: &Global<u32>) -> T {
        Reading::new().get(self, member)
    }

    /// The same, and `flag` where it could be read, else 0.
    #[inline(always)]
    pub(crate) fn flagged<T: Value>(self, member: &Global<u32>, flag: u32) -> (T, u32) {
        let mut reading = Reading::new();
        let value = reading.get(self, member);
        (value, flag & reading.mask())
    }

    /// The pointer that a member holds.
    #[inline(always)]
    pub(crate) fn follow(self, member: &Global<u32>) -> Option<Pointer> {
        self.get(member).map(Pointer)
    }
}

/// Reads one member after the other, and knows in the end whether all could be
/// read. What cannot is zero.
pub(crate) struct Reading {
    /// Negative once something failed.
    failed: i64,
}

impl Reading {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self { failed: 0 }
    }

    /// The value of a member.
    #[inline(always)]
    pub(crate) fn get<T: Value>(&mut self, object: Pointer, member: &Global<u32>) -> T {
        let mut value = MaybeUninit::<T>::zeroed();
        let offset = member.load();
        if offset == ABSENT {
            self.failed = -1;
        } else {
            // SAFETY: the helper checks the address itself and writes the whole
            // value, zeros where it fails.
            self.failed |= unsafe {
                generated::bpf_probe_read_kernel(
                    value.as_mut_ptr().cast(),
                    size_of::<T>() as u32,
                    (object.0 + u64::from(offset)) as *const c_void,
                )
            };
        }
        // SAFETY: zeros, or what the helper wrote; any bits are a value of T.
        unsafe { value.assume_init() }
    }

    /// Whether everything could be read.
    #[inline(always)]
    pub(crate) fn is_complete(&self) -> bool {
        self.failed >= 0
    }

    /// All bits if everything could be read, else none. The compiler is kept
    /// from making a branch of it.
    #[inline(always)]
    pub(crate) fn mask(&self) -> u32 {
        !black_box((self.failed >> 63) as u32)
    }
}
