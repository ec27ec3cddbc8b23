//! A call that failed, by whichever way it was watched: three of its arguments, and
//! what it returned.

use aya_ebpf::programs::{FExitContext, RetProbeContext};
use v6trace_common::Hook;

use crate::{
    attachment::{self, Arguments as _},
    calls::Calls,
    output,
};

/// The arguments that say what was asked for.
pub(super) type Given = [u64; 3];

/// Where a kprobe remembered them; `None` unless `is_explained`.
#[inline(always)]
pub(super) fn returned(
    ctx: &RetProbeContext,
    calls: &Calls<Given>,
    hook: Hook,
    is_explained: impl Fn(i32) -> bool,
) -> Option<(Given, i32)> {
    let ret: i32 = ctx.ret();
    let given = calls.take();
    if !is_explained(ret) {
        return None;
    }
    if given.is_none() {
        output::call_unknown(hook);
    }
    Some((given?, ret))
}

/// Of a function with so many arguments, once it is through: those that are
/// wanted, as addresses to calculate with.
#[inline(always)]
pub(super) fn at_once(
    ctx: &FExitContext,
    arguments: usize,
    wanted: [usize; 3],
    is_explained: impl Fn(i32) -> bool,
) -> Option<(Given, i32)> {
    let ret = attachment::result(ctx, arguments) as i32;
    if !is_explained(ret) {
        return None;
    }
    let argument = |index| attachment::plain(ctx.number(index));
    let [first, second, third] = wanted;
    Some(([argument(first)?, argument(second)?, argument(third)?], ret))
}
