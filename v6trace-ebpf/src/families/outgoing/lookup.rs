//! A socket's lookup of a route and a source (`ip6_dst_lookup_flow`): what it
//! asked for, and what gave the error.

use aya_ebpf::{
    EbpfContext,
    macros::map,
    programs::{FExitContext, ProbeContext, RetProbeContext},
};
use v6trace_common::{
    Context, INTERFACE_NAME_LEN,
    families::outgoing::{
        self as wire, ALL_DISABLE_READ, ASKED_ABSENT, ASKED_DISABLE_READ, ASKED_FOUND,
        ASKED_HAS_INET6, ASKED_INET6_READ, ASKED_MTU_READ, CONNECT, CUSTOM_RULES,
        CUSTOM_RULES_READ, NO_ROUTE, OutgoingLookup, RULE_REJECTS, SEND, VRF_READ, WAY_OUT,
    },
    member::ABSENT,
};

use super::{
    globals,
    often::{self, NO_ROUTE_OF_ITS_OWN, SUBNET},
    route::{REJECTIONS, Rejection},
};
use crate::{
    address::{Address, UNSPECIFIED},
    attachment::{self, Arguments, Object},
    calls::Calls,
    context,
    devices::{self, Found},
    kernel::{Device, Net},
    output::Record,
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// Arguments of `ip6_dst_lookup_flow(net, sk, fl6, final_dst)`.
const ARGUMENTS: usize = 4;
/// `-MAX_ERRNO`: what is not below is an error.
const ERRORS: u64 = -4095i64 as u64;

/// `SOCK_STREAM`
const STREAM: u16 = 1;
/// `TCP_CLOSE`: neither connected nor about to be.
const CLOSED: u8 = 7;
/// `IPPROTO_DCCP` and `IPPROTO_SCTP`, which look up several ways and take one.
const DCCP: u16 = 33;
const SCTP: u16 = 132;
/// `RTF_GATEWAY` and `RTF_LOCAL` of `rt6_info.rt6i_flags`.
const BY_GATEWAY: u32 = 0x2;
const LOCAL: u32 = 0x8000_0000;

/// A lookup between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Lookup {
    net: u64,
    sock: u64,
    flow: u64,
}

/// Lookups in flight.
#[map]
static OUTGOING_LOOKUPS: Calls<Lookup> = Calls::new(1024);

#[map]
static OUTGOING_RECORD: Scratch<Record<OutgoingLookup>> = Scratch::new();

#[inline(always)]
pub(super) fn enter(ctx: &ProbeContext) {
    // A failed insertion leaves the lookup unreported.
    OUTGOING_LOOKUPS.begin(&Lookup {
        net: ctx.number(0),
        sock: ctx.number(1),
        flow: ctx.number(2),
    });
}

#[inline(always)]
pub(super) fn leave(ctx: &RetProbeContext) -> Option<()> {
    let lookup = OUTGOING_LOOKUPS.take()?;
    let result: u64 = ctx.ret();
    if result < ERRORS && !is_in_doubt(Pointer(lookup.flow)) {
        return None;
    }
    report(ctx, lookup, result)
}

/// The same with the arguments at hand.
#[inline(always)]
pub(super) fn leave_known(ctx: &FExitContext) -> Option<()> {
    let result = attachment::result(ctx, ARGUMENTS);
    let flow = ctx.object(2);
    if result < ERRORS && !is_in_doubt(flow) {
        return None;
    }
    let lookup = Lookup {
        net: attachment::plain(ctx.number(0))?,
        sock: attachment::plain(ctx.number(1))?,
        flow: attachment::plain(flow.pointer().0)?,
    };
    report(ctx, lookup, attachment::plain(result)?)
}

/// Whether the source that was chosen may be one that is of no use beyond the link.
#[inline(always)]
fn is_in_doubt<O: Object>(flow: O) -> bool {
    let upper: u64 = flow.value(&globals::FLOWI6_SADDR).unwrap_or(u64::MAX);
    let source = Address { upper, lower: 0 };
    (upper == 0) | source.is_link_local()
}

/// `operation`, or `None` where no process waits for the answer.
#[inline(always)]
fn operation(sock: Pointer, kind: u16, destination: Address) -> Option<u32> {
    let mut reading = Reading::new();
    let state: u8 = reading.get(sock, &globals::SOCK_STATE);
    let protocol: u16 = reading.get(sock, &globals::SOCK_PROTOCOL);
    if !reading.is_complete() || matches!(protocol, DCCP | SCTP) {
        return None;
    }
    // A datagram socket has its peer before it is connected.
    let peer = Address::of(sock.or_zero(&globals::SOCK_PEER));
    if kind == STREAM {
        return (state == CLOSED).then_some(CONNECT);
    }
    let connects = state == CLOSED && peer == destination;
    Some(if connects { CONNECT } else { SEND })
}

/// Whether the source is what the program had the socket bound to: of one that is
/// connected it may be the kernel's own choice.
#[inline(always)]
fn is_bound_to(sock: Pointer, source: Address) -> bool {
    let state: u8 = sock.or_zero(&globals::SOCK_STATE);
    let own = Address::of(sock.or_zero(&globals::SOCK_OWN));
    (state == CLOSED) & (own == source) & (own != UNSPECIFIED)
}

#[inline(always)]
fn report<C: EbpfContext>(ctx: &C, lookup: Lookup, result: u64) -> Option<()> {
    let failed = result >= ERRORS;
    if lookup.sock == 0 || context::of_sender() != Context::Task {
        return None;
    }
    // Of none that rejects, the thread's last one is no news. A softirq in between
    // leaves it to the thread that it interrupts.
    let rejection = REJECTIONS.take();
    let ret = if failed { result as i32 } else { 0 };
    let (net, sock, flow) = (
        Net(Pointer(lookup.net)),
        Pointer(lookup.sock),
        Pointer(lookup.flow),
    );
    let mut reading = Reading::new();
    let destination: Address = reading.get(flow, &globals::FLOWI6_DADDR);
    let source: Address = reading.get(flow, &globals::FLOWI6_SADDR);
    let kind: u16 = reading.get(sock, &globals::SOCK_TYPE);
    let protocol: u16 = reading.get(sock, &globals::SOCK_PROTOCOL);
    let bound: u32 = reading.get(sock, &globals::SOCK_BOUND);
    let netns: u32 = reading.get(net.0, &globals::NET_INUM);
    if !reading.is_complete() {
        return None;
    }
    let oif: u32 = flow.or_zero(&globals::FLOW_OIF);
    let operation = operation(sock, kind, destination)?;
    let way = if failed {
        NO_WAY
    } else {
        doubtful_way(Pointer(result), source, destination)?
    };
    // Of a lookup that ended otherwise, it is not the route.
    let rejection = rejection.filter(|rejection| rejection.error == ret);
    let asked = if bound != 0 { bound } else { oif };

    let same = often::same()?;
    same.prefix = destination.prefix(SUBNET);
    same.netns = netns;
    same.ret = ret;
    same.operation = operation;
    same.protocol = protocol.into();
    same.asked = asked;
    same.prefix_len = NO_ROUTE_OF_ITS_OWN;
    if let Some(rejection) = &rejection
        && rejection.found != 0
    {
        same.prefix = rejection.prefix;
        same.prefix_len = rejection.prefix_len;
    }
    let chosen = is_bound_to(sock, source);
    let answer = often::answer(kind, operation, source, chosen, destination);
    let suppressed = same.suppressed(net.0, answer)?;

    let record = OUTGOING_RECORD.get()?;
    record.open_in(Context::Task, wire::LOOKUP, netns);
    let payload = &mut record.payload;
    payload.destination = destination.bytes();
    payload.source = source.bytes();
    payload.ret = ret;
    payload.operation = operation;
    payload.socket_type = kind.into();
    payload.protocol = protocol.into();
    payload.port = u32::from(u16::from_be(flow.or_zero(&globals::FLOWI6_DPORT)));
    payload.asked = asked;
    payload.mark = flow.or_zero(&globals::FLOWI6_MARK);
    payload.l3mdev = flow.or_zero(&globals::FLOWI6_L3MDEV);
    payload.suppressed = suppressed;
    payload.found = 0;
    if globals::FLOWI6_L3MDEV.load() != ABSENT {
        payload.found |= VRF_READ;
    }
    rejected(net.0, rejection, payload);
    host(net.0, payload);
    asked_for(net, payload);
    way_out(way, payload);
    record.send(ctx, wire::LOOKUP);
    Some(())
}

/// A way that was found.
struct Way {
    device: Device,
    gateway: Address,
}

const NO_WAY: Way = Way {
    device: Device(Pointer(0)),
    gateway: UNSPECIFIED,
};

/// The way out, where no answer to the source comes back by it: routers forward
/// none to a link-local address, and nobody takes a packet from `::1`.
#[inline(always)]
fn doubtful_way(dst: Pointer, source: Address, destination: Address) -> Option<Way> {
    let mut reading = Reading::new();
    let flags: u32 = reading.get(dst, &globals::RT6_FLAGS);
    let way = Way {
        device: Device(Pointer(reading.get(dst, &globals::DST_DEV))),
        gateway: reading.get(dst, &globals::RT6_GATEWAY),
    };
    // Multicasts and what is on the link, or on this host, are answered.
    let near = destination.is_link_local()
        | (destination.upper == 0)
        | (u64::from_be(destination.upper) >> 56 == 0xff)
        | (flags & LOCAL != 0);
    let by_router = flags & BY_GATEWAY != 0;
    let is_doubtful = source.is_loopback() | (source.is_link_local() & by_router);
    (reading.is_complete() & !near & is_doubtful).then_some(way)
}

#[inline(always)]
fn way_out(way: Way, payload: &mut OutgoingLookup) {
    payload.gateway = way.gateway.bytes();
    payload.ifindex = 0;
    if way.device.0.0 != 0 {
        payload.ifindex = way.device.ifindex().unwrap_or(0);
        way.device.name_into(&mut payload.interface);
        payload.found |= WAY_OUT;
    }
}

/// Which route, or rule, it was.
#[inline(always)]
fn rejected(net: Pointer, rejection: Option<Rejection>, payload: &mut OutgoingLookup) {
    payload.prefix = [0; 16];
    payload.prefix_len = 0;
    payload.route_type = 0;
    payload.route_protocol = 0;
    payload.table = 0;
    payload.metric = 0;
    let Some(rejection) = rejection else {
        return;
    };
    let none: u64 = net.or_zero(&globals::NET_NULL_ENTRY);
    let prohibit: u64 = net.or_zero(&globals::NET_PROHIBIT_ENTRY);
    let blackhole: u64 = net.or_zero(&globals::NET_BLACKHOLE_ENTRY);
    if rejection.dst == none {
        payload.found |= NO_ROUTE;
    } else if rejection.dst == prohibit || rejection.dst == blackhole {
        payload.found |= RULE_REJECTS;
    } else {
        payload.prefix = rejection.prefix.bytes();
        payload.prefix_len = rejection.prefix_len;
        payload.route_type = rejection.kind.into();
        payload.route_protocol = rejection.protocol.into();
        payload.table = rejection.table;
        payload.metric = rejection.metric;
        payload.found |= rejection.found;
    }
}

/// What the namespace says.
#[inline(always)]
fn host(net: Pointer, payload: &mut OutgoingLookup) {
    let (custom, read) = net.flagged::<u8>(&globals::NET_CUSTOM_RULES, CUSTOM_RULES_READ);
    payload.found |= read;
    if custom != 0 {
        payload.found |= CUSTOM_RULES;
    }
    let all = Pointer(net.or_zero(&globals::NET_DEVCONF_ALL));
    let (disabled, read) = all.flagged(&globals::DEVCONF_DISABLE_IPV6, ALL_DISABLE_READ);
    payload.all_disable_ipv6 = disabled;
    payload.found |= read;
}

/// What the interface that was asked for says.
#[inline(always)]
fn asked_for(net: Net, payload: &mut OutgoingLookup) {
    payload.interface = [0; INTERFACE_NAME_LEN];
    payload.mtu = 0;
    payload.disable_ipv6 = 0;
    if payload.asked == 0 {
        return;
    }
    let device = match devices::find(net, payload.asked) {
        Found::At(device) => device,
        Found::Nowhere => {
            payload.found |= ASKED_ABSENT;
            return;
        }
        Found::Unknown => return,
    };
    payload.found |= ASKED_FOUND;
    device.name_into(&mut payload.interface);
    let (mtu, read) = device.0.flagged(&globals::DEV_MTU, ASKED_MTU_READ);
    payload.mtu = mtu;
    payload.found |= read;
    let Some(inet6_dev) = device.0.follow(&globals::DEV_IP6_PTR) else {
        return;
    };
    payload.found |= ASKED_INET6_READ;
    if inet6_dev.0 == 0 {
        return;
    }
    payload.found |= ASKED_HAS_INET6;
    let own = inet6_dev.member(&globals::INET6_DEV_CNF);
    let own = own.unwrap_or(Pointer(0));
    let (disabled, read) = own.flagged(&globals::DEVCONF_DISABLE_IPV6, ASKED_DISABLE_READ);
    payload.disable_ipv6 = disabled;
    payload.found |= read;
}
