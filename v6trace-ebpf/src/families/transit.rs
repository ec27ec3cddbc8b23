//! Packets for other hosts that are not passed on: `ip6_forward` asks first whether
//! conf.all forwards, and from 6.17 on whether the interface does so without it.
//!
//! ```text
//! conf.all forwards             nothing: all that a router pays for
//! nobody addressed this host    nothing: it was flooded, and a router drops it as well
//! the interface forwards        nothing
//! else                          a record, once in a while for each way
//! ```

use aya_ebpf::macros::map;
use v6trace_common::families::transit::{FORWARD, NotForwarded};

use crate::{
    address::{Address, UNSPECIFIED},
    attachment::{self, Arguments, Object as _},
    devices::{self, Found},
    kernel::{Device, Net},
    limit::{HELD_BACK, Limit},
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::transit_members!(members);
}

/// `PACKET_HOST`: it was sent to this host's address on the link.
const HOST: u32 = 0;
/// Of `sk_buff._skb_refdst`: no reference is held (`SKB_DST_NOREF`).
const NO_REFERENCE: u64 = 1;
/// `RTF_GATEWAY`
const GATEWAY: u32 = 2;
/// `ARPHRD_ETHER`
const ETHERNET: u16 = 1;
/// An Ethernet header, and where in it the sender's address is.
const ETHERNET_HEADER: u16 = 14;
const ETHERNET_SOURCE: u64 = 6;

/// How soon packets that take the same way are told again.
const AGAIN_NS: u64 = 3600 * 1_000_000_000;

/// The way of a packet.
#[repr(C)]
#[derive(Clone, Copy)]
struct Way {
    netns: u32,
    ifindex: u32,
    out_ifindex: u32,
    /// Which sort of packet: with a gateway, or by an interface that has `forwarding`, it
    /// is told otherwise.
    sort: u32,
}

#[map]
static TRANSIT_TOLD: Limit<Way> = Limit::new(1024);

#[map]
static NOT_FORWARDED: Scratch<Record<NotForwarded>> = Scratch::new();

programs! {
    forward: kprobe forward_enter, fentry forward_fentry;
}

/// `struct ipv6hdr`
#[repr(C)]
#[derive(Clone, Copy, zerocopy::FromBytes)]
struct Header {
    version: u32,
    payload_len: [u8; 2],
    next_header: u8,
    hop_limit: u8,
    source: Address,
    destination: Address,
}

/// `ip6_forward(skb)`
#[inline(always)]
fn forward<A: Arguments>(ctx: &A) -> Option<()> {
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
    let mut reading = Reading::new();
    let near = Device(Pointer(reading.get(skb, &globals::SKB_DEV)));
    let net = Net(Pointer(reading.get(near.0, &globals::DEV_NET)));
    let head: u64 = reading.get(skb, &globals::SKB_HEAD);
    let network: u16 = reading.get(skb, &globals::SKB_NETWORK_HEADER);
    let parm = skb.member(&globals::SKB_CB)?;
    let ifindex: u32 = reading.get(parm, &globals::SKB_PARM_IIF);
    if !reading.is_complete() {
        return None;
    }
    let header: Header = Pointer(head + u64::from(network)).read()?;
    if !is_for_a_router(header.source, header.destination) {
        return None;
    }
    // In a VRF the packet has the VRF's interface by now.
    let device = if near.ifindex()? == ifindex {
        near
    } else {
        match devices::find(net, ifindex) {
            Found::At(device) => device,
            Found::Nowhere | Found::Unknown => return None,
        }
    };
    let (mut forwarding, mut force) = (-1, -1);
    if let Some(inet6_dev) = device.inet6() {
        forwarding = inet6_dev.get(&globals::CNF_FORWARDING).unwrap_or(-1);
        force = inet6_dev.get(&globals::CNF_FORCE_FORWARDING).unwrap_or(-1);
    }
    if force > 0 {
        return None;
    }
    let dst: u64 = skb.or_zero(&globals::SKB_DST);
    let dst = Pointer(dst & !NO_REFERENCE);
    let mut route = Reading::new();
    let out = Device(Pointer(route.get(dst, &globals::DST_DEV)));
    let flags: u32 = route.get(dst, &globals::RT6_FLAGS);
    let gateway: Address = route.get(dst, &globals::RT6_GATEWAY);
    let out_ifindex: u32 = route.get(out.0, &globals::DEV_IFINDEX);
    let is_known = route.is_complete();
    let has_gateway = is_known && flags & GATEWAY != 0;
    let way = Way {
        netns: net.inum()?,
        ifindex,
        out_ifindex: if is_known { out_ifindex } else { 0 },
        sort: u32::from(forwarding > 0) | u32::from(has_gateway) << 1,
    };
    let suppressed = TRANSIT_TOLD.pass(&way, 0, AGAIN_NS, 1);
    if suppressed == HELD_BACK {
        return None;
    }
    let record = NOT_FORWARDED.get()?;
    record.open(FORWARD, way.netns);
    let payload = &mut record.payload;
    payload.source = header.source.bytes();
    payload.destination = header.destination.bytes();
    let gateway = if has_gateway { gateway } else { UNSPECIFIED };
    payload.gateway = gateway.bytes();
    device.name_into(&mut payload.interface);
    out.name_into(&mut payload.out_interface);
    let sender = sender(skb, head, network, device).unwrap_or(0);
    payload.lladdr = sender.to_ne_bytes();
    payload.lladdr_len = if sender == 0 { 0 } else { 6 };
    payload.ifindex = ifindex;
    payload.out_ifindex = way.out_ifindex;
    payload.forwarding = forwarding;
    payload.force_forwarding = force;
    payload.length = skb.or_zero(&globals::SKB_LEN);
    payload.hop_limit = header.hop_limit.into();
    payload.next_header = header.next_header.into();
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

/// Who put it on the link, where that is Ethernet: six bytes, as they are in memory.
#[inline(always)]
fn sender(skb: Pointer, head: u64, network: u16, device: Device) -> Option<u64> {
    let kind: u16 = device.0.get(&globals::DEV_TYPE)?;
    let mac: u16 = skb.get(&globals::SKB_MAC_HEADER)?;
    if kind != ETHERNET || network.wrapping_sub(mac) != ETHERNET_HEADER {
        return None;
    }
    let sender: [u8; 6] = Pointer(head + u64::from(mac) + ETHERNET_SOURCE).read()?;
    let [a, b, c, d, e, f] = sender;
    Some(u64::from_ne_bytes([a, b, c, d, e, f, 0, 0]))
}
