//! `ip6_forward` asks first whether conf.all forwards, and from 6.17 on whether the
//! interface does so without it.
//!
//! ```text
//! conf.all forwards             nothing: all that a router pays for
//! nobody addressed this host    nothing: it was flooded, and a router drops it as well
//! the interface forwards        nothing
//! else                          a record, once in a while for each way
//! ```

use aya_ebpf::macros::map;
use v6trace_common::families::transit::{FORWARD, NotForwarded};

use super::{AGAIN_NS, globals, packet::Packet};
use crate::{
    address::{Address, UNSPECIFIED},
    attachment::{self, Arguments, Object as _},
    limit::{HELD_BACK, Limit},
    output::Record,
    pointer::Pointer,
    scratch::Scratch,
};

/// `PACKET_HOST`: it was sent to this host's address on the link.
const HOST: u32 = 0;

/// Packets that are told of once in a while.
#[repr(C)]
#[derive(Clone, Copy)]
struct Alike {
    netns: u32,
    ifindex: u32,
    out_ifindex: u32,
    /// Which sort of packet: with a gateway, or by an interface that has `forwarding`, it
    /// is told otherwise.
    sort: u32,
}

#[map]
static TRANSIT_TOLD: Limit<Alike> = Limit::new(1024);

#[map]
static NOT_FORWARDED: Scratch<Record<NotForwarded>> = Scratch::new();

/// `ip6_forward(skb)`
#[inline(always)]
pub(super) fn forward<A: Arguments>(ctx: &A) -> Option<()> {
    let device = ctx.object(0).next(&globals::SKB_DEV)?;
    let all = device
        .next(&globals::DEV_NET)?
        .next(&globals::NET_DEVCONF_ALL)?;
    let forwarding: i32 = all.value(&globals::DEVCONF_FORWARDING)?;
    if forwarding != 0 {
        return None;
    }
    dropped(ctx, Pointer(attachment::plain(ctx.number(0))?))
}

#[inline(always)]
fn dropped<A: Arguments>(ctx: &A, skb: Pointer) -> Option<()> {
    if skb.bits(&globals::SKB_PKT_TYPE)? != HOST {
        return None;
    }
    let packet = Packet::of(skb, skb.member(&globals::SKB_CB)?)?;
    let header = packet.header()?;
    if !is_for_a_router(header.source, header.destination) {
        return None;
    }
    let device = packet.device()?;
    let (mut forwarding, mut force) = (-1, -1);
    if let Some(inet6_dev) = device.inet6() {
        forwarding = inet6_dev.get(&globals::CNF_FORWARDING).unwrap_or(-1);
        force = inet6_dev.get(&globals::CNF_FORCE_FORWARDING).unwrap_or(-1);
    }
    if force > 0 {
        return None;
    }
    let onward = packet.way();
    let alike = Alike {
        netns: packet.net.inum()?,
        ifindex: packet.ifindex,
        out_ifindex: onward.ifindex,
        sort: u32::from(forwarding > 0) | u32::from(onward.has_gateway) << 1,
    };
    let suppressed = TRANSIT_TOLD.pass(&alike, 0, AGAIN_NS, 1);
    if suppressed == HELD_BACK {
        return None;
    }
    let record = NOT_FORWARDED.get()?;
    record.open(FORWARD, alike.netns);
    let payload = &mut record.payload;
    packet.describe(&header, device, &onward, &mut payload.packet);
    payload.forwarding = forwarding;
    payload.force_forwarding = force;
    payload.suppressed = suppressed as u32;
    payload.reserved = 0;
    record.send(ctx, FORWARD);
    Some(())
}

/// Whether a router would take it at all: nothing that is to stay on its link, and nothing
/// that comes from nobody (`ip6_forward` tests the source further on).
#[inline(always)]
fn is_for_a_router(source: Address, destination: Address) -> bool {
    let is_nobody = source == UNSPECIFIED || source.is_loopback();
    let is_multicast = source.upper & 0xff == 0xff;
    !(is_nobody || is_multicast || source.is_link_local() || destination.is_link_local())
}
