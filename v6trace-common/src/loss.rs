//! What a hook could not deliver, counted by the kernel side per CPU and hook.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One CPU's counters of one hook, since the programs were loaded.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct HookLoss {
    /// Records that did not fit into this CPU's perf buffer.
    pub output_failed: u64,
    /// Returns that would have been reported but whose call was not seen or
    /// was evicted from the map of calls in flight.
    pub call_unknown: u64,
}

const _: () = assert!(size_of::<HookLoss>() == 16);
