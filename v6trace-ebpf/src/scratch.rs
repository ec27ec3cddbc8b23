//! What is too large for the stack, or has to outlive a function call: one
//! value for each CPU.

use aya_ebpf::maps::PerCpuArray;

/// A value of each CPU, zero at first.
#[repr(transparent)]
pub(crate) struct Scratch<T>(PerCpuArray<T>);

impl<T> Scratch<T> {
    pub(crate) const fn new() -> Self {
        Self(PerCpuArray::with_max_entries(1, 0))
    }

    /// This CPU's value. `None` never comes, but the verifier wants it seen to.
    ///
    /// Whoever has it gives it back before calling what takes it as well.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "the map is not what is changed")]
    pub(crate) fn get(&self) -> Option<&mut T> {
        let slot = self.0.get_ptr_mut(0)?;
        // SAFETY: a map value, checked for null, that begins as zeros, of which
        // every type here makes a value. No other CPU has it, and no program
        // that works on it begins on this one before this program ends: see
        // `attachment`. Within the program, one function has it at a time.
        Some(unsafe { &mut *slot })
    }
}
