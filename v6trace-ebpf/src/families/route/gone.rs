//! Routes of IPv6 that the kernel removes by itself, and those that lose their source, or
//! one of several next hops: told by the functions that see them go. (Messages of neighbour
//! discovery take routes away as well: `message`.)

use aya_ebpf::{
    EbpfContext,
    helpers::generated,
    macros::map,
    programs::{FExitContext, ProbeContext},
};
use v6trace_common::families::{
    forwarding::ROUTE_DELETE,
    route::{
        GONE_BY_MESSAGE, GONE_EXPIRED, GONE_HOP, GONE_SOURCE, GONE_WITH_CARRIER, GONE_WITH_DOWN,
        IPV6, LINK, SOURCE,
    },
};

use super::{
    globals,
    list::{self, Going},
};
use crate::{
    address::{Address, UNSPECIFIED},
    attachment::{self, Arguments, Object as _},
    families::address,
    kernel::Device,
    pointer::Pointer,
    scratch::Scratch,
};

/// `RTF_EXPIRES`: the route has a lifetime. `RTF_ADDRCONF`: the kernel made it of what a
/// router advertised.
const EXPIRES: u32 = 0x0040_0000;
const ADVERTISED: u32 = 0x0004_0000;
/// `RTN_UNICAST`: it leads somewhere.
pub(super) const UNICAST: u8 = 1;
/// `RTPROT_KERNEL` and `RTPROT_RA`. The former are prefixes of links.
const KERNEL: u8 = 2;
const RA: u8 = 9;
/// `IFF_UP`, and the bit of `__LINK_STATE_NOCARRIER`.
const UP: u32 = 1;
const NO_CARRIER: u64 = 1 << 2;
/// `RTNH_F_LINKDOWN`
const LINK_DOWN: u8 = 16;

/// The route that may lose its source on this CPU, 0 for none.
#[map]
static ROUTE_WITH_SOURCE: Scratch<u64> = Scratch::new();

/// A route is removed that nobody asked to be removed over netlink, under the lock of its
/// table.
#[inline(always)]
pub(crate) fn gone<C: EbpfContext>(ctx: &C, route: Pointer, in_softirq: bool) -> Option<()> {
    let (mut going, object) = going(route)?;
    going.reason = if going.flags & EXPIRES != 0 && has_expired(route) {
        GONE_EXPIRED
    } else if object.0 != 0 {
        with_object(going.device)?
    } else if going.protocol == RA && going.flags & ADVERTISED != 0 && in_softirq {
        GONE_BY_MESSAGE
    } else {
        return None;
    };
    list::note(ctx, ROUTE_DELETE, &going)
}

/// `fib6_remove_prefsrc(rt, arg)`, of every route, under the lock of its table and with
/// softirqs held off. The return does not know its route: what a missed one has left is not
/// to be taken for that.
#[inline(always)]
pub(super) fn losing_source(ctx: &ProbeContext) -> Option<()> {
    *ROUTE_WITH_SOURCE.get()? = 0;
    losing_source_at_once(ctx)
}

/// The same where the return knows it: what has no source, as most have not, leaves at once.
#[inline(always)]
pub(super) fn losing_source_at_once<A: Arguments>(ctx: &A) -> Option<()> {
    let len: u32 = ctx.object(0).value(&globals::ROUTE_PREFSRC_LEN)?;
    if len == 0 {
        return None;
    }
    *ROUTE_WITH_SOURCE.get()? = attachment::plain(ctx.number(0))?;
    Some(())
}

/// The same where the route is at hand: of one that has never had a source.
#[inline(always)]
pub(super) fn source_lost_at_once(ctx: &FExitContext) -> Option<()> {
    let source: Address = ctx.object(0).value(&globals::ROUTE_PREFSRC)?;
    if source == UNSPECIFIED {
        return None;
    }
    source_lost(ctx)
}

/// The kernel leaves the address where it was, and takes its length.
#[inline(always)]
pub(super) fn source_lost<C: EbpfContext>(ctx: &C) -> Option<()> {
    let slot = ROUTE_WITH_SOURCE.get()?;
    let route = Pointer(*slot);
    *slot = 0;
    if route.0 == 0 || route.get::<u32>(&globals::ROUTE_PREFSRC_LEN)? != 0 {
        return None;
    }
    let (mut going, _) = going(route)?;
    going.reason = GONE_SOURCE;
    going.source = route.get(&globals::ROUTE_PREFSRC)?;
    list::note(ctx, SOURCE, &going)
}

/// `fib6_ifdown(rt, arg)`, of every route, under the lock of its table: what has one next
/// hop alone, as most have, leaves at once.
#[inline(always)]
pub(super) fn losing_link<A: Arguments>(ctx: &A) -> Option<()> {
    let siblings: u32 = ctx.object(0).value(&globals::ROUTE_SIBLINGS)?;
    if siblings == 0 {
        return None;
    }
    let told = Pointer(attachment::plain(ctx.number(1))?);
    let event: u64 = told.get(&globals::EVENT)?;
    let device = told.follow(&globals::EVENT_DEV)?;
    if event != u64::from(globals::LINK_CHANGES.load()) {
        return None;
    }
    let route = Pointer(attachment::plain(ctx.number(0))?);
    let (mut going, object) = going(route)?;
    let hop = route.member(&globals::ROUTE_FIB_NH)?;
    let state: u64 = going.device.0.get(&globals::DEV_STATE)?;
    // It is told again and again, as long as the interface changes.
    if object.0 != 0
        || going.device.0.0 != device.0
        || state & NO_CARRIER == 0
        || hop.get::<u8>(&globals::FIB_NH_FLAGS)? & LINK_DOWN != 0
    {
        return None;
    }
    going.reason = GONE_HOP;
    list::note(ctx, LINK, &going)
}

/// A route that leads somewhere, and its nexthop object; `None` where that it goes is no
/// news.
#[inline(always)]
fn going(route: Pointer) -> Option<(Going, Pointer)> {
    let protocol: u8 = route.get(&globals::ROUTE_PROTOCOL)?;
    let kind: u8 = route.get(&globals::ROUTE_TYPE)?;
    let source_len: u32 = route.get(&globals::ROUTE_SOURCE_LEN)?;
    let in_table = route.follow(&globals::ROUTE_NODE).is_some_and(|n| n.0 != 0);
    if protocol == KERNEL || kind != UNICAST || source_len != 0 || !in_table {
        return None;
    }
    let object = route.follow(&globals::ROUTE_NEXTHOP)?;
    let (nexthop, member_id) = if object.0 == 0 {
        (route.member(&globals::ROUTE_FIB_NH)?, 0)
    } else {
        of_object(object)?
    };
    let device = Device(nexthop.follow(&globals::FIB_NH_DEV)?);
    // Of one that is deleted all goes, which is no news.
    if device.0.get::<u8>(&globals::DEV_DISMANTLE)? != 0 {
        return None;
    }
    let table = route.follow(&globals::ROUTE_TABLE).unwrap_or(Pointer(0));
    let going = Going {
        destination: route.get(&globals::ROUTE_DESTINATION)?,
        gateway: nexthop.get(&globals::FIB_NH_GATEWAY)?,
        source: UNSPECIFIED,
        device,
        reason: 0,
        family: IPV6,
        table: table.or_zero(&globals::TABLE_ID),
        metric: route.or_zero(&globals::ROUTE_METRIC),
        nexthop_id: object.or_zero(&globals::NEXTHOP_ID),
        member_id,
        prefix_len: route.or_zero(&globals::ROUTE_PREFIX_LEN),
        flags: route.get(&globals::ROUTE_FLAGS)?,
        siblings: route.get(&globals::ROUTE_SIBLINGS).unwrap_or(u32::MAX),
        protocol,
    };
    Some((going, object))
}

/// The next hop of an object, which is shared and kept elsewhere; of a group that of its
/// last, which stays in it until the group has gone, and the number of that. `None` of a
/// group with several, and of one that rejects.
#[inline(always)]
pub(super) fn of_object(object: Pointer) -> Option<(Pointer, u32)> {
    let is_group: u8 = object.get(&globals::NEXTHOP_IS_GROUP)?;
    if is_group == 0 {
        return Some((next_hop(object)?, 0));
    }
    let group = object.follow(&globals::NEXTHOP_GROUP)?;
    if group.get::<u16>(&globals::GROUP_COUNT)? != 1 {
        return None;
    }
    let entry = group.member(&globals::GROUP_ENTRIES)?;
    let last = entry.follow(&globals::GROUP_ENTRY_NEXTHOP)?;
    Some((next_hop(last)?, last.get(&globals::NEXTHOP_ID)?))
}

/// That of an object that is no group.
#[inline(always)]
fn next_hop(object: Pointer) -> Option<Pointer> {
    let info = object.follow(&globals::NEXTHOP_INFO)?;
    let rejects: u8 = info.get(&globals::NEXTHOP_REJECTS)?;
    if rejects != 0 {
        return None;
    }
    info.member(&globals::NEXTHOP_FIB_NH)
}

/// Why an object goes that nobody deletes: the kernel takes it from an interface that is
/// set down or has no carrier. One that moves to another namespace is down as well, and
/// nobody has set it so.
#[inline(always)]
pub(super) fn with_object(device: Device) -> Option<u32> {
    let flags: u32 = device.0.get(&globals::DEV_FLAGS)?;
    let state: u64 = device.0.get(&globals::DEV_STATE)?;
    if flags & UP == 0 {
        address::is_set_down(device).then_some(GONE_WITH_DOWN)
    } else if state & NO_CARRIER != 0 {
        Some(GONE_WITH_CARRIER)
    } else {
        None
    }
}

/// Whether its lifetime has run out: `fib6_age`'s own test.
#[inline(always)]
fn has_expired(route: Pointer) -> bool {
    let expires: u64 = route.or_zero(&globals::ROUTE_EXPIRES);
    // SAFETY: a helper without arguments that returns a number.
    let jiffies = unsafe { generated::bpf_jiffies64() };
    expires != 0 && (expires.wrapping_sub(jiffies) as i64) < 0
}
