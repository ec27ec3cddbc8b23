//! Binding a socket: `inet6_bind_sk`, by which MPTCP binds as well; before 6.6 that
//! is `inet6_bind`, which is given what has the socket.
//!
//! Its caller keeps the address on its stack until after the return; a program of
//! a cgroup may have put another one there meanwhile, which is then the one that
//! was refused.

use aya_ebpf::{
    EbpfContext,
    macros::map,
    programs::{FExitContext, ProbeContext, RetProbeContext},
};
use v6trace_common::families::bind as wire;

use super::{
    failed::{self, Given},
    globals,
    refused::{self, Asked, IN_USE},
};
use crate::{attachment::Arguments as _, calls::Calls, pointer::Pointer};

/// Arguments of either.
const ARGUMENTS: usize = 3;

/// `-EACCES`, `-ENODEV`, `-EINVAL`, `-EADDRINUSE` and `-EADDRNOTAVAIL`: what is
/// explained.
const NO_ACCESS: i32 = -13;
const NO_DEVICE: i32 = -19;
const INVALID: i32 = -22;
const NOT_AVAILABLE: i32 = -99;

/// `AF_INET6`
const INET6: u16 = 10;

/// `struct sockaddr_in6`
#[repr(C)]
#[derive(Clone, Copy, zerocopy::FromBytes)]
struct SocketAddress {
    family: u16,
    port: [u8; 2],
    flow: u32,
    address: [u8; 16],
    scope_id: u32,
}

/// Bytes of the same without the scope (`SIN6_LEN_RFC2133`), and of all.
const WITHOUT_SCOPE: u64 = 24;
const WHOLE: u64 = 28;

/// Binds in flight.
#[map]
static BINDS: Calls<Given> = Calls::new(1024);

/// `inet6_bind(sock, uaddr, addr_len)`, and `inet6_bind_sk(sk, uaddr, addr_len)`
#[inline(always)]
pub(super) fn bind(ctx: &ProbeContext) {
    // A failed insertion shows at the return, as a call that is not known.
    BINDS.begin(&[ctx.number(0), ctx.number(1), ctx.number(2)]);
}

#[inline(always)]
pub(super) fn bound(ctx: &RetProbeContext) -> Option<()> {
    let (given, ret) = failed::returned(ctx, &BINDS, wire::BIND, is_explained)?;
    report(ctx, of_socket(given)?, ret)
}

/// `inet6_bind`, once it is through.
#[inline(always)]
pub(super) fn bound_at_once(ctx: &FExitContext) -> Option<()> {
    let (given, ret) = failed::at_once(ctx, ARGUMENTS, [0, 1, 2], is_explained)?;
    report(ctx, of_socket(given)?, ret)
}

#[inline(always)]
pub(super) fn bound_sk(ctx: &RetProbeContext) -> Option<()> {
    let (given, ret) = failed::returned(ctx, &BINDS, wire::BIND, is_explained)?;
    report(ctx, given, ret)
}

/// `inet6_bind_sk`, once it is through.
#[inline(always)]
pub(super) fn bound_sk_at_once(ctx: &FExitContext) -> Option<()> {
    let (given, ret) = failed::at_once(ctx, ARGUMENTS, [0, 1, 2], is_explained)?;
    report(ctx, given, ret)
}

/// The same call as `inet6_bind_sk` is given it.
#[inline(always)]
fn of_socket([socket, address, length]: Given) -> Option<Given> {
    let sock = Pointer(socket).follow(&globals::SOCKET_SK)?;
    Some([sock.0, address, length])
}

#[inline(always)]
fn is_explained(ret: i32) -> bool {
    matches!(
        ret,
        NO_ACCESS | NO_DEVICE | INVALID | IN_USE | NOT_AVAILABLE
    )
}

#[inline(always)]
fn report<C: EbpfContext>(ctx: &C, [sock, address, length]: Given, ret: i32) -> Option<()> {
    let length = length & u64::from(u32::MAX);
    if length < WITHOUT_SCOPE {
        return None;
    }
    let given: SocketAddress = Pointer(address).read()?;
    if given.family != INET6 {
        return None;
    }
    let port = u16::from_be_bytes(given.port);
    // Of any port, none is left: nobody in particular has it.
    if ret == IN_USE && port == 0 {
        return None;
    }
    let asked = Asked {
        sock,
        ret,
        port: port.into(),
        // What is behind a shorter address is left from whatever was there.
        scope_id: if length < WHOLE { 0 } else { given.scope_id },
        ifindex: None,
    };
    refused::report(ctx, wire::BIND, asked, given.address)
}
