//! Values that stay in memory.
//!
//! The verifier follows a loop until two visits to its head look alike. What
//! the compiler keeps in registers makes every visit look different, and the
//! verifier then follows every combination; what lies in a map it does not
//! track. So the state of a loop is read and written in place.
//!
//! The same holds for what leads to a loop and comes after it: a search that is
//! inlined is followed once for each way to it. As a function that is not, and
//! that the object exports, it is followed by itself, whatever its arguments
//! are; they can only be numbers.

/// A value that is read and written where it is, each time.
#[repr(transparent)]
pub(crate) struct Volatile<T>(T);

impl<T: Copy> Volatile<T> {
    #[inline(always)]
    pub(crate) fn get(&self) -> T {
        // SAFETY: a reference is valid for reads.
        unsafe { (&raw const self.0).read_volatile() }
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, value: T) {
        // SAFETY: an exclusive reference is valid for writes.
        unsafe { (&raw mut self.0).write_volatile(value) }
    }
}
