//! A process that was started.

use v6trace_common::families::process as wire;

use crate::families::Decode;

/// A process was started by one that is followed; or has the id of one that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessStarted {
    /// Its id.
    pub process: u32,
    /// Whether it is followed.
    pub is_followed: bool,
}

impl Decode for ProcessStarted {
    type Wire = wire::ProcessStarted;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            process: wire.process,
            is_followed: wire.is_followed != 0,
        }
    }
}
