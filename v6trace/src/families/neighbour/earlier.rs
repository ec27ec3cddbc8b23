//! Who got no entry in the table of neighbours, for the request that asked for one.

use crate::{event::Event, families::Payload};

/// How long after that the kernel answers the request, at most, in nanoseconds.
const ANSWERED: u64 = 1_000_000_000;

/// What was learnt from the events so far.
#[derive(Debug, Default)]
pub struct Earlier {
    /// The thread that was told last that the table is full, and when.
    full: Option<(u32, u64)>,
}

impl Earlier {
    /// Remembers an event, if it tells of a full table.
    pub(crate) fn remember(&mut self, event: &Event) {
        if let Payload::NeighbourTableFull(_) = &event.payload {
            self.full = Some((event.task.tid, event.boot_ns));
        }
    }

    /// Whether the thread of this event has just been told of.
    pub(in super::super) fn has_told_of(&self, event: &Event) -> bool {
        self.full.is_some_and(|(tid, boot_ns)| {
            tid == event.task.tid && event.boot_ns.wrapping_sub(boot_ns) < ANSWERED
        })
    }
}
