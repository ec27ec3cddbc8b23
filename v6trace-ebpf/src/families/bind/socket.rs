//! Making a socket (`__sock_create`) where there is no IPv6.
//!
//! None of the functions that are about IPv6 is then ever called. The family of
//! the socket is compared first: that is all that it costs any other.

use aya_ebpf::{
    EbpfContext,
    helpers::generated,
    macros::map,
    programs::{FExitContext, ProbeContext, RetProbeContext},
};
use v6trace_common::{
    COMM_LEN,
    families::bind::{self as wire, IPV6_DISABLE_READ, SocketRefused},
};

use super::globals;
use crate::{
    attachment::{self, Arguments as _},
    calls::Calls,
    context,
    kernel::Net,
    limit::{HELD_BACK, Limit},
    output::Record,
    pointer::Pointer,
    scratch::Scratch,
};

/// Arguments of `__sock_create`.
const ARGUMENTS: usize = 6;

/// `AF_INET6`
const INET6: u32 = 10;
/// `-EAFNOSUPPORT`
const NO_SUCH_FAMILY: i32 = -97;

/// A call between its entry and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    net: u64,
    kind: u32,
    protocol: u32,
}

/// What is the same: programs of one name, of which a host may start thousands,
/// are told once.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    comm: [u8; COMM_LEN],
    netns: u32,
}

/// How soon the same is told again.
const AGAIN_NS: u64 = 3600 * 1_000_000_000;

/// Calls in flight, for IPv6 alone.
#[map]
static SOCKETS: Calls<Call> = Calls::new(1024);

#[map]
static SOCKET_TOLD: Limit<Same> = Limit::new(1024);

#[map]
static SOCKET_RECORD: Scratch<Record<SocketRefused>> = Scratch::new();

/// `__sock_create(net, family, type, protocol, res, kern)`
#[inline(always)]
pub(super) fn make(ctx: &ProbeContext) {
    if ctx.number(1) as u32 == INET6 {
        SOCKETS.begin(&Call {
            net: ctx.number(0),
            kind: ctx.number(2) as u32,
            protocol: ctx.number(3) as u32,
        });
    }
}

/// Its return. A call that is not known was for another family.
#[inline(always)]
pub(super) fn made(ctx: &RetProbeContext) -> Option<()> {
    let call = SOCKETS.take()?;
    let ret: i32 = ctx.ret();
    if ret == NO_SUCH_FAMILY {
        report(ctx, call, ret);
    }
    Some(())
}

/// `__sock_create`, once it is through.
#[inline(always)]
pub(super) fn made_at_once(ctx: &FExitContext) -> Option<()> {
    if ctx.number(1) as u32 != INET6 {
        return None;
    }
    let ret = attachment::result(ctx, ARGUMENTS) as i32;
    if ret != NO_SUCH_FAMILY {
        return None;
    }
    let call = Call {
        net: attachment::plain(ctx.number(0))?,
        kind: ctx.number(2) as u32,
        protocol: ctx.number(3) as u32,
    };
    report(ctx, call, ret)
}

#[inline(always)]
fn report<C: EbpfContext>(ctx: &C, call: Call, ret: i32) -> Option<()> {
    let netns = Net(Pointer(call.net)).inum().unwrap_or(0);
    let mut same = Same {
        comm: [0; COMM_LEN],
        netns,
    };
    // SAFETY: the helper writes COMM_LEN bytes, which is what comm has. On
    // failure it writes zeros.
    unsafe {
        generated::bpf_get_current_comm(same.comm.as_mut_ptr().cast(), COMM_LEN as u32);
    }
    if SOCKET_TOLD.pass(&same, 0, AGAIN_NS, 1) == HELD_BACK {
        return None;
    }
    let record = SOCKET_RECORD.get()?;
    record.open_in(context::of_sleeper(), wire::SOCKET, netns);
    let payload = &mut record.payload;
    payload.ret = ret;
    payload.socket_type = call.kind;
    payload.protocol = call.protocol;
    payload.ipv6_disable = 0;
    payload.parameters = 0;
    payload.unused = 0;
    let disable = globals::IPV6_DISABLE.load();
    if disable != 0
        && let Some(value) = Pointer(disable).read::<i32>()
    {
        payload.ipv6_disable = value;
        payload.parameters = IPV6_DISABLE_READ;
    }
    record.send(ctx, wire::SOCKET);
    Some(())
}
