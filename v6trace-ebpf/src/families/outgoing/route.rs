//! The route that a lookup ends at where that is an error
//! (`ip6_route_output_flags`): the namespace's entry for none, or one that
//! rejects.

use aya_ebpf::{
    macros::map,
    programs::{FExitContext, RetProbeContext},
};
use v6trace_common::{Context, families::outgoing::ROUTE_FOUND};

use super::globals;
use crate::{
    address::Address,
    attachment::{self, Arguments as _, Object},
    calls::Calls,
    context,
    families::transit,
    pointer::{Pointer, Reading},
};

/// Arguments of `ip6_route_output_flags(net, sk, fl6, flags)`.
const ARGUMENTS: usize = 4;

/// A route that is an error.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Rejection {
    /// The `dst_entry`, which counts as a number alone: it may be gone.
    pub(super) dst: u64,
    pub(super) prefix: Address,
    pub(super) prefix_len: u32,
    pub(super) error: i32,
    pub(super) table: u32,
    pub(super) metric: u32,
    pub(super) kind: u8,
    pub(super) protocol: u8,
    unused: [u8; 2],
    /// [`ROUTE_FOUND`] where all of it was read.
    pub(super) found: u32,
}

/// The last one that each thread got.
#[map]
pub(super) static REJECTIONS: Calls<Rejection> = Calls::new(256);

#[inline(always)]
pub(super) fn found(ctx: &RetProbeContext) {
    let dst: u64 = ctx.ret();
    let error: i16 = Pointer(dst).or_zero(&globals::DST_ERROR);
    if error != 0 {
        transit::no_route(error.into());
        remember(dst, error);
    }
}

#[inline(always)]
pub(super) fn found_known(ctx: &FExitContext) -> Option<()> {
    let dst = ctx.object(ARGUMENTS);
    let error: i16 = dst.value(&globals::DST_ERROR)?;
    if error != 0 {
        transit::no_route(error.into());
        remember(attachment::plain(dst.pointer().0)?, error);
    }
    Some(())
}

#[inline(always)]
fn remember(dst: u64, error: i16) {
    // One that interrupts a lookup of the same thread is another's.
    if context::current() == Context::Softirq {
        return;
    }
    let mut reading = Reading::new();
    let route = Pointer(reading.get(Pointer(dst), &globals::RT6_FROM));
    let table = Pointer(reading.get(route, &globals::ROUTE_TABLE));
    let mut rejection = Rejection {
        dst,
        prefix: reading.get(route, &globals::ROUTE_DESTINATION),
        prefix_len: reading.get(route, &globals::ROUTE_PREFIX_LEN),
        error: error.into(),
        table: table.or_zero(&globals::TABLE_ID),
        metric: reading.get(route, &globals::ROUTE_METRIC),
        kind: reading.get(route, &globals::ROUTE_TYPE),
        protocol: reading.get(route, &globals::ROUTE_PROTOCOL),
        unused: [0; 2],
        found: 0,
    };
    rejection.found = ROUTE_FOUND & reading.mask();
    REJECTIONS.begin(&rejection);
}
