//! Lists of routes that go.
//!
//! Many may go one after the other, so each is added to a list: of its gateway on the
//! interface, of the nexthop objects there, of the source that goes, or of the hops there
//! that are marked. A list that has
//! not grown for a while is taken out by userspace; one that grows for longer than that,
//! or begins anew for another reason, is sent from here. A list is always replaced as a
//! whole.

use aya_ebpf::{
    EbpfContext,
    macros::map,
    maps::{HashMap, PerCpuArray},
};
use v6trace_common::{
    Hook,
    families::route::{
        GONE_BY_MESSAGE, GONE_HOP, GONE_SOURCE, GONE_WITH_CARRIER, GONE_WITH_DOWN, GoneRoute, IPV4,
        ROUTES, RoutesGone,
    },
};

use super::{globals, message};
use crate::{
    address::Address,
    kernel::{Device, Net},
    limit::{HELD_BACK, Limit, now},
    output::{self, Record},
    pointer::Pointer,
    scratch::Scratch,
};

/// How long a list may grow.
const MOST_NS: u64 = 5_000_000_000;
/// How many lists of an interface begin for one reason within so many nanoseconds.
const LISTS: u32 = 4;
const AGAIN_NS: u64 = 60_000_000_000;

/// A route, and why it goes.
#[derive(Clone, Copy)]
pub(super) struct Going {
    pub(super) destination: Address,
    pub(super) gateway: Address,
    /// Of one whose source goes.
    pub(super) source: Address,
    pub(super) device: Device,
    pub(super) reason: u32,
    pub(super) family: u32,
    pub(super) table: u32,
    pub(super) metric: u32,
    pub(super) nexthop_id: u32,
    /// Where that is a group.
    pub(super) member_id: u32,
    pub(super) prefix_len: u32,
    pub(super) flags: u32,
    pub(super) siblings: u32,
    pub(super) protocol: u8,
}

/// What goes into one list: the key of records held back.
#[repr(C)]
#[derive(Clone, Copy)]
struct List {
    /// The gateway; the source that goes; the protocol and the table of routes with
    /// nexthop objects, or with one of several next hops, of which there may be many.
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

#[map]
static ROUTES_GONE_HELD: HashMap<List, Record<RoutesGone>> = HashMap::with_max_entries(1024, 0);

#[map]
static ROUTES_GONE_BEGUN: Limit<Beginning> = Limit::new(1024);

/// A list in the making, of routes of IPv6.
#[map]
static ROUTES_GONE: Scratch<Record<RoutesGone>> = Scratch::new();

/// The same of IPv4, which go while softirqs may take routes of IPv6.
#[map]
static ROUTES_GONE4: Scratch<Record<RoutesGone>> = Scratch::new();

/// A list of no routes, never written: too large to be made on the stack.
#[map]
static NO_ROUTES: PerCpuArray<Record<RoutesGone>> = PerCpuArray::with_max_entries(1, 0);

/// Adds a route to its list, which may begin with it.
#[inline(always)]
pub(super) fn note<C: EbpfContext>(ctx: &C, hook: Hook, going: &Going) -> Option<()> {
    let list = List {
        to: match going.reason {
            GONE_WITH_CARRIER | GONE_WITH_DOWN | GONE_HOP => Address {
                upper: going.family.into(),
                lower: going.table.into(),
            },
            GONE_SOURCE => going.source,
            _ => going.gateway,
        },
        netns: Net(going.device.0.follow(&globals::DEV_NET)?).inum()?,
        ifindex: going.device.ifindex()?,
    };
    let record = match going.family {
        IPV4 => ROUTES_GONE4.get()?,
        _ => ROUTES_GONE.get()?,
    };
    let mut is_there = read(&list, record);
    if is_there && !is_of(&record.payload, going) {
        record.send(ctx, hook);
        let _ = ROUTES_GONE_HELD.remove(&list);
        is_there = false;
    }
    if !is_there {
        begin(hook, &list, going, record)?;
    }
    let is_default = add(going, &mut record.payload);
    if is_default
        && going.reason == GONE_BY_MESSAGE
        && let Some(message) = message::current()
    {
        message.default_routes += 1;
    }
    record.header.boot_ns = now();
    let grew = record
        .header
        .boot_ns
        .wrapping_sub(record.payload.first_boot_ns);
    if grew > MOST_NS {
        record.send(ctx, hook);
        let _ = ROUTES_GONE_HELD.remove(&list);
    } else if ROUTES_GONE_HELD.insert(&list, &*record, 0).is_err() {
        // There is no room.
        output::not_kept(hook);
    }
    Some(())
}

/// Reads a list, where there is one.
#[inline(always)]
fn read(list: &List, record: &mut Record<RoutesGone>) -> bool {
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
        && payload.family == going.family
        && table == going.table
        && (going.reason != GONE_BY_MESSAGE
            || message::current().is_some_and(|message| {
                message.kind == payload.message && (message.router_lifetime != 0) == has_lifetime
            }))
}

/// Begins a list with what the interface says, unless there were too many.
#[inline(always)]
fn begin(hook: Hook, list: &List, going: &Going, record: &mut Record<RoutesGone>) -> Option<()> {
    let none = NO_ROUTES.get_ptr(0)?;
    Pointer(none as u64).read_into(bytes(record));
    let payload = &mut record.payload;
    if going.reason == GONE_BY_MESSAGE {
        let message = message::current()?;
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
    payload.family = going.family;
    payload.source = going.source.bytes();
    payload.ifindex = list.ifindex;
    going.device.name_into(&mut payload.interface);
    let inet6_dev = going.device.inet6().unwrap_or(Pointer(0));
    payload.forwarding = inet6_dev.get(&globals::CNF_FORWARDING).unwrap_or(-1);
    payload.accept_ra = inet6_dev.get(&globals::CNF_ACCEPT_RA).unwrap_or(-1);
    payload.accept_ra_defrtr = inet6_dev.get(&globals::CNF_DEFRTR).unwrap_or(-1);
    payload.ignore_linkdown = inet6_dev.get(&globals::CNF_IGNORE_LINKDOWN).unwrap_or(-1);
    record.open(hook, list.netns);
    record.payload.first_boot_ns = record.header.boot_ns;
    Some(())
}

/// Counts a route, and describes it where there is room. Whether it is a default route.
#[inline(always)]
fn add(going: &Going, payload: &mut RoutesGone) -> bool {
    payload.count += 1;
    if going.prefix_len == 0 {
        payload.default_count += 1;
        if payload.default_count == 1 {
            describe(going, &mut payload.default_route);
        }
        return true;
    }
    let index = payload.count.wrapping_sub(payload.default_count + 1) as usize;
    if index < ROUTES {
        describe(going, &mut payload.routes[index]);
    }
    false
}

#[inline(always)]
fn describe(going: &Going, gone: &mut GoneRoute) {
    gone.destination = going.destination.bytes();
    gone.gateway = going.gateway.bytes();
    gone.prefix_len = going.prefix_len;
    gone.route_protocol = going.protocol.into();
    gone.table = going.table;
    gone.metric = going.metric;
    gone.route_flags = going.flags;
    gone.nexthop_id = going.nexthop_id;
    gone.siblings = going.siblings;
    gone.member_id = going.member_id;
}
