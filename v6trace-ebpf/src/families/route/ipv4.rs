//! Routes of IPv4 by way of an IPv6 gateway that the kernel removes by itself: it has
//! marked what they share as dead.

use v6trace_common::families::route::{CHANGE4, GONE_SOURCE, IPV4};

use super::{
    globals,
    gone::{UNICAST, of_object, with_object},
    list::{self, Going},
};
use crate::{
    address::{Address, UNSPECIFIED},
    attachment::{self, Arguments},
    kernel::Device,
    pointer::Pointer,
};

/// `AF_INET6`, of a gateway.
const INET6: u8 = 10;
/// `RTNH_F_DEAD`, of what routes share and of a next hop.
const DEAD: u32 = 1;
const HOP_DEAD: u8 = 1;

/// `call_fib4_notifiers(net, event_type, info)`: a routing daemon has thousands of routes
/// changed a second, and marks none as dead.
#[inline(always)]
pub(super) fn changed<A: Arguments>(ctx: &A) -> Option<()> {
    if ctx.number(1) as u32 != globals::FIB_ENTRY_GONE.load() {
        return None;
    }
    let entry = Pointer(attachment::plain(ctx.number(2))?);
    let shared = entry.follow(&globals::FIB_ENTRY_INFO)?;
    let flags: u32 = shared.get(&globals::FIB_INFO_FLAGS)?;
    let kind: u8 = entry.get(&globals::FIB_ENTRY_TYPE)?;
    if flags & DEAD == 0 || kind != UNICAST {
        return None;
    }
    let object = shared.follow(&globals::FIB_INFO_NH)?;
    // Either begins with what next hops of both protocols have in common.
    let (hop, member_id) = if object.0 == 0 {
        (shared.member(&globals::FIB_INFO_HOP)?, 0)
    } else {
        of_object(object)?
    };
    let device = Device(hop.follow(&globals::NHC_DEV)?);
    if hop.get::<u8>(&globals::NHC_GW_FAMILY)? != INET6
        || device.0.get::<u8>(&globals::DEV_DISMANTLE)? != 0
    {
        return None;
    }
    let prefsrc: u32 = shared.get(&globals::FIB_INFO_PREFSRC)?;
    let hop_flags: u8 = hop.get(&globals::NHC_FLAGS)?;
    let (reason, source) = if object.0 != 0 {
        (with_object(device)?, UNSPECIFIED)
    } else if prefsrc != 0 && hop_flags & HOP_DEAD == 0 {
        (GONE_SOURCE, mapped(prefsrc))
    } else {
        // Its interface went down, as everybody can see.
        return None;
    };
    let hops: Option<u32> = shared.get(&globals::FIB_INFO_NHS);
    let destination: u32 = entry.get(&globals::FIB_ENTRY_DESTINATION)?;
    let going = Going {
        destination: mapped(destination.to_be()),
        gateway: hop.get(&globals::NHC_GW_IPV6)?,
        source,
        device,
        reason,
        family: IPV4,
        table: entry.or_zero(&globals::FIB_ENTRY_TABLE),
        metric: shared.or_zero(&globals::FIB_INFO_PRIORITY),
        nexthop_id: object.or_zero(&globals::NEXTHOP_ID),
        member_id,
        prefix_len: entry.get(&globals::FIB_ENTRY_LEN)?,
        flags: 0,
        // Where it is not known it is not taken for the only one.
        siblings: hops.unwrap_or(0).wrapping_sub(1),
        protocol: shared.get(&globals::FIB_INFO_PROTOCOL)?,
    };
    list::note(ctx, CHANGE4, &going)
}

/// An address of IPv4, in the order of the network, as `::ffff:0:0/96`.
#[inline(always)]
fn mapped(address: u32) -> Address {
    Address {
        upper: 0,
        lower: u64::from(0xffff_0000_u32) | u64::from(address) << 32,
    }
}
