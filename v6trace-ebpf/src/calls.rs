//! Calls in flight: what a program remembers where a function is entered, for
//! those that run before it returns and where it does.

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, maps::LruHashMap};

/// Calls in flight of one kind, by thread: a thread has one at most.
#[repr(transparent)]
pub(crate) struct Calls<T>(LruHashMap<u64, T>);

impl<T> Calls<T> {
    /// For so many at once; more push out the oldest.
    pub(crate) const fn new(most: u32) -> Self {
        Self(LruHashMap::with_max_entries(most, 0))
    }

    /// Remembers a call of this thread. Whether it could: if not, the call is
    /// unknown when it returns.
    #[inline(always)]
    pub(crate) fn begin(&self, call: &T) -> bool {
        let begun = self.0.insert(bpf_get_current_pid_tgid(), call, 0);
        begun.is_ok()
    }

    /// This thread's call, where it stays in flight. Whoever has it gives it
    /// back before it is asked for again.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "the map is not what is changed")]
    pub(crate) fn current(&self) -> Option<&mut T> {
        let call = self.0.get_ptr_mut(bpf_get_current_pid_tgid())?;
        // SAFETY: a map value, checked for null, that was written as a T. Only
        // the thread that is its key works on it. If it is pushed out at this
        // very moment, the kernel keeps the memory until the program ends, and
        // what is read is at worst another call's.
        Some(unsafe { &mut *call })
    }

    /// Forgets this thread's call, if there is one.
    #[inline(always)]
    pub(crate) fn end(&self) {
        let _ = self.0.remove(bpf_get_current_pid_tgid());
    }
}

impl<T: Copy> Calls<T> {
    /// This thread's call, which ends.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<T> {
        let call = *self.current()?;
        self.end();
        Some(call)
    }
}

impl Calls<u64> {
    /// Whether this thread's call is about that very object. A call whose return
    /// was lost so says nothing about a later one.
    #[inline(always)]
    pub(crate) fn is_about(&self, object: u64) -> bool {
        self.current().is_some_and(|about| *about == object)
    }
}
