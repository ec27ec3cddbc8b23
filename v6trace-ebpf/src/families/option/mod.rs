//! Setting a socket option of level IPv6 (`ipv6_setsockopt`).
//!
//! ```text
//! enter          remembers what is asked for (by a kprobe)
//! leave,         refused: `refused` reads it, and what decides, and sends a
//! leave_at_once  record
//! routing        looks who routes multicasts
//! ```
//!
//! The value is an object of two registers, passed by value: there are trampolines
//! for such a function from 6.1 on. It is where the program left it until the
//! return, and is read only where it was refused.

mod refused;
mod routing;

use aya_ebpf::{
    macros::map,
    programs::{FExitContext, ProbeContext, RetProbeContext},
};

use crate::{
    attachment::{self, Arguments as _},
    calls::Calls,
    programs::programs,
};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::option_members!(members);
}

programs! {
    enter: kprobe option_enter;
    leave: kretprobe option_return;
    leave_at_once: fexit option_exit;
}

/// A call between its entry and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    sock: u64,
    /// Where the value is.
    value: u64,
    /// Whether that is in the kernel.
    in_kernel: u32,
    length: u32,
    option: u32,
    unused: u32,
}

/// Calls in flight.
#[map]
static OPTIONS: Calls<Call> = Calls::new(1024);

/// Registers that the function's arguments take.
const ARGUMENTS: usize = 6;

/// `SOL_IPV6`; sockets of IPv6 pass on what is for IPv4 here as well.
const LEVEL: u32 = 41;

/// `IPV6_2292PKTOPTIONS`, whose source is read by a function that is watched,
/// and memberships: other families explain what is refused of these.
const PACKET_OPTIONS: u32 = 6;
const FIRST_MEMBERSHIP: u32 = 20;
const LAST_MEMBERSHIP: u32 = 21;
const FIRST_ANYCAST: u32 = 27;
const LAST_ANYCAST: u32 = 28;
const FIRST_GROUP: u32 = 42;
const LAST_GROUP: u32 = 48;
/// Those of ip6tables.
const FIRST_TABLES: u32 = 64;
const LAST_TABLES: u32 = 65;

/// `-EFAULT`: the program gave no value at all.
const FAULT: i32 = -14;

/// `ipv6_setsockopt(sk, level, optname, optval, optlen)`, where `optval` takes two
/// registers: where the value is, and whether that is in the kernel.
#[inline(always)]
fn enter(ctx: &ProbeContext) {
    let option = ctx.number(2) as u32;
    if ctx.number(1) as u32 != LEVEL || is_of_others(option) {
        // The return is to find no call that was left over.
        OPTIONS.end();
        return;
    }
    // A failed insertion is a call that nobody knows at its return, like those of
    // other levels.
    OPTIONS.begin(&Call {
        sock: ctx.number(0),
        value: ctx.number(3),
        in_kernel: ctx.number(4) as u32 & 1,
        length: ctx.number(5) as u32,
        option,
        unused: 0,
    });
}

#[inline(always)]
fn is_of_others(option: u32) -> bool {
    matches!(
        option,
        PACKET_OPTIONS
            | FIRST_MEMBERSHIP..=LAST_MEMBERSHIP
            | FIRST_ANYCAST..=LAST_ANYCAST
            | FIRST_GROUP..=LAST_GROUP
            | FIRST_TABLES..=LAST_TABLES
    )
}

/// Whether it is refused, and by whom that is told.
#[inline(always)]
fn is_explained(ret: i32) -> bool {
    ret < 0 && ret != FAULT
}

#[inline(always)]
fn leave(ctx: &RetProbeContext) -> Option<()> {
    let ret: i32 = ctx.ret();
    let call = OPTIONS.take()?;
    if !is_explained(ret) {
        return None;
    }
    refused::report(ctx, call, ret)
}

/// `ipv6_setsockopt`, once it is through.
#[inline(always)]
fn leave_at_once(ctx: &FExitContext) -> Option<()> {
    let ret = attachment::result(ctx, ARGUMENTS) as i32;
    let option = ctx.number(2) as u32;
    if !is_explained(ret) || ctx.number(1) as u32 != LEVEL || is_of_others(option) {
        return None;
    }
    let call = Call {
        sock: attachment::plain(ctx.number(0))?,
        value: ctx.number(3),
        in_kernel: ctx.number(4) as u32 & 1,
        length: ctx.number(5) as u32,
        option,
        unused: 0,
    };
    refused::report(ctx, call, ret)
}
