//! Sockets that are refused a local address, and that there are none.
//!
//! ```text
//! bound    inet6_bind fails: what it was given              \
//! source   ip6_datagram_send_ctl fails: the source that      > refused: has the
//!          its control data asks for                        /  namespace searched for
//!                                                              the address, sends a
//!                                                              record
//! socket   __sock_create fails for IPv6: sends a record
//! ```
//!
//! What failed changed nothing that the functions test but the interface that a
//! socket is bound to, which is then that of the scope; so it is read when they
//! return: by a trampoline, with their arguments at hand. What succeeds costs a
//! comparison.

mod bound;
mod failed;
mod refused;
mod search;
mod socket;
mod source;

use crate::programs::programs;
use bound::{bind, bound, bound_at_once, bound_sk, bound_sk_at_once};
use socket::{made, made_at_once, make};
use source::{answered, answered_at_once, asked};

mod globals {
    use aya_ebpf::Global;

    pub(super) use crate::globals::*;

    v6trace_common::bind_members!(members);

    /// Address of `disable_ipv6_mod`, 0 without.
    #[unsafe(no_mangle)]
    pub(super) static IPV6_DISABLE: Global<u64> = Global::new(0);
}

programs! {
    bind: kprobe bind_enter;
    bound: kretprobe bind_return;
    bound_at_once: fexit bind_exit;
    bound_sk: kretprobe bind_sk_return;
    bound_sk_at_once: fexit bind_sk_exit;
    asked: kprobe send_source_enter;
    answered: kretprobe send_source_return;
    answered_at_once: fexit send_source_exit;
    make: kprobe socket_enter;
    made: kretprobe socket_return;
    made_at_once: fexit socket_exit;
}
