//! Messages of routers that `ndisc_rcv` drops before it looks into them, and
//! redirects that it would not follow.
//!
//! It runs for every message of neighbour discovery: where there are trampolines, a
//! solicitation costs one read by the helper, a router's advertisement three, a
//! neighbour's four and a key looked for in a map.
//! Some of them take routes away, so the family of routes is told which it is; and the
//! family of neighbours of their advertisements.

use aya_ebpf::macros::map;
use v6trace_common::families::{
    advertisement::{self as wire, RouterMessageIgnored, SYSCTLS_READ},
    neighbour::{ANSWER_CAME, ANSWER_TO_GROUP, ANSWER_WITHOUT_OPTIONS},
};

use super::{Packet, Router, globals, is_news, send};
use crate::{
    attachment::{Arguments, Object},
    families::{
        neighbour::{self, Answer, Same},
        route,
    },
    kernel::Device,
    limit::Limit,
    neighbour::copy_frame,
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
};

/// ICMPv6 types.
pub(super) const ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const REDIRECT: u8 = 137;
/// The flag S of a neighbour advertisement: somebody asked for it.
const SOLICITED: u8 = 0x40;
/// Bytes of a neighbour advertisement without options, behind its ICMPv6 header.
const WITHOUT_OPTIONS: u32 = 16;
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
    let packet = Packet::of(ctx.object(0))?;
    let header: [u8; 8] = packet.icmpv6()?;
    let [kind, code, ..] = header;
    route::message(header, packet.device());
    if kind == NEIGHBOUR_ADVERTISEMENT {
        return answer(&packet, header);
    }
    if kind != ADVERTISEMENT && kind != REDIRECT {
        return None;
    }
    let hop_limit = packet.hop_limit()?;
    let device = packet.device();
    let fragmented = fragmented(packet.skb(), device);
    let is_valid = hop_limit == UNFORWARDED && code == 0 && fragmented == 0;
    // Whether the kernel heeds an advertisement, its own function tells.
    if is_valid && kind == ADVERTISEMENT {
        return None;
    }
    let inet6_dev = device.inet6()?;
    let mut sysctls = Reading::new();
    let forwarding: i32 = sysctls.get(inet6_dev, &globals::CNF_FORWARDING);
    let accept_redirects: i32 = sysctls.get(inet6_dev, &globals::CNF_ACCEPT_REDIRECTS);
    let follows = kind != REDIRECT || (forwarding == 0 && accept_redirects != 0);
    if is_valid && follows {
        return None;
    }
    let place = packet.place()?;
    let router = Router {
        source: packet.source()?,
        place,
    };
    let what = u32::from_ne_bytes([kind, code, hop_limit, fragmented as u8]);
    let record = ROUTER_MESSAGE_RECORD.get()?;
    let suppressed = is_news(&ROUTER_MESSAGES_TOLD, &router, place, what)?;
    send(ctx, wire::RECEIVED, place.netns, record, |payload| {
        payload.suppressed = suppressed;
        payload.ifindex = place.ifindex;
        payload.forwarding = forwarding;
        payload.accept_redirects = accept_redirects;
        payload.fragmented = fragmented;
        payload.read_sysctls = SYSCTLS_READ & sysctls.mask();
        device.name_into(&mut payload.interface);
        copy_frame(packet.skb(), &mut payload.frame);
    });
    Some(())
}

/// A neighbour advertises itself.
#[inline(always)]
fn answer<O: Object>(packet: &Packet<O>, header: [u8; 8]) -> Option<()> {
    let [_, code, _, _, flags, ..] = header;
    let place = packet.place()?;
    let to_group = if packet.is_to_group()? {
        ANSWER_TO_GROUP
    } else {
        0
    };
    let bare = if packet.len()? == WITHOUT_OPTIONS {
        ANSWER_WITHOUT_OPTIONS
    } else {
        0
    };
    let same = Same {
        address: packet.target()?,
        netns: place.netns,
        ifindex: place.ifindex,
    };
    let hop_limit = packet.hop_limit()?;
    let goes_astray = to_group != 0 && flags & SOLICITED != 0;
    if hop_limit == UNFORWARDED && code == 0 && bare == 0 && !goes_astray {
        neighbour::answered_well(&same);
    } else {
        let answer = Answer {
            hop_limit,
            code,
            flags,
            seen: (ANSWER_CAME | to_group | bare) as u8,
        };
        neighbour::answered(&same, answer);
    }
    Some(())
}

/// 1 where the packet came in fragments and the interface ignores such messages.
#[inline(always)]
fn fragmented(skb: Pointer, device: Device) -> u32 {
    let parm = skb.member(&globals::SKB_CB).unwrap_or(Pointer(0));
    let flags: u16 = parm.or_zero(&globals::SKB_PARM_FLAGS);
    if flags & FRAGMENTED == 0 {
        return 0;
    }
    let inet6_dev = device.inet6().unwrap_or(Pointer(0));
    let suppress: i32 = inet6_dev.or_zero(&globals::CNF_SUPPRESS_FRAGMENTS);
    u32::from(suppress != 0)
}
