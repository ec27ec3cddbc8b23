//! The choice of an IPv4 source address for routes with an IPv6 next hop:
//! `fib_select_path`, which chooses among several next hops and then, where
//! the packet has no source yet, chooses that.
//!
//! ```text
//! enter   leaves at once unless an IPv6 next hop is possible; else remembers
//!         the arguments
//! return  no source, or one that is not the interface's own: sends it, once
//!         for each program and next hop until something changes
//! ```
//!
//! The choice itself is `fib_result_prefsrc`, but that is not the place to
//! watch: it does not know the destination, it is also asked on behalf of
//! packets that nobody sends (`fib_compute_spec_dst`, IP options), and it is
//! not asked at all where a flow leaves its VRF. When `fib_select_path`
//! returns, `flowi4.saddr` holds the outcome whichever way it went.
//!
//! Lookups count only where softirqs are not held off: those are a socket's own,
//! for something that it is about to send. Others belong to packets that are on
//! their way, and may not be for sending at all: an ICMP error also looks up the
//! way back of the packet that it is about.
//!
//! Both run for every IPv4 lookup that no cache answers. What does not concern
//! IPv6 costs four reads at the entry and at the return a look into a map, or
//! two reads where a trampoline knows the result there.

use aya_ebpf::{
    EbpfContext,
    helpers::{bpf_get_current_comm, bpf_get_current_pid_tgid, bpf_ktime_get_boot_ns},
    macros::{fentry, fexit, kprobe, kretprobe, map},
    maps::{LruHashMap, PerCpuArray},
    programs::{FEntryContext, FExitContext, ProbeContext, RetProbeContext},
};
use v6trace_common::{
    COMM_LEN, Hook, Kind, SourceSelection,
    source_selection::{L3MDEV_READ, MORE_ADDRESSES, ON_INTERFACE, PREFIX_READ, SEVERAL_NEXT_HOPS},
};

use crate::{
    context, globals,
    kernel::{Device, Net, Pointer},
    output::Record,
    ways::{Arguments, Object},
};

/// `AF_INET6`
const AF_INET6: u8 = 10;
/// Addresses of an interface that are compared with the source.
const ADDRESSES: u32 = 64;
/// After so many nanoseconds the same is reported again.
const AGAIN_NS: u64 = 60_000_000_000;

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

/// What counts as the same.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    fib_info: u64,
    next_hop: [u8; 16],
    comm: [u8; COMM_LEN],
    netns: u32,
    ifindex: u32,
    protocol: u32,
    unused: u32,
}

/// The last report of the same.
#[repr(C)]
#[derive(Clone, Copy)]
struct Last {
    boot_ns: u64,
    suppressed: u64,
    source: [u8; 4],
    unused: u32,
}

/// Lookups in flight, by thread.
#[map]
static LOOKUPS: LruHashMap<u64, Lookup> = LruHashMap::with_max_entries(1024, 0);

#[map]
static SOURCES_REPORTED: LruHashMap<Same, Last> = LruHashMap::with_max_entries(1024, 0);

#[map]
static SOURCE_RECORD: PerCpuArray<Record<SourceSelection>> = PerCpuArray::with_max_entries(1, 0);

/// `fib_select_path(net, res, fl4, skb)`
#[kprobe]
fn source_selection_enter(ctx: ProbeContext) -> u32 {
    enter(&ctx);
    0
}

#[fentry]
fn source_selection_fentry(ctx: FEntryContext) -> i32 {
    enter(&ctx);
    0
}

#[inline(always)]
fn enter<C: Arguments>(ctx: &C) {
    let result = ctx.object(1);
    if !may_be_ipv6(result) {
        return;
    }
    if !context::at_ease() {
        return;
    }
    let thread = bpf_get_current_pid_tgid();
    let flow = ctx.object(2).pointer();
    // With a packet at hand it is an ICMP error, which gets the source
    // 192.0.0.8 where there is none, or the question of `ip route get`.
    let packet = ctx.number(3);
    if packet != 0 || flow.get(&globals::FLOWI4_SADDR) != Some([0_u8; 4]) {
        // One that chose an IPv4 next hop in the end may still be there.
        let _ = LOOKUPS.remove(thread);
        return;
    }
    let Some(destination) = flow.get(&globals::FLOWI4_DADDR) else {
        return;
    };
    let lookup = Lookup {
        net: ctx.number(0),
        result: result.pointer().0,
        flow: flow.0,
        destination,
        unused: 0,
    };
    // A failed insertion leaves the lookup unreported.
    let _ = LOOKUPS.insert(thread, lookup, 0);
}

/// Whether the next hop is IPv6, or is still to be chosen among several.
/// Several default routes of one metric are not looked through: of those, the
/// first decides.
#[inline(always)]
fn may_be_ipv6<O: Object>(result: O) -> bool {
    if is_ipv6(result) {
        return true;
    }
    // 1 for an ordinary route, 0 for one with a nexthop object.
    result
        .next(&globals::FIB_RESULT_FI)
        .and_then(|fib_info| fib_info.value(&globals::FIB_INFO_NHS))
        .is_some_and(|next_hops: i32| next_hops != 1)
}

#[inline(always)]
fn is_ipv6<O: Object>(result: O) -> bool {
    result
        .next(&globals::FIB_RESULT_NHC)
        .and_then(|next_hop| next_hop.value(&globals::NHC_GW_FAMILY))
        == Some(AF_INET6)
}

/// Return of every lookup, most of which were not remembered: an unknown call
/// is no loss here.
#[kretprobe]
fn source_selection_return(ctx: RetProbeContext) -> u32 {
    leave(&ctx);
    0
}

/// The same, with the result at hand: most need no look into the map.
#[fexit]
fn source_selection_fexit(ctx: FExitContext) -> i32 {
    if is_ipv6(ctx.object(1)) {
        leave(&ctx);
    }
    0
}

#[inline(always)]
fn leave<C: EbpfContext>(ctx: &C) {
    let thread = bpf_get_current_pid_tgid();
    let Some(lookup) = LOOKUPS.get_ptr(thread) else {
        return;
    };
    // SAFETY: a pointer to a map value, checked for null.
    let lookup = unsafe { *lookup };
    // Otherwise this is the lookup of a softirq that interrupted it.
    if !context::at_ease() {
        return;
    }
    let _ = LOOKUPS.remove(thread);
    if is_ipv6(Pointer(lookup.result))
        && let Some(record) = SOURCE_RECORD.get_ptr_mut(0)
    {
        // SAFETY: a pointer to this CPU's value, checked for null; no other
        // program runs on this CPU until this one ends.
        let record = unsafe { &mut *record };
        report(ctx, &lookup, record);
    }
}

#[inline(always)]
fn report<C: EbpfContext>(
    ctx: &C,
    lookup: &Lookup,
    record: &mut Record<SourceSelection>,
) -> Option<()> {
    let result = Pointer(lookup.result);
    let flow = Pointer(lookup.flow);
    let destination: [u8; 4] = flow.get(&globals::FLOWI4_DADDR)?;
    if u32::from_ne_bytes(destination) != u32::from_ne_bytes(lookup.destination) {
        return None;
    }
    let source: [u8; 4] = flow.get(&globals::FLOWI4_SADDR)?;
    let next_hop = result.follow(&globals::FIB_RESULT_NHC)?;
    let fib_info = result.follow(&globals::FIB_RESULT_FI)?;
    let device = Device(next_hop.follow(&globals::NHC_DEV)?);
    let prefsrc: [u8; 4] = fib_info.get(&globals::FIB_INFO_PREFSRC)?;
    let mut flags = 0;
    let mut remarkable = true;
    if u32::from_ne_bytes(source) != 0 {
        flags = on_interface(device, source)?;
        remarkable = flags == 0 && u32::from_ne_bytes(source) != u32::from_ne_bytes(prefsrc);
    }
    let mut same = Same {
        fib_info: fib_info.0,
        next_hop: next_hop.get(&globals::NHC_GW_IPV6)?,
        comm: [0; COMM_LEN],
        netns: Net(Pointer(lookup.net)).inum()?,
        ifindex: device.ifindex()?,
        protocol: u32::from(flow.get(&globals::FLOWI4_PROTO).unwrap_or(0u8)),
        unused: 0,
    };
    if let Ok(comm) = bpf_get_current_comm() {
        same.comm = comm;
    }
    if !remarkable && globals::EMIT_ALL.load() == 0 {
        // What comes next is news.
        let _ = SOURCES_REPORTED.remove(same);
        return None;
    }
    let suppressed = is_news(&same, source)?;

    record.open(Kind::SourceSelection, Hook::SourceSelection, same.netns);
    let payload = &mut record.payload;
    payload.suppressed = suppressed;
    payload.next_hop = same.next_hop;
    payload.interface = device.name();
    payload.destination = destination;
    payload.source = source;
    payload.prefsrc = prefsrc;
    payload.ifindex = same.ifindex;
    payload.protocol = same.protocol as u8;
    payload.oif = flow.get(&globals::FLOWI4_OIF).unwrap_or(0);
    payload.l3mdev = 0;
    if let Some(l3mdev) = flow.get(&globals::FLOWI4_L3MDEV) {
        payload.l3mdev = l3mdev;
        flags |= L3MDEV_READ;
    }
    payload.prefix = [0; 4];
    payload.prefix_len = 0;
    if let Some(prefix) = result.get(&globals::FIB_RESULT_PREFIX)
        && let Some(length) = result.get(&globals::FIB_RESULT_PREFIXLEN)
    {
        payload.prefix = prefix;
        payload.prefix_len = length;
        flags |= PREFIX_READ;
    }
    payload.table = fib_info.get(&globals::FIB_INFO_TB_ID).unwrap_or(0);
    payload.metric = fib_info.get(&globals::FIB_INFO_PRIORITY).unwrap_or(0);
    payload.nexthop_id = fib_info
        .follow(&globals::FIB_INFO_NH)
        .and_then(|object| object.get(&globals::NEXTHOP_ID))
        .unwrap_or(0);
    if fib_info.get(&globals::FIB_INFO_NHS).unwrap_or(1i32) > 1 {
        flags |= SEVERAL_NEXT_HOPS;
    }
    payload.next_hop_flags = next_hop.get(&globals::NHC_FLAGS).unwrap_or(0);
    payload.flags = flags;
    payload.unused = 0;
    record.send(ctx, Hook::SourceSelection);
    Some(())
}

/// Whether the device has the address, as flags; 0 where it has not.
#[inline(always)]
fn on_interface(device: Device, address: [u8; 4]) -> Option<u32> {
    let in_device = device.0.follow(&globals::DEV_IP_PTR)?;
    if in_device.0 == 0 {
        return Some(0);
    }
    let mut entry = in_device.follow(&globals::IN_DEVICE_IFA_LIST)?;
    for _ in 0..ADDRESSES {
        if entry.0 == 0 {
            return Some(0);
        }
        let local: [u8; 4] = entry.get(&globals::IFADDR_LOCAL)?;
        if u32::from_ne_bytes(local) == u32::from_ne_bytes(address) {
            return Some(ON_INTERFACE);
        }
        entry = entry.follow(&globals::IFADDR_NEXT)?;
    }
    Some(MORE_ADDRESSES)
}

/// Notes the outcome. `None` where the same was reported lately; else how
/// often it was not reported since it last was.
#[inline(always)]
fn is_news(same: &Same, source: [u8; 4]) -> Option<u64> {
    // SAFETY: the helper takes nothing and returns a number.
    let boot_ns = unsafe { bpf_ktime_get_boot_ns() };
    let mut suppressed = 0;
    if let Some(last) = SOURCES_REPORTED.get_ptr_mut(same) {
        // SAFETY: a pointer to a map value, checked for null. Other CPUs may
        // count at the same time; a lost count is all that comes of it.
        let last = unsafe { &mut *last };
        if u32::from_ne_bytes(last.source) == u32::from_ne_bytes(source) {
            if boot_ns.wrapping_sub(last.boot_ns) < AGAIN_NS {
                last.suppressed += 1;
                return None;
            }
            suppressed = last.suppressed;
        }
    }
    let last = Last {
        boot_ns,
        suppressed: 0,
        source,
        unused: 0,
    };
    let _ = SOURCES_REPORTED.insert(same, last, 0);
    Some(suppressed)
}
