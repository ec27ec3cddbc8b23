//! Packets for other hosts that are not passed on.
//!
//! ```text
//! forward  ip6_forward: conf.all does not forward        a record
//! error    icmp6_send: the sender is to be told of a packet that was dropped; a record of
//!          what it cannot be told, and of packets that have come through too many routers
//! packet   its header, where it came from, and where it would have gone
//! ```

mod error;
mod forward;
mod packet;

pub(crate) use error::no_route;
use error::{began, ended, looked_up, looked_up_at_once, pushed};
use forward::forward;

use crate::programs::programs;

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::transit_members!(members);
}

/// How soon packets that take the same way are told again.
const AGAIN_NS: u64 = 3600 * 1_000_000_000;

programs! {
    forward: kprobe forward_enter, fentry forward_fentry;
    began: kprobe transit_error_enter, fentry transit_error_fentry;
    ended: kretprobe transit_error_return, fexit transit_error_fexit;
    looked_up: kretprobe transit_route_return;
    looked_up_at_once: fexit transit_route_fexit;
    pushed: kprobe transit_error_pushed, fentry transit_error_pushed_fentry;
}
