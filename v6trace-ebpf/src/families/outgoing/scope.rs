//! An address that means another host on each link, and `connect()` that was not
//! told on which (`__sys_connect_file`): TCP and datagram sockets refuse it before
//! they look for a route.

use aya_ebpf::{
    EbpfContext,
    macros::map,
    programs::{FExitContext, ProbeContext, RetProbeContext},
};
use v6trace_common::{
    Context,
    families::outgoing::{self as wire, CONNECT, ScopeMissing},
};
use zerocopy::FromBytes;

use super::{
    globals,
    often::{self, NO_ROUTE_OF_ITS_OWN},
};
use crate::{
    address::{Address, UNSPECIFIED},
    attachment::{self, Arguments as _, Object as _},
    calls::Calls,
    context,
    kernel::Net,
    output::Record,
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// Arguments of `__sys_connect_file(file, address, addrlen, file_flags)`.
const ARGUMENTS: usize = 4;
/// `AF_INET6`
const AF_INET6: u16 = 10;
/// `-EINVAL`
const REFUSED: i32 = -22;

/// `struct sockaddr_in6`, but for the scope: the kernel takes an address without.
#[repr(C)]
#[derive(Clone, Copy, FromBytes)]
struct Named {
    family: u16,
    port: u16,
    flow: u32,
    address: [u8; 16],
}

/// Bytes of it with the scope.
const WITH_SCOPE: u32 = size_of::<Named>() as u32 + 4;

/// A call between its begin and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    file: u64,
    address: u64,
    length: u32,
    unused: u32,
}

/// Calls in flight that may be refused so.
#[map]
static CONNECT_CALLS: Calls<Call> = Calls::new(256);

#[map]
static SCOPE_RECORD: Scratch<Record<ScopeMissing>> = Scratch::new();

#[inline(always)]
pub(super) fn call(ctx: &ProbeContext) -> Option<()> {
    let call = Call {
        file: ctx.number(0),
        address: ctx.number(1),
        length: ctx.number(2) as u32,
        unused: 0,
    };
    // Which of the rest of the kernel's calls it is need not be remembered.
    without_scope(call)?;
    CONNECT_CALLS.begin(&call);
    Some(())
}

/// Return of every call, most of which were not remembered.
#[inline(always)]
pub(super) fn called(ctx: &RetProbeContext) -> Option<()> {
    let ret: i32 = ctx.ret();
    let call = CONNECT_CALLS.take()?;
    if ret == REFUSED {
        report(ctx, call)
    } else {
        None
    }
}

/// The same with the arguments at hand.
#[inline(always)]
pub(super) fn called_known(ctx: &FExitContext) -> Option<()> {
    if attachment::result(ctx, ARGUMENTS) as i32 != REFUSED {
        return None;
    }
    let call = Call {
        file: attachment::plain(ctx.object(0).pointer().0)?,
        address: attachment::plain(ctx.object(1).pointer().0)?,
        length: ctx.number(2) as u32,
        unused: 0,
    };
    report(ctx, call)
}

/// Where to, if that needs an interface and none is named.
#[inline(always)]
fn without_scope(call: Call) -> Option<Named> {
    let named: Named = Pointer(call.address).read()?;
    let address = Address::of(named.address);
    // Interface-local and link-local groups are as many as there are interfaces.
    let group = u64::from_be(address.upper) >> 48 & 0xff0f;
    let needs_one = address.is_link_local() | (group == 0xff01) | (group == 0xff02);
    if named.family != AF_INET6 || !needs_one || call.length < size_of::<Named>() as u32 {
        return None;
    }
    let scope: u32 = Pointer(call.address + size_of::<Named>() as u64).read()?;
    let is_named = call.length >= WITH_SCOPE && scope != 0;
    // A flow label that is not there is another reason.
    (!is_named && named.flow == 0).then_some(named)
}

#[inline(always)]
fn report<C: EbpfContext>(ctx: &C, call: Call) -> Option<()> {
    let named = without_scope(call)?;
    if context::of_sleeper() != Context::Task {
        return None;
    }
    let mut reading = Reading::new();
    let socket = Pointer(reading.get(Pointer(call.file), &globals::FILE_SOCKET));
    let sock = Pointer(reading.get(socket, &globals::SOCKET_SK));
    let bound: u32 = reading.get(sock, &globals::SOCK_BOUND);
    let net = Net(Pointer(reading.get(sock, &globals::SOCK_NET)));
    let netns: u32 = reading.get(net.0, &globals::NET_INUM);
    let kind: u16 = reading.get(sock, &globals::SOCK_TYPE);
    let protocol: u16 = reading.get(sock, &globals::SOCK_PROTOCOL);
    if !reading.is_complete() || bound != 0 {
        return None;
    }
    let destination = Address::of(named.address);
    let same = often::same()?;
    same.prefix = destination;
    same.netns = netns;
    same.ret = REFUSED;
    same.operation = CONNECT;
    same.protocol = protocol.into();
    same.asked = 0;
    same.prefix_len = NO_ROUTE_OF_ITS_OWN;
    let answer = often::answer(kind, CONNECT, UNSPECIFIED, false, destination);
    let suppressed = same.suppressed(net.0, answer)?;
    let record = SCOPE_RECORD.get()?;
    record.open_in(Context::Task, wire::CALL, netns);
    let payload = &mut record.payload;
    payload.destination = destination.bytes();
    payload.socket_type = kind.into();
    payload.protocol = protocol.into();
    payload.port = u32::from(u16::from_be(named.port));
    payload.ret = REFUSED;
    payload.suppressed = suppressed;
    record.send(ctx, wire::CALL);
    Some(())
}
