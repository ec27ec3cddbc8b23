//! What becomes of the ICMPv6 error by which a sender is to learn that its packet was
//! dropped.
//!
//! ```text
//! icmp6_send begins             what came in, and is told of, is remembered
//! ip6_route_output_flags        for the source that a route prefers, then for the rate limit,
//!                               which is by route: there is none (watched by `outgoing`)
//! ip6_dst_lookup                which way the error is to go, or that there is none
//! icmpv6_push_pending_frames    it goes
//! icmp6_send ends               a record, once in a while for each way
//! ```
//!
//! Packets that are received are seen to in softirqs, and while softirqs are held off the
//! error is made: what one program leaves for the next is kept by CPU.

use aya_ebpf::{
    EbpfContext,
    macros::map,
    programs::{FExitContext, RetProbeContext},
};
use v6trace_common::families::transit::{
    ERROR, NOT_LOOKED_UP, NOT_ROUTED, NOT_SENT, PacketDropped, TOLD,
};

use super::{AGAIN_NS, globals, packet::Packet};
use crate::{
    attachment::{self, Arguments},
    limit::{HELD_BACK, Limit},
    output::{self, Record},
    pointer::Pointer,
    scratch::Scratch,
};

/// Arguments of `ip6_dst_lookup(net, sk, dst, fl6)`.
const LOOKUP_ARGUMENTS: usize = 4;

/// ICMPv6 types, and codes of the first and the third: the host itself has no such port;
/// it passed too many routers.
const UNREACHABLE: u8 = 1;
const TOO_BIG: u8 = 2;
const TIME_EXCEEDED: u8 = 3;
const PORT: u8 = 4;
const HOP_LIMIT: u8 = 0;
/// `IPPROTO_ICMPV6`
const ICMPV6: u8 = 58;

/// Errors that are told of once in a while.
#[repr(C)]
#[derive(Clone, Copy)]
struct Alike {
    netns: u32,
    ifindex: u32,
    out_ifindex: u32,
    message_type: u32,
    code: u32,
    told: u32,
    ret: i32,
}

#[map]
static TRANSIT_ERRORS_TOLD: Limit<Alike> = Limit::new(1024);

/// The packet that an error is being made for on this CPU; its header has no size while
/// there is none.
#[map]
static PACKET_DROPPED: Scratch<Record<PacketDropped>> = Scratch::new();

/// `icmp6_send(skb, type, code, info, force_saddr, parm)`
#[inline(always)]
pub(super) fn began<A: Arguments>(ctx: &A) -> Option<()> {
    let last = PACKET_DROPPED.get()?;
    if last.header.size != 0 {
        // Its return was missed.
        output::not_kept(ERROR);
        last.header.size = 0;
    }
    let (kind, code) = (ctx.number(1) as u8, ctx.number(2) as u8);
    let is_told = match kind {
        TOO_BIG => true,
        UNREACHABLE => code != PORT,
        TIME_EXCEEDED => code == HOP_LIMIT,
        _ => false,
    };
    // A tunnel of IPv4 hands on what it was told, from a source of its own.
    if !is_told || ctx.number(4) != 0 {
        return None;
    }
    let mtu = if kind == TOO_BIG {
        ctx.number(3) as u32
    } else {
        0
    };
    let skb = Pointer(attachment::plain(ctx.number(0))?);
    let parm = Pointer(attachment::plain(ctx.number(5))?);
    let packet = Packet::of(skb, parm)?;
    // Without a route it is what a tunnel quotes of an error that it was told.
    if packet.ifindex == 0 || !packet.is_routed() {
        return None;
    }
    let header = packet.header()?;
    let device = packet.device()?;
    let onward = packet.way();
    let record = PACKET_DROPPED.get()?;
    record.open(ERROR, packet.net.inum()?);
    let payload = &mut record.payload;
    packet.describe(&header, device, &onward, &mut payload.packet);
    payload.inner_type = if header.next_header == ICMPV6 {
        packet.first_byte().map_or(-1, i32::from)
    } else {
        -1
    };
    payload.message_type = kind.into();
    payload.code = code.into();
    payload.mtu = mtu;
    payload.told = NOT_LOOKED_UP;
    payload.ret = 0;
    payload.limited = packet
        .net
        .0
        .get(&globals::NET_ICMP_RATEMASK)
        .map_or(-1, |mask: u64| (mask >> (kind & 63) & 1) as i32);
    payload.suppressed = 0;
    Some(())
}

#[inline(always)]
pub(super) fn looked_up(ctx: &RetProbeContext) -> Option<()> {
    found(ctx.ret())
}

#[inline(always)]
pub(super) fn looked_up_at_once(ctx: &FExitContext) -> Option<()> {
    found(attachment::result(ctx, LOOKUP_ARGUMENTS) as i32)
}

/// What came of looking for the way back: the first that there is counts, as others are for
/// what is encrypted.
#[inline(always)]
fn found(ret: i32) -> Option<()> {
    let payload = &mut current()?.payload;
    if matches!(payload.told, NOT_LOOKED_UP | NOT_ROUTED) {
        payload.told = if ret < 0 { NOT_ROUTED } else { NOT_SENT };
        payload.ret = ret;
    }
    Some(())
}

/// A route that is an error was found. The kernel looks for the source that a route prefers
/// first, with neither VRF nor mark, so that this decides nothing; where there is none either
/// with all that the error has, for the rate limit, that is the end of it.
#[inline(always)]
pub(crate) fn no_route(error: i32) -> Option<()> {
    let payload = &mut current()?.payload;
    if payload.told == NOT_LOOKED_UP {
        if payload.ret != 0 {
            payload.told = NOT_ROUTED;
        }
        payload.ret = error;
    }
    Some(())
}

/// `icmpv6_push_pending_frames(sk, fl6, thdr, len)`
#[inline(always)]
pub(super) fn pushed<A: Arguments>(_ctx: &A) -> Option<()> {
    current()?.payload.told = TOLD;
    Some(())
}

#[inline(always)]
pub(super) fn ended<C: EbpfContext>(ctx: &C) -> Option<()> {
    let record = current()?;
    let payload = &mut record.payload;
    if payload.told == NOT_LOOKED_UP {
        payload.ret = 0;
    }
    let alike = Alike {
        netns: record.header.netns,
        ifindex: payload.packet.ifindex,
        out_ifindex: payload.packet.out_ifindex,
        message_type: payload.message_type,
        code: payload.code,
        told: payload.told,
        ret: payload.ret,
    };
    if is_news(&alike) {
        let suppressed = TRANSIT_ERRORS_TOLD.pass(&alike, 0, AGAIN_NS, 1);
        if suppressed != HELD_BACK {
            record.payload.suppressed = suppressed as u32;
            record.send(ctx, ERROR);
        }
    }
    record.header.size = 0;
    Some(())
}

/// Whether it is of interest: that the sender learns of it is what the error is for, and
/// how many it is told is limited where somebody wants that. Of packets that have passed
/// too many routers it is all of them.
#[inline(always)]
fn is_news(error: &Alike) -> bool {
    match error.message_type as u8 {
        TIME_EXCEEDED => true,
        TOO_BIG => error.told != TOLD,
        _ => error.told == NOT_ROUTED,
    }
}

/// The record of the error that is being made on this CPU.
#[inline(always)]
fn current() -> Option<&'static mut Record<PacketDropped>> {
    PACKET_DROPPED
        .get()
        .filter(|record| record.header.size != 0)
}
