//! The source that a socket asks for with what it sends (`IPV6_PKTINFO`, read by
//! `ip6_datagram_send_ctl`).
//!
//! The control data is a copy in the kernel that stays until the return.

use aya_ebpf::{
    EbpfContext,
    macros::map,
    programs::{FExitContext, ProbeContext, RetProbeContext},
};
use v6trace_common::families::bind as wire;

use super::{
    failed::{self, Given},
    globals,
    refused::{self, Asked},
};
use crate::{attachment::Arguments as _, calls::Calls, pointer::Pointer, search::functions};

/// Arguments of `ip6_datagram_send_ctl`.
const ARGUMENTS: usize = 5;

/// `-ENODEV` and `-EINVAL`: what a source is refused with.
const NO_DEVICE: i32 = -19;
const INVALID: i32 = -22;

/// `IPPROTO_IPV6`
const LEVEL: u32 = 41;
/// `IPV6_PKTINFO`, and as RFC 2292 had it.
const PACKET_INFO: u32 = 50;
const OLD_PACKET_INFO: u32 = 2;
/// Bytes of a `struct cmsghdr`, to a multiple of which all of it is filled up.
const HEADER: u64 = 16;
const UNIT: u64 = 8;
/// Parts of the control data that are looked at.
const PARTS: u32 = 8;

/// `struct cmsghdr`
#[repr(C)]
#[derive(Clone, Copy, zerocopy::FromBytes)]
struct Part {
    length: u64,
    level: u32,
    kind: u32,
}

/// `struct in6_pktinfo`
#[repr(C)]
#[derive(Clone, Copy, zerocopy::FromBytes)]
struct PacketInfo {
    address: [u8; 16],
    ifindex: u32,
}

/// Calls in flight.
#[map]
static SOURCES: Calls<Given> = Calls::new(1024);

/// `ip6_datagram_send_ctl(net, sk, msg, fl6, ipc6)`
#[inline(always)]
pub(super) fn asked(ctx: &ProbeContext) {
    // A failed insertion shows at the return, as a call that is not known.
    SOURCES.begin(&[ctx.number(1), ctx.number(2), ctx.number(3)]);
}

#[inline(always)]
pub(super) fn answered(ctx: &RetProbeContext) -> Option<()> {
    let (given, ret) = failed::returned(ctx, &SOURCES, wire::SEND_SOURCE, is_explained)?;
    report(ctx, given, ret)
}

/// `ip6_datagram_send_ctl`, once it is through.
#[inline(always)]
pub(super) fn answered_at_once(ctx: &FExitContext) -> Option<()> {
    let (given, ret) = failed::at_once(ctx, ARGUMENTS, [1, 2, 3], is_explained)?;
    report(ctx, given, ret)
}

#[inline(always)]
fn is_explained(ret: i32) -> bool {
    matches!(ret, NO_DEVICE | INVALID)
}

#[inline(always)]
fn report<C: EbpfContext>(ctx: &C, [sock, message, flow]: Given, ret: i32) -> Option<()> {
    let message = Pointer(message);
    let control: u64 = message.get(&globals::MSG_CONTROL)?;
    let length: u64 = message.get(&globals::MSG_CONTROL_LEN)?;
    // Without a source it is something else that was refused.
    let found = packet_info(control, length);
    let info: PacketInfo = Pointer(found).read()?;
    let asked = Asked {
        sock,
        ret,
        port: 0,
        scope_id: info.ifindex,
        ifindex: Some(Pointer(flow).get(&globals::FLOW_OIF)?),
    };
    refused::report(ctx, wire::SEND_SOURCE, asked, info.address)
}

functions! {
    /// Where in the control data the source is that is asked for; 0 without.
    fn packet_info(control: u64, length: u64) -> u64 {
        let mut at = 0;
        for _ in 0..PARTS {
            let Some(part) = Pointer(control.wrapping_add(at)).read::<Part>() else {
                return 0;
            };
            if at >= length || part.length < HEADER {
                return 0;
            }
            if part.level == LEVEL && (part.kind == PACKET_INFO || part.kind == OLD_PACKET_INFO) {
                // A shorter one is refused for its length.
                let is_whole = part.length >= HEADER + size_of::<PacketInfo>() as u64;
                return if is_whole { control.wrapping_add(at + HEADER) } else { 0 };
            }
            at = at.wrapping_add(part.length.wrapping_add(UNIT - 1) & !(UNIT - 1));
        }
        0
    }
}
