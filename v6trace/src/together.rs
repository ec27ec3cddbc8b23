//! Diagnoses that wait for the end of what they are parts of, to be told as one.
//!
//! ```text
//! part    waits                                              by its thread
//! end     takes the parts since it began; those before it,
//!         whose own end did not come, are told singly
//! a loss at the hook that sees the end, or a pause that no end would leave:
//!         what waits is told singly
//! ```
//!
//! The only clock is that of the records, so a replay tells the same. Where none follow,
//! [`Quiet`](crate::record::Quiet) says in the stream that the pause is over.

use v6trace_common::Hook;

use crate::explain::Diagnosis;

/// How long after the newest part an end may come, nanoseconds.
pub(crate) const PAUSE_NS: u64 = 2_000_000_000;
/// How many parts wait, of all threads: more than a write of forwarding has on a
/// router with as many interfaces as one has.
const MOST: usize = 1 << 14;
/// Of how many threads.
const MOST_THREADS: usize = 64;

/// What waits.
#[derive(Debug, Default)]
pub(crate) struct Together {
    threads: Vec<Thread>,
}

/// The parts of what a thread does.
#[derive(Debug)]
struct Thread {
    tid: u32,
    /// The hook that sees the end.
    end: Hook,
    newest_ns: u64,
    parts: Vec<Diagnosis>,
}

impl Together {
    /// Has one more wait for what `end` sees of the thread, or gives it back.
    pub(crate) fn wait(&mut self, tid: u32, end: Hook, part: Diagnosis) -> Option<Diagnosis> {
        let waiting: usize = self.threads.iter().map(|thread| thread.parts.len()).sum();
        let same = |thread: &Thread| thread.tid == tid && thread.end == end;
        let place = self.threads.iter().position(same);
        if waiting >= MOST || place.is_none() && self.threads.len() >= MOST_THREADS {
            return Some(part);
        }
        let place = place.unwrap_or_else(|| {
            self.threads.push(Thread {
                tid,
                end,
                newest_ns: 0,
                parts: Vec::new(),
            });
            self.threads.len() - 1
        });
        let thread = &mut self.threads[place];
        thread.newest_ns = part.boot_ns;
        thread.parts.push(part);
        None
    }

    /// Of what a thread began then and `end` saw end: what is left from before, and the
    /// parts.
    pub(crate) fn end(
        &mut self,
        tid: u32,
        end: Hook,
        began_ns: u64,
    ) -> (Vec<Diagnosis>, Vec<Diagnosis>) {
        self.take(|thread| thread.tid == tid && thread.end == end)
            .into_iter()
            .partition(|part| part.boot_ns < began_ns)
    }

    /// Those whose end would have come by `now`, nanoseconds since boot.
    pub(crate) fn overdue(&mut self, now: u64) -> Vec<Diagnosis> {
        self.take(|thread| thread.newest_ns.saturating_add(PAUSE_NS) < now)
    }

    /// Those whose end may be among what `hook` has lost.
    pub(crate) fn lost(&mut self, hook: Option<Hook>) -> Vec<Diagnosis> {
        self.take(|thread| hook.is_none_or(|hook| hook == thread.end))
    }

    /// All of them.
    pub(crate) fn rest(&mut self) -> Vec<Diagnosis> {
        self.take(|_| true)
    }

    fn take(&mut self, wanted: impl Fn(&Thread) -> bool) -> Vec<Diagnosis> {
        let taken = self.threads.extract_if(.., |thread| wanted(thread));
        taken.flat_map(|thread| thread.parts).collect()
    }
}
