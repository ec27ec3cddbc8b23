//! What sockets of processes send, and connect to, without a way out.
//!
//! ```text
//! route   ip6_route_output_flags answers with a route that is an error:
//!         remembers which, by thread                        REJECTIONS[thread]
//! lookup  ip6_dst_lookup_flow fails: a record, with that route
//!         it succeeds with a source that no answer comes back to: a record
//!         else leaves, after a read
//! scope   __sys_connect_file refuses an address that needs an interface and has
//!         none: a record
//! ```
//!
//! `ip6_dst_lookup_flow` is where `connect()` and sending of TCP, UDP, ping and raw
//! sockets come together. The route is released before it returns, and of one that
//! rejects only the errno is left; the function that found it tells which it was.
//!
//! Only sockets of processes count, while they connect or send: what softirqs and
//! kernel threads look up, tunnels among them, is no call that fails; nor is the
//! new way of a connection that exists (`inet6_csk_route_socket`).

mod lookup;
mod often;
mod route;
mod scope;

use crate::programs::programs;
use lookup::{enter, leave, leave_known};
use route::{found, found_known};
use scope::{call, called, called_known};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::outgoing_members!(members);
}

programs! {
    enter: kprobe outgoing_lookup_enter;
    leave: kretprobe outgoing_lookup_return;
    leave_known: fexit outgoing_lookup_fexit;
    found: kretprobe outgoing_route_return;
    found_known: fexit outgoing_route_fexit;
    call: kprobe connect_call_enter;
    called: kretprobe connect_call_return;
    called_known: fexit connect_call_fexit;
}
