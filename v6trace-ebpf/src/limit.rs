//! How often the same is reported.
//!
//! ```text
//! Limit  lets the same pass so many times within a while, and counts what it
//!        does not
//! Held   keeps the newest record that did not pass, with the number of those
//!        before it, for userspace to take out where none follows
//! ```

use aya_ebpf::{
    EbpfContext,
    helpers::bpf_ktime_get_boot_ns,
    maps::{HashMap, LruHashMap},
};
use v6trace_common::{Hook, Payload};

use crate::output::{self, Record};

/// Of [`Limit::pass`]: it does not.
pub(crate) const HELD_BACK: u64 = u64::MAX;

/// What was reported of each `K`.
#[repr(transparent)]
pub(crate) struct Limit<K>(LruHashMap<K, Last>);

/// The last report of the same.
#[repr(C)]
#[derive(Clone, Copy)]
struct Last {
    boot_ns: u64,
    suppressed: u64,
    /// How it came out.
    outcome: u32,
    /// How often it was reported since then.
    reports: u32,
    /// Under which circumstances.
    circumstances: u32,
    unused: u32,
}

impl<K> Limit<K> {
    /// For so many at once; more push out the oldest.
    pub(crate) const fn new(most: u32) -> Self {
        Self(LruHashMap::with_max_entries(most, 0))
    }

    /// Notes the outcome. [`HELD_BACK`] where the same was reported `most` times
    /// within the last `again` nanoseconds; else how often it was not, before
    /// that. Another outcome is always news.
    #[inline(always)]
    pub(crate) fn pass(&self, same: &K, outcome: u32, again: u64, most: u32) -> u64 {
        self.pass_while(same, outcome, 0, again, most)
    }

    /// The same, of what is news also as soon as the `circumstances` are others.
    #[inline(always)]
    pub(crate) fn pass_while(
        &self,
        same: &K,
        outcome: u32,
        circumstances: u32,
        again: u64,
        most: u32,
    ) -> u64 {
        let boot_ns = now();
        let mut suppressed = 0;
        if let Some(last) = self.0.get_ptr_mut(same) {
            // SAFETY: a pointer to a map value, checked for null. Other CPUs may
            // count at the same time; a lost count is all that comes of it.
            let last = unsafe { &mut *last };
            if last.outcome == outcome {
                let is_recent = boot_ns.wrapping_sub(last.boot_ns) < again;
                if is_recent && last.circumstances == circumstances {
                    if last.reports >= most {
                        last.suppressed += 1;
                        return HELD_BACK;
                    }
                    last.reports += 1;
                    return 0;
                }
                suppressed = last.suppressed;
            }
        }
        let last = Last {
            boot_ns,
            suppressed: 0,
            outcome,
            reports: 1,
            circumstances,
            unused: 0,
        };
        // What cannot be remembered is reported again.
        let _ = self.0.insert(same, last, 0);
        suppressed
    }

    /// Whether this was the last outcome, however long ago. The time need not be asked
    /// for, and nothing is counted.
    #[inline(always)]
    pub(crate) fn has(&self, same: &K, outcome: u32) -> bool {
        // SAFETY: read at once; an entry that is replaced meanwhile reads as one or
        // the other.
        let last = unsafe { self.0.get(same) };
        last.is_some_and(|last| last.outcome == outcome)
    }

    /// Makes whatever comes next news. Whether there was anything.
    #[inline(always)]
    pub(crate) fn forget(&self, same: &K) -> bool {
        self.0.remove(same).is_ok()
    }
}

/// A payload that counts what was not reported before it.
pub(crate) trait Counting: Payload {
    fn suppressed(&mut self) -> &mut u32;
}

/// The newest record of each `K` that was held back.
#[repr(transparent)]
pub(crate) struct Held<K, P>(HashMap<K, Record<P>>);

impl<K, P: Counting> Held<K, P> {
    /// For so many at once; what is more than that is a loss.
    pub(crate) const fn new(most: u32) -> Self {
        Self(HashMap::with_max_entries(most, 0))
    }

    /// Sends the record, or holds it back; in either case it counts those that
    /// were since the last one was sent, beside what it counts already.
    #[inline(always)]
    pub(crate) fn settle<C: EbpfContext>(
        &self,
        ctx: &C,
        hook: Hook,
        same: &K,
        record: &mut Record<P>,
        is_due: bool,
    ) {
        let mut suppressed = 0;
        if let Some(held) = self.0.get_ptr_mut(same) {
            // SAFETY: a pointer to a map value, checked for null; only its count
            // is read, which another CPU may raise meanwhile.
            suppressed = unsafe { *(*held).payload.suppressed() } + 1;
        }
        *record.payload.suppressed() += suppressed;
        if is_due {
            record.send(ctx, hook);
            // There mostly is none.
            let _ = self.0.remove(same);
        } else if self.0.insert(same, &*record, 0).is_err() {
            output::not_kept(hook);
        }
    }

    /// Forgets what is held back, which mostly is nothing.
    #[inline(always)]
    pub(crate) fn forget(&self, same: &K) {
        let _ = self.0.remove(same);
    }
}

/// Nanoseconds since boot.
#[inline(always)]
pub(crate) fn now() -> u64 {
    // SAFETY: a helper without arguments that returns a number.
    unsafe { bpf_ktime_get_boot_ns() }
}
