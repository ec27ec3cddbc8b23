//! The choice of an IPv4 source address for routes with an IPv6 next hop:
//! `fib_select_path`, which chooses among several next hops and then, where
//! the packet has no source yet, chooses that.
//!
//! ```text
//! enter   leaves at once unless an IPv6 next hop is possible; else remembers
//!         the arguments
//! return  no source: sends it, once a minute for each program and route, and
//!         again once the namespace's addresses have changed; one that is not
//!         the interface's own: sends it, once for each route until something
//!         changes; of routes by one next hop not too many
//! ```
//!
//! The choice itself is `fib_result_prefsrc`, but that is not the place to
//! watch: it does not know the destination, it is also asked on behalf of
//! packets that nobody sends (`fib_compute_spec_dst`, IP options), and it is
//! not asked at all where a flow leaves its VRF. When `fib_select_path`
//! returns, `flowi4.saddr` holds the outcome whichever way it went.
//!
//! Lookups in softirqs do not count: those belong to packets that are on their
//! way, and may not be for sending at all: an ICMP error also looks up the way
//! back of the packet that it is about. Where softirqs are merely held off, it
//! is a tunnel that looks up the way of its packets, whoever sent them.
//!
//! Both run for every IPv4 lookup that no cache answers. What does not concern
//! IPv6 costs five reads at the entry, seven for a default route, and at the
//! return a look into a map, or two reads where a trampoline knows the result
//! there. With several default routes, of whichever metrics, it is remembered as
//! if it did.

mod addresses;
mod route;

use aya_ebpf::{EbpfContext, helpers::bpf_get_current_comm, macros::map, programs::FExitContext};
use v6trace_common::{
    COMM_LEN, Context,
    families::source_selection::{
        self as wire, BY_GATEWAY_BITS, L3MDEV_READ, PREFIX_READ, SEVERAL_NEXT_HOPS, SourceSelection,
    },
    member::ABSENT,
};

use crate::{
    address::Address,
    attachment::{Arguments, Object},
    calls::Calls,
    context,
    kernel::Device,
    limit::{HELD_BACK, Limit},
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
};
use addresses::{UNREADABLE, source_on_device};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::source_selection_members!(members);
}

/// `AF_INET6`
const AF_INET6: u8 = 10;
/// After so many nanoseconds the same failure is reported again.
const AGAIN_NS: u64 = 60_000_000_000;
/// So many failures by one next hop are reported within that time, whichever the
/// programs and routes: whoever cares to can have as many names as lookups.
const FAILURES: u32 = 16;
/// So many borrowed sources by one next hop are reported within
/// [`BORROWED_AGAIN_NS`]: it may be that of thousands of routes.
const BORROWED: u32 = 16;
const BORROWED_AGAIN_NS: u64 = 60 * AGAIN_NS;
/// `IPPROTO_RAW`, of sockets that write IP headers themselves.
const OWN_HEADERS: u8 = 255;
/// `FLOWI_FLAG_KNOWN_NH`, of packets that have an IP header already, such as
/// those of sockets that write it themselves (`IP_HDRINCL`).
const HAS_HEADER: u8 = 0x02;

/// [`Same::what`]: the sources that one route gives, whoever sends.
const OF_ROUTE: u32 = 1;
/// [`Same::what`]: the failures by one next hop, whoever sends and by which
/// route.
const FAILURES_OF_NEXT_HOP: u32 = 2;
/// [`Same::what`]: the borrowed sources by one next hop, likewise.
const BORROWED_OF_NEXT_HOP: u32 = 3;
/// [`Same::what`]: the outcome for one program.
const OF_PROGRAM: u32 = 0;

/// A lookup between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Lookup {
    net: u64,
    result: u64,
    flow: u64,
    /// To tell the lookup from one whose return was missed.
    destination: [u8; 4],
    unused: u32,
}

/// What counts as the same: the route by what it is, since the kernel makes its
/// `fib_info` anew with every change of it, where the last one was or elsewhere.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    next_hop: Address,
    /// The program, where it counts.
    comm: [u8; COMM_LEN],
    netns: u32,
    ifindex: u32,
    prefix: u32,
    prefix_len: u32,
    table: u32,
    metric: u32,
    /// The packet's IP protocol, where it counts.
    protocol: u32,
    l3mdev: u32,
    what: u32,
    unused: u32,
}

impl Same {
    /// Makes it stand for its next hop, whichever the program and the route.
    #[inline(always)]
    fn widen(&mut self, what: u32) {
        self.comm = [0; COMM_LEN];
        self.prefix = 0;
        self.prefix_len = 0;
        self.table = 0;
        self.metric = 0;
        self.protocol = 0;
        self.what = what;
    }
}

/// Lookups in flight.
#[map]
static LOOKUPS: Calls<Lookup> = Calls::new(1024);

/// What was reported for one program.
#[map]
static SOURCES_REPORTED: Limit<Same> = Limit::new(1024);

/// What was reported of a route. Apart from the other, so that many names do
/// not push it out.
#[map]
static ROUTES_REPORTED: Limit<Same> = Limit::new(1024);

/// Too large for the stack beside the rest.
#[map]
static SOURCE_SAME: Scratch<Same> = Scratch::new();

#[map]
static SOURCE_RECORD: Scratch<Record<SourceSelection>> = Scratch::new();

programs! {
    enter: kprobe source_selection_enter, fentry source_selection_fentry;
    leave: kretprobe source_selection_return;
    leave_known: fexit source_selection_fexit;
}

/// `fib_select_path(net, res, fl4, skb)`
#[inline(always)]
fn enter<C: Arguments>(ctx: &C) {
    let result = ctx.object(1);
    if !may_be_ipv6(result) {
        return;
    }
    if context::may_be_softirq() {
        return;
    }
    let flow = ctx.object(2).pointer();
    let Some(destination) = flow.get(&globals::FLOWI4_DADDR) else {
        return;
    };
    // With a packet at hand it is an ICMP error, which gets the source
    // 192.0.0.8 where there is none, or the question of `ip route get`.
    let packet = ctx.number(3);
    if packet != 0
        || flow.get(&globals::FLOWI4_SADDR) != Some([0_u8; 4])
        || !is_for_next_hop(flow, destination, result)
    {
        // One that chose an IPv4 next hop in the end may still be there.
        LOOKUPS.end();
        return;
    }
    // A failed insertion leaves the lookup unreported.
    LOOKUPS.begin(&Lookup {
        net: ctx.number(0),
        result: result.pointer().0,
        flow: flow.0,
        destination,
        unused: 0,
    });
}

/// Whether something is to be sent to the next hop with the source that is
/// chosen here.
#[inline(always)]
fn is_for_next_hop<O: Object>(flow: Pointer, destination: [u8; 4], result: O) -> bool {
    // Without a protocol mostly only the interface is asked for, as when a group
    // is joined. (RDMA takes the source as well.) A socket that writes its
    // headers is known by its protocol when it connects, by the flag when it
    // sends.
    if let Some(0 | OWN_HEADERS) = flow.get(&globals::FLOWI4_PROTO) {
        return false;
    }
    if flow.get(&globals::FLOWI4_FLAGS).unwrap_or(0_u8) & HAS_HEADER != 0 {
        return false;
    }
    // Broadcasts go onto the link, and so do multicasts by a route that is not
    // only for them (`__mkroute_output`).
    match destination {
        [255, 255, 255, 255] => false,
        [224..=239, ..] => result.value(&globals::FIB_RESULT_PREFIXLEN) >= Some(4_u8),
        _ => true,
    }
}

/// Whether the next hop is IPv6, or is still to be chosen among several, or
/// among several default routes (`fib_select_default`).
#[inline(always)]
fn may_be_ipv6<O: Object>(result: O) -> bool {
    if is_ipv6(result) {
        return true;
    }
    if result.value(&globals::FIB_RESULT_PREFIXLEN) == Some(0_u8) {
        let table = result.next(&globals::FIB_RESULT_TABLE);
        let routes = table.and_then(|table| table.value(&globals::FIB_TABLE_NUM_DEFAULT));
        if routes > Some(1_i32) {
            return true;
        }
    }
    let Some(fib_info) = result.next(&globals::FIB_RESULT_FI) else {
        return false;
    };
    // 1 for an ordinary route, 0 for one with a nexthop object.
    match fib_info.value(&globals::FIB_INFO_NHS).unwrap_or(1i32) {
        0 => {
            // Of objects, only a group is still chosen from.
            let object = fib_info.next(&globals::FIB_INFO_NH);
            object.and_then(|object| object.value(&globals::NEXTHOP_IS_GROUP)) != Some(0u8)
        }
        next_hops => next_hops != 1,
    }
}

#[inline(always)]
fn is_ipv6<O: Object>(result: O) -> bool {
    result
        .next(&globals::FIB_RESULT_NHC)
        .and_then(|next_hop| next_hop.value(&globals::NHC_GW_FAMILY))
        == Some(AF_INET6)
}

/// The return with the result at hand: most need no look into the map.
#[inline(always)]
fn leave_known(ctx: &FExitContext) {
    if is_ipv6(ctx.object(1)) {
        leave(ctx);
    }
}

/// Return of every lookup, most of which were not remembered: an unknown call
/// is no loss here.
#[inline(always)]
fn leave<C: EbpfContext>(ctx: &C) -> Option<()> {
    let lookup = *LOOKUPS.current()?;
    // Otherwise this is the lookup of a softirq that interrupted it.
    if context::may_be_softirq() {
        return None;
    }
    LOOKUPS.end();
    if is_ipv6(Pointer(lookup.result)) {
        report(ctx, &lookup, SOURCE_RECORD.get()?, SOURCE_SAME.get()?)?;
    }
    Some(())
}

#[inline(always)]
fn report<C: EbpfContext>(
    ctx: &C,
    lookup: &Lookup,
    record: &mut Record<SourceSelection>,
    same: &mut Same,
) -> Option<()> {
    let result = Pointer(lookup.result);
    let flow = Pointer(lookup.flow);
    let mut reading = Reading::new();
    let destination: u32 = reading.get(flow, &globals::FLOWI4_DADDR);
    let source: u32 = reading.get(flow, &globals::FLOWI4_SADDR);
    let fib_info = Pointer(reading.get(result, &globals::FIB_RESULT_FI));
    let next_hop = Pointer(reading.get(result, &globals::FIB_RESULT_NHC));
    let device = Device(Pointer(reading.get(next_hop, &globals::NHC_DEV)));
    let prefsrc: u32 = reading.get(fib_info, &globals::FIB_INFO_PREFSRC);
    same.next_hop = reading.get(next_hop, &globals::NHC_GW_IPV6);
    same.comm = [0; COMM_LEN];
    same.netns = reading.get(Pointer(lookup.net), &globals::NET_INUM);
    same.ifindex = reading.get(device.0, &globals::DEV_IFINDEX);
    let mut prefix = Reading::new();
    let payload = &mut record.payload;
    payload.prefix = prefix.get(result, &globals::FIB_RESULT_PREFIX);
    payload.prefix_len = prefix.get(result, &globals::FIB_RESULT_PREFIXLEN);
    payload.table = fib_info.or_zero(&globals::FIB_INFO_TB_ID);
    payload.metric = fib_info.or_zero(&globals::FIB_INFO_PRIORITY);
    same.prefix = u32::from_ne_bytes(payload.prefix);
    same.prefix_len = payload.prefix_len.into();
    same.table = payload.table;
    same.metric = payload.metric;
    same.protocol = 0;
    same.l3mdev = flow.or_zero(&globals::FLOWI4_L3MDEV);
    same.what = OF_ROUTE;
    if !reading.is_complete() || destination != u32::from_ne_bytes(lookup.destination) {
        return None;
    }
    let protocol: u8 = flow.or_zero(&globals::FLOWI4_PROTO);
    let context = context::of_sender();

    let mut flags = 0;
    let mut remarkable = true;
    if source != 0 {
        // A nexthop object says that its address is no IPv4 one.
        let mut bits = 0;
        if let Some(Pointer(0)) = fib_info.follow(&globals::FIB_INFO_NH) {
            let [a, b, c, d, ..] = same.next_hop.bytes();
            bits = u32::from_ne_bytes([a, b, c, d]);
        }
        flags = source_on_device(device.0.0, source, bits);
        if flags == UNREADABLE {
            return None;
        }
        remarkable = (flags == 0) | (flags & BY_GATEWAY_BITS != 0) && source != prefsrc;
    }
    let suppressed = if source != 0 && remarkable {
        // It is the route's, whoever sends, and stays so until it changes.
        match ROUTES_REPORTED.pass(same, source, u64::MAX, 1) {
            HELD_BACK => HELD_BACK,
            of_route => {
                same.widen(BORROWED_OF_NEXT_HOP);
                match ROUTES_REPORTED.pass(same, source, BORROWED_AGAIN_NS, BORROWED) {
                    HELD_BACK => HELD_BACK,
                    of_next_hop => of_route + of_next_hop,
                }
            }
        }
    } else {
        // A source that is borrowed after this one is news, and so is a failure
        // after one that was.
        let was_borrowed = ROUTES_REPORTED.forget(same);
        // That an address came and is of no use is news as well.
        let generation = Pointer(lookup.net).or_zero(&globals::NET_ADDRESS_GENERATION);
        let outcome = Outcome { source, generation };
        let of_program = of_program(same, outcome, protocol, remarkable, was_borrowed, context);
        if of_program == HELD_BACK || source != 0 {
            of_program
        } else {
            same.widen(FAILURES_OF_NEXT_HOP);
            match ROUTES_REPORTED.pass(same, 0, AGAIN_NS, FAILURES) {
                HELD_BACK => HELD_BACK,
                of_next_hop => of_program + of_next_hop,
            }
        }
    };
    if suppressed == HELD_BACK {
        return None;
    }

    record.open_in(context, wire::SELECTION, same.netns);
    let payload = &mut record.payload;
    payload.suppressed = suppressed;
    payload.next_hop = same.next_hop.bytes();
    device.name_into(&mut payload.interface);
    payload.destination = destination.to_ne_bytes();
    payload.source = source.to_ne_bytes();
    payload.prefsrc = prefsrc.to_ne_bytes();
    payload.ifindex = same.ifindex;
    payload.protocol = protocol;
    payload.oif = flow.or_zero(&globals::FLOWI4_OIF);
    payload.l3mdev = same.l3mdev;
    if globals::FLOWI4_L3MDEV.load() != ABSENT {
        flags |= L3MDEV_READ;
    }
    flags |= PREFIX_READ & prefix.mask();
    let object = Pointer(fib_info.or_zero(&globals::FIB_INFO_NH));
    payload.nexthop_id = object.or_zero(&globals::NEXTHOP_ID);
    let next_hops: i32 = fib_info.or_zero(&globals::FIB_INFO_NHS);
    payload.next_hop_flags = next_hop.or_zero(&globals::NHC_FLAGS);
    payload.route_protocol = fib_info.or_zero(&globals::FIB_INFO_PROTOCOL);
    if next_hops > 1 {
        flags |= SEVERAL_NEXT_HOPS;
    }
    flags |= route::options(fib_info, next_hop, object) | route::source_route_only(lookup.result);
    payload.flags = flags;
    record.send(ctx, wire::SELECTION);
    Some(())
}

/// The outcome for one program: how often it was not reported, or [`HELD_BACK`].
#[inline(always)]
fn of_program(
    same: &mut Same,
    outcome: Outcome,
    protocol: u8,
    remarkable: bool,
    was_borrowed: bool,
    context: Context,
) -> u64 {
    if let (Context::Task, Ok(comm)) = (context, bpf_get_current_comm()) {
        same.comm = comm;
    }
    same.protocol = protocol.into();
    same.what = OF_PROGRAM;
    let silent = !remarkable && globals::EMIT_ALL.load() == 0;
    if silent || was_borrowed {
        // A failure after this is news.
        SOURCES_REPORTED.forget(same);
    }
    if silent {
        return HELD_BACK;
    }
    let Outcome { source, generation } = outcome;
    SOURCES_REPORTED.pass_while(same, source, generation, AGAIN_NS, 1)
}

/// What a lookup came to.
#[derive(Clone, Copy)]
struct Outcome {
    source: u32,
    /// Of the addresses that there were to choose from.
    generation: u32,
}
