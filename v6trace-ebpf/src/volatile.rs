//! Values that stay in memory.
//!
//! The verifier follows a loop until two visits to its head look alike; what
//! differs in registers makes every visit another, and each is followed to the
//! program's end. So the body of a loop is a function of its own, which is not
//! inlined and which the object exports: the verifier follows it once, by
//! itself, whatever its arguments are (`search::functions!`). They can only be numbers. The loop's
//! state lies in a map, whose contents the verifier does not track, and is read
//! and written in place.
//!
//! The same holds for what leads to a search and comes after it: inlined, the
//! search would be followed once for each way to it.

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
