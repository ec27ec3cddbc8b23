//! Routes that the kernel removes by itself: told by the functions of other families
//! that see them go, and see messages of neighbour discovery come.
//!
//! Many may go one after the other, so each is added to a list: of its gateway on the
//! interface, or of the nexthop objects there. A list that has not grown for a while is
//! taken out by userspace; one that grows for longer than that, or begins anew for
//! another reason, is sent from here. A list is always replaced as a whole.

use aya_ebpf::{
    EbpfContext,
    helpers::generated,
    macros::map,
    maps::{HashMap, PerCpuArray},
};
use v6trace_common::families::{
    forwarding::ROUTE_DELETE,
    route::{
        GONE_BY_MESSAGE, GONE_EXPIRED, GONE_WITH_CARRIER, GONE_WITH_DOWN, GoneRoute, ROUTES,
        RoutesGone,
    },
};

use super::globals;
use crate::{
    address::Address,
    families::address,
    kernel::{Device, Net},
    limit::{HELD_BACK, Limit, now},
    output::{self, Record},
    pointer::Pointer,
    scratch::Scratch,
};

/// `RTF_EXPIRES`: the route has a lifetime. `RTF_ADDRCONF`: the kernel made it of what a
/// router advertised.
const EXPIRES: u32 = 0x0040_0000;
const ADVERTISED: u32 = 0x0004_0000;
/// `RTN_UNICAST`: it leads somewhere.
const UNICAST: u8 = 1;
/// `RTPROT_KERNEL` and `RTPROT_RA`. The former are prefixes of links.
const KERNEL: u8 = 2;
const RA: u8 = 9;
/// ICMPv6 types of the messages that take routes away: a router advertisement with a
/// lifetime of 0, and a neighbour advertisement of a router that is one no longer.
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
/// `IFF_UP`, and the bit of `__LINK_STATE_NOCARRIER`.
const UP: u32 = 1;
const NO_CARRIER: u64 = 1 << 2;
/// How long a list may grow.
const MOST_NS: u64 = 5_000_000_000;
/// How many lists of an interface begin for one reason within so many nanoseconds.
const LISTS: u32 = 4;
const AGAIN_NS: u64 = 60_000_000_000;

/// What goes into one list: the key of records held back.
#[repr(C)]
#[derive(Clone, Copy)]
struct List {
    /// The gateway; the table of routes with nexthop objects, of which there may be many.
    to: Address,
    netns: u32,
    ifindex: u32,
}

/// Lists that begin.
#[repr(C)]
#[derive(Clone, Copy)]
struct Beginning {
    netns: u32,
    ifindex: u32,
    reason: u32,
    message: u32,
}

/// The message that was last received on this CPU.
#[repr(C)]
#[derive(Clone, Copy)]
struct Message {
    kind: u32,
    /// Of a router advertisement.
    router_lifetime: u32,
    /// The device that it came in by.
    device: u64,
    /// How many default routes it took away that are told.
    default_routes: u64,
}

/// A route, and why it goes.
#[derive(Clone, Copy)]
struct Going {
    route: Pointer,
    nexthop: Pointer,
    object: Pointer,
    device: Device,
    reason: u32,
    table: u32,
    flags: u32,
    protocol: u8,
}

#[map]
static ROUTES_GONE_HELD: HashMap<List, Record<RoutesGone>> = HashMap::with_max_entries(1024, 0);

#[map]
static ROUTES_GONE_BEGUN: Limit<Beginning> = Limit::new(1024);

/// A list in the making.
#[map]
static ROUTES_GONE: Scratch<Record<RoutesGone>> = Scratch::new();

/// A list of no routes, never written: too large to be made on the stack.
#[map]
static NO_ROUTES: PerCpuArray<Record<RoutesGone>> = PerCpuArray::with_max_entries(1, 0);

#[map]
static NEIGHBOUR_MESSAGE: Scratch<Message> = Scratch::new();

/// A message of neighbour discovery comes in, in a softirq: until it is processed, no
/// other one does on this CPU.
#[inline(always)]
pub(crate) fn message(header: [u8; 8], device: Device) {
    let [kind, _, _, _, _, _, high, low] = header;
    if matches!(kind, ROUTER_ADVERTISEMENT | NEIGHBOUR_ADVERTISEMENT)
        && let Some(message) = NEIGHBOUR_MESSAGE.get()
    {
        message.kind = kind.into();
        message.router_lifetime = u16::from_be_bytes([high, low]).into();
        message.default_routes = 0;
        message.device = device.0.0;
    }
}

/// Whether the message that is processed took a default route away, and that is told.
#[inline(always)]
pub(crate) fn default_route_went() -> bool {
    NEIGHBOUR_MESSAGE
        .get()
        .is_some_and(|message| message.default_routes > 0)
}

/// A route is removed that nobody asked to be removed over netlink, under the lock of its
/// table.
#[inline(always)]
pub(crate) fn gone<C: EbpfContext>(ctx: &C, route: Pointer, in_softirq: bool) -> Option<()> {
    let going = going(route, in_softirq)?;
    let with_object = matches!(going.reason, GONE_WITH_CARRIER | GONE_WITH_DOWN);
    let list = List {
        to: if with_object {
            Address {
                upper: 0,
                lower: going.table.into(),
            }
        } else {
            going.nexthop.get(&globals::FIB_NH_GATEWAY)?
        },
        netns: Net(going.device.0.follow(&globals::DEV_NET)?).inum()?,
        ifindex: going.device.ifindex()?,
    };
    let record = ROUTES_GONE.get()?;
    let mut is_there = read_list(&list, record);
    if is_there && !is_of(&record.payload, &going) {
        record.send(ctx, ROUTE_DELETE);
        let _ = ROUTES_GONE_HELD.remove(&list);
        is_there = false;
    }
    if !is_there {
        begin(&list, &going, record)?;
    }
    let is_default = add(&going, &mut record.payload);
    if is_default
        && going.reason == GONE_BY_MESSAGE
        && let Some(message) = NEIGHBOUR_MESSAGE.get()
    {
        message.default_routes += 1;
    }
    record.header.boot_ns = now();
    let grew = record
        .header
        .boot_ns
        .wrapping_sub(record.payload.first_boot_ns);
    if grew > MOST_NS {
        record.send(ctx, ROUTE_DELETE);
        let _ = ROUTES_GONE_HELD.remove(&list);
    } else if ROUTES_GONE_HELD.insert(&list, &*record, 0).is_err() {
        // There is no room.
        output::not_kept(ROUTE_DELETE);
    }
    Some(())
}

/// What of a route tells why it goes; `None` where that is no news.
#[inline(always)]
fn going(route: Pointer, in_softirq: bool) -> Option<Going> {
    let protocol: u8 = route.get(&globals::ROUTE_PROTOCOL)?;
    let kind: u8 = route.get(&globals::ROUTE_TYPE)?;
    let source_len: u32 = route.get(&globals::ROUTE_SOURCE_LEN)?;
    let in_table = route.follow(&globals::ROUTE_NODE).is_some_and(|n| n.0 != 0);
    if protocol == KERNEL || kind != UNICAST || source_len != 0 || !in_table {
        return None;
    }
    let object = route.follow(&globals::ROUTE_NEXTHOP)?;
    let nexthop = if object.0 == 0 {
        route.member(&globals::ROUTE_FIB_NH)?
    } else {
        of_object(object)?
    };
    let flags: u32 = route.get(&globals::ROUTE_FLAGS)?;
    let device = Device(nexthop.follow(&globals::FIB_NH_DEV)?);
    // Of one that is deleted all goes, which is no news.
    if device.0.get::<u8>(&globals::DEV_DISMANTLE)? != 0 {
        return None;
    }
    let reason = if flags & EXPIRES != 0 && has_expired(route) {
        GONE_EXPIRED
    } else if object.0 != 0 {
        with_object(device)?
    } else if protocol == RA && flags & ADVERTISED != 0 && in_softirq {
        GONE_BY_MESSAGE
    } else {
        return None;
    };
    let table = route.follow(&globals::ROUTE_TABLE).unwrap_or(Pointer(0));
    Some(Going {
        route,
        nexthop,
        object,
        device,
        reason,
        table: table.or_zero(&globals::TABLE_ID),
        flags,
        protocol,
    })
}

/// The next hop of an object, which is shared and kept elsewhere; `None` of a group, and
/// of one that rejects.
#[inline(always)]
fn of_object(object: Pointer) -> Option<Pointer> {
    let is_group: u8 = object.get(&globals::NEXTHOP_IS_GROUP)?;
    if is_group != 0 {
        return None;
    }
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
fn with_object(device: Device) -> Option<u32> {
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

/// Reads a list, where there is one.
#[inline(always)]
fn read_list(list: &List, record: &mut Record<RoutesGone>) -> bool {
    let Some(found) = ROUTES_GONE_HELD.get_ptr(list) else {
        return false;
    };
    Pointer(found as u64).read_into(bytes(record))
}

/// A record as its bytes.
#[inline(always)]
fn bytes(record: &mut Record<RoutesGone>) -> &mut [u8; size_of::<Record<RoutesGone>>()] {
    // SAFETY: so many bytes, without padding (`Record::open`), of which any are a value of
    // a header and of a payload.
    unsafe { &mut *(&raw mut *record).cast() }
}

/// Whether a list is of such routes.
#[inline(always)]
fn is_of(payload: &RoutesGone, going: &Going) -> bool {
    let table = if payload.default_count > 0 {
        payload.default_route.table
    } else {
        payload.routes[0].table
    };
    let has_lifetime = payload.router_lifetime != 0;
    payload.reason == going.reason
        && table == going.table
        && (going.reason != GONE_BY_MESSAGE
            || NEIGHBOUR_MESSAGE.get().is_some_and(|message| {
                message.kind == payload.message && (message.router_lifetime != 0) == has_lifetime
            }))
}

/// Begins a list with what the interface says, unless there were too many.
#[inline(always)]
fn begin(list: &List, going: &Going, record: &mut Record<RoutesGone>) -> Option<()> {
    let none = NO_ROUTES.get_ptr(0)?;
    Pointer(none as u64).read_into(bytes(record));
    let payload = &mut record.payload;
    if going.reason == GONE_BY_MESSAGE {
        let message = NEIGHBOUR_MESSAGE.get()?;
        payload.message = message.kind;
        payload.router_lifetime = message.router_lifetime;
        let device = Device(Pointer(message.device));
        payload.message_ifindex = device.ifindex().unwrap_or(0);
        device.name_into(&mut payload.message_interface);
    }
    let beginning = Beginning {
        netns: list.netns,
        ifindex: list.ifindex,
        reason: going.reason,
        message: payload.message,
    };
    let suppressed = ROUTES_GONE_BEGUN.pass(&beginning, 0, AGAIN_NS, LISTS);
    if suppressed == HELD_BACK {
        return None;
    }
    payload.suppressed = suppressed as u32;
    payload.reason = going.reason;
    payload.ifindex = list.ifindex;
    going.device.name_into(&mut payload.interface);
    let inet6_dev = going.device.inet6().unwrap_or(Pointer(0));
    payload.forwarding = inet6_dev.get(&globals::CNF_FORWARDING).unwrap_or(-1);
    payload.accept_ra = inet6_dev.get(&globals::CNF_ACCEPT_RA).unwrap_or(-1);
    payload.accept_ra_defrtr = inet6_dev.get(&globals::CNF_DEFRTR).unwrap_or(-1);
    record.open(ROUTE_DELETE, list.netns);
    record.payload.first_boot_ns = record.header.boot_ns;
    Some(())
}

/// Counts a route, and describes it where there is room. Whether it is a default route.
#[inline(always)]
fn add(going: &Going, payload: &mut RoutesGone) -> bool {
    payload.count += 1;
    let prefix_len: u32 = going.route.or_zero(&globals::ROUTE_PREFIX_LEN);
    if prefix_len == 0 {
        payload.default_count += 1;
        if payload.default_count == 1 {
            describe(going, &mut payload.default_route);
        }
        return true;
    }
    let index = payload.count.wrapping_sub(payload.default_count + 1) as usize;
    if index < ROUTES {
        describe(going, &mut payload.routes[index]);
        payload.routes[index].prefix_len = prefix_len;
    }
    false
}

#[inline(always)]
fn describe(going: &Going, gone: &mut GoneRoute) {
    let route = going.route;
    if let Some(destination) = route.get(&globals::ROUTE_DESTINATION) {
        gone.destination = destination;
    }
    if let Some(gateway) = going.nexthop.get(&globals::FIB_NH_GATEWAY) {
        gone.gateway = gateway;
    }
    gone.route_protocol = going.protocol.into();
    gone.table = going.table;
    gone.metric = route.or_zero(&globals::ROUTE_METRIC);
    gone.route_flags = going.flags;
    gone.nexthop_id = going.object.or_zero(&globals::NEXTHOP_ID);
}
