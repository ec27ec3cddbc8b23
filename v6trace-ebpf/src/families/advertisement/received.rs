//! Messages of routers that `ndisc_rcv` drops before it looks into them, and
//! redirects that it would not follow.
//!
//! It runs for every message of neighbour discovery: what is no router's costs
//! three reads.

use aya_ebpf::macros::map;
use v6trace_common::families::advertisement::{self as wire, RouterMessageIgnored, SYSCTLS_READ};

use super::{Packet, Router, globals, is_news, send};
use crate::{
    attachment::{Arguments, Object as _},
    limit::Limit,
    neighbour::copy_frame,
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
};

/// ICMPv6 types.
pub(super) const ADVERTISEMENT: u8 = 134;
const REDIRECT: u8 = 137;
/// `IP6SKB_FRAGMENTED` of `inet6_skb_parm.flags`.
const FRAGMENTED: u16 = 16;
/// The hop limit that no router has lowered.
const UNFORWARDED: u8 = 255;

/// What was told of each router.
#[map]
static ROUTER_MESSAGES_TOLD: Limit<Router> = Limit::new(1024);

#[map]
static ROUTER_MESSAGE_RECORD: Scratch<Record<RouterMessageIgnored>> = Scratch::new();

programs! {
    received: kprobe router_message, fentry router_message_fentry;
}

/// `ndisc_rcv(skb)`: the packet's data begins behind the ICMPv6 header.
#[inline(always)]
fn received<A: Arguments>(ctx: &A) -> Option<()> {
    let skb = ctx.object(0).pointer();
    let [kind, code] = header(skb)?;
    if kind != ADVERTISEMENT && kind != REDIRECT {
        return None;
    }
    let packet = Packet::of(skb)?;
    let inet6_dev = packet.device.inet6()?;
    let hop_limit = packet.hop_limit()?;
    let fragmented = fragmented(skb, inet6_dev);
    let mut sysctls = Reading::new();
    let forwarding: i32 = sysctls.get(inet6_dev, &globals::CNF_FORWARDING);
    let accept_redirects: i32 = sysctls.get(inet6_dev, &globals::CNF_ACCEPT_REDIRECTS);
    let follows = kind != REDIRECT || (forwarding == 0 && accept_redirects != 0);
    if hop_limit == UNFORWARDED && code == 0 && fragmented == 0 && follows {
        return None;
    }
    let router = Router {
        source: packet.source()?,
        place: packet.place,
    };
    let what = u32::from_ne_bytes([kind, code, hop_limit, fragmented as u8]);
    let record = ROUTER_MESSAGE_RECORD.get()?;
    let suppressed = is_news(&ROUTER_MESSAGES_TOLD, &router, packet.place, what)?;
    send(ctx, wire::RECEIVED, packet.place.netns, record, |payload| {
        payload.suppressed = suppressed;
        payload.ifindex = packet.place.ifindex;
        payload.forwarding = forwarding;
        payload.accept_redirects = accept_redirects;
        payload.fragmented = fragmented;
        payload.read_sysctls = SYSCTLS_READ & sysctls.mask();
        packet.device.name_into(&mut payload.interface);
        copy_frame(skb, &mut payload.frame);
    });
    Some(())
}

/// Type and code of the ICMPv6 message.
#[inline(always)]
pub(super) fn header(skb: Pointer) -> Option<[u8; 2]> {
    let mut reading = Reading::new();
    let head: u64 = reading.get(skb, &globals::SKB_HEAD);
    let transport: u16 = reading.get(skb, &globals::SKB_TRANSPORT_HEADER);
    if !reading.is_complete() {
        return None;
    }
    Pointer(head + u64::from(transport)).read()
}

/// 1 where the packet came in fragments and the interface ignores such messages.
#[inline(always)]
fn fragmented(skb: Pointer, inet6_dev: Pointer) -> u32 {
    let suppress: i32 = inet6_dev.or_zero(&globals::CNF_SUPPRESS_FRAGMENTS);
    let parm = skb.member(&globals::SKB_CB).unwrap_or(Pointer(0));
    let flags: u16 = parm.or_zero(&globals::SKB_PARM_FLAGS);
    u32::from(suppress != 0 && flags & FRAGMENTED != 0)
}
