//! A neighbour that did not answer: its timer runs, and it was asked as often as it
//! may be. The kernel tests the same right after that, and gives it up.

use aya_ebpf::{macros::map, programs::ProbeContext};
use v6trace_common::families::neighbour::{NUD_INCOMPLETE, NUD_PROBE, NeighbourSilent, TIMER};

use super::{Often, Place, Same, answer, globals, is_of_ipv6, netns, often};
use crate::{
    address::{Address, UNSPECIFIED},
    attachment::Arguments as _,
    kernel::Device,
    limit::Limit,
    output::Record,
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// Bytes from the beginning of a header to its two addresses.
const IPV6_ADDRESSES: u64 = 8;
const IPV4_ADDRESSES: u64 = 12;
/// The lower half of `::ffff:0:0`, as it is in memory.
const MAPPED: u64 = 0xffff_0000;

/// `NTF_ROUTER`: the neighbour has said that it is a router.
const ROUTER: u8 = 0x80;

/// Sorts of neighbours, which are limited by themselves, so that whoever scans a prefix
/// takes no gateway's place: gateways, by what waits for them or by what they said of
/// themselves, others that were known, and those that never answered.
const GATEWAY: u32 = 0;
const KNOWN: u32 = 1;
const OTHER: u32 = 2;

/// How often each of these is told, and how soon the same neighbour again.
const OFTEN: Often = Often {
    of_interface: 4,
    of_namespace: 16,
    again_ns: 600 * 1_000_000_000,
};

#[map]
static NEIGHBOURS_TOLD: Limit<Same> = Limit::new(4096);

#[map]
static NEIGHBOUR_PLACES_TOLD: Limit<Place> = Limit::new(4096);

#[map]
static NEIGHBOUR_SILENT: Scratch<Record<NeighbourSilent>> = Scratch::new();

/// The first four of `neigh_parms.data`: how often a neighbour is asked. The enum of
/// its indices has no name by which BTF could be asked.
#[repr(C)]
#[derive(Clone, Copy, zerocopy::FromBytes)]
struct Solicits {
    multicast: u32,
    unicast: u32,
    application: u32,
    again_multicast: u32,
}

/// `neigh_timer_handler(timer)`
#[inline(always)]
pub(super) fn timer(ctx: &ProbeContext) -> Option<()> {
    let neighbour = Pointer(ctx.number(0) - u64::from(globals::NEIGH_TIMER.load()));
    let state: u8 = neighbour.get(&globals::NEIGH_STATE)?;
    let state = u32::from(state);
    if state & (NUD_INCOMPLETE | NUD_PROBE) == 0 {
        return None;
    }
    let mut reading = Reading::new();
    let probes: u32 = reading.get(neighbour, &globals::NEIGH_PROBES);
    let parms = Pointer(reading.get(neighbour, &globals::NEIGH_PARMS));
    let solicits: Solicits = parms.member(&globals::PARMS_DATA)?.read()?;
    let multicast = if state & NUD_PROBE == 0 {
        solicits.multicast
    } else {
        solicits.again_multicast
    };
    let most = solicits.unicast + solicits.application + multicast;
    if !reading.is_complete() || probes < most {
        return None;
    }
    if !is_of_ipv6(neighbour.follow(&globals::NEIGH_TABLE)?) {
        return None;
    }
    let device = Device(neighbour.follow(&globals::NEIGH_DEV)?);
    let same = Same {
        address: neighbour.member(&globals::NEIGH_KEY)?.read()?,
        netns: netns(device)?,
        ifindex: device.ifindex()?,
    };
    let flags: u8 = neighbour.member(&globals::NEIGH_FLAGS)?.read()?;
    // It stays when a neighbour is given up.
    let lladdr: u64 = neighbour.member(&globals::NEIGH_LLADDR)?.read()?;
    let was_known = lladdr != 0;
    let waiting: u32 = neighbour.or_zero(&globals::NEIGH_WAITING);
    let (from, to) = if waiting == 0 {
        (UNSPECIFIED, UNSPECIFIED)
    } else {
        last_waiting(neighbour).unwrap_or((UNSPECIFIED, UNSPECIFIED))
    };
    let goes_beyond = to != UNSPECIFIED && to != same.address;
    let sort = if goes_beyond || flags & ROUTER != 0 {
        GATEWAY
    } else if was_known {
        KNOWN
    } else {
        OTHER
    };
    let told = (&NEIGHBOURS_TOLD, &NEIGHBOUR_PLACES_TOLD);
    let suppressed = often(told, &same, 0, sort, &OFTEN)?;
    let record = NEIGHBOUR_SILENT.get()?;
    record.open(TIMER, same.netns);
    let payload = &mut record.payload;
    payload.address = same.address.bytes();
    device.name_into(&mut payload.interface);
    payload.ifindex = same.ifindex;
    payload.lladdr = lladdr.to_ne_bytes();
    payload.lladdr_len = 0;
    if was_known {
        let length: u8 = device.0.or_zero(&globals::DEV_ADDR_LEN);
        payload.lladdr_len = length.into();
    }
    payload.nud_state = state;
    payload.ntf_flags = flags.into();
    payload.probes = probes;
    payload.ucast_solicit = solicits.unicast;
    payload.app_solicit = solicits.application;
    payload.mcast_solicit = solicits.multicast;
    payload.mcast_resolicit = solicits.again_multicast;
    payload.waiting = waiting;
    payload.waiting_for = to.bytes();
    payload.waiting_from = from.bytes();
    payload.suppressed = suppressed;
    payload.reserved = 0;
    answer::write(&same, payload);
    record.send(ctx, TIMER);
    Some(())
}

/// Where the last packet that waits comes from, and where it is to go: the kernel asks
/// on behalf of that.
#[inline(always)]
fn last_waiting(neighbour: Pointer) -> Option<(Address, Address)> {
    let skb = neighbour.follow(&globals::NEIGH_QUEUE)?;
    let head = skb.follow(&globals::SKB_HEAD)?;
    let network: u16 = skb.get(&globals::SKB_NETWORK_HEADER)?;
    let header = head.0 + u64::from(network);
    let version: u8 = Pointer(header).read()?;
    if version >> 4 == 6 {
        let addresses: [Address; 2] = Pointer(header + IPV6_ADDRESSES).read()?;
        return Some((addresses[0], addresses[1]));
    }
    let addresses: [u32; 2] = Pointer(header + IPV4_ADDRESSES).read()?;
    let mapped = |address: u32| Address {
        upper: 0,
        lower: MAPPED | u64::from(address) << 32,
    };
    Some((mapped(addresses[0]), mapped(addresses[1])))
}
