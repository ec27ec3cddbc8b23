//! The table of neighbours is full.
//!
//! What finds it below its limit succeeds, or fails for want of memory: only what
//! finds it full is remembered until the return.

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, bpf_get_smp_processor_id},
    macros::map,
    maps::LruHashMap,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::{
    Context, INTERFACE_NAME_LEN,
    families::neighbour::{CREATE, NeighbourTableFull},
};

use super::{Often, Place, globals, is_of_ipv6, netns, suppressed};
use crate::{
    address::Address,
    attachment::Arguments as _,
    context,
    kernel::Device,
    limit::{HELD_BACK, Limit},
    output::Record,
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// `-ENOBUFS`
const NO_BUFFERS: i64 = -105;

/// The first byte of a group's address. The kernel itself sends to groups all the time,
/// which is told by itself.
const MULTICAST: u8 = 0xff;
const NODE: u32 = 0;
const GROUP: u32 = 1;

/// A full table is told so often.
const OFTEN: Often = Often {
    of_interface: 1,
    of_namespace: 4,
    again_ns: 60_000_000_000,
};

/// All namespaces have one table: of the whole host it is told no more often.
const OF_HOST: u32 = 4;

/// A call of `___neigh_create(tbl, pkey, dev, …)`: what is to be told of it, since what
/// its arguments point to may be gone by the return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    table: u64,
    address: Address,
    name: [u8; INTERFACE_NAME_LEN],
    netns: u32,
    ifindex: u32,
}

/// Calls in flight that found the table full.
#[map]
static NEIGHBOURS_IN_FLIGHT: LruHashMap<u64, Call> = LruHashMap::with_max_entries(1024, 0);

#[map]
static NEIGHBOUR_TABLE_TOLD: Limit<Place> = Limit::new(1024);

#[map]
static NEIGHBOUR_TABLE_FULL: Scratch<Record<NeighbourTableFull>> = Scratch::new();

#[inline(always)]
pub(super) fn asked(ctx: &ProbeContext) -> Option<()> {
    let table = ctx.object(0);
    if !is_of_ipv6(table) || !is_full(table) {
        return None;
    }
    let device = Device(ctx.object(2));
    let call = Call {
        table: table.0,
        address: ctx.object(1).read()?,
        name: device.name(),
        netns: netns(device)?,
        ifindex: device.ifindex()?,
    };
    // What cannot be remembered is not told; the next one is.
    let _ = NEIGHBOURS_IN_FLIGHT.insert(&caller(), &call, 0);
    Some(())
}

#[inline(always)]
pub(super) fn answered(ctx: &RetProbeContext) -> Option<()> {
    let result: u64 = ctx.ret();
    let caller = caller();
    // SAFETY: copied at once; only the caller that is its key works on it.
    let call = unsafe { NEIGHBOURS_IN_FLIGHT.get(&caller).copied() }?;
    // Whatever came of it: it says nothing of the next one.
    let _ = NEIGHBOURS_IN_FLIGHT.remove(&caller);
    let table = Pointer(call.table);
    // Whatever takes entries away meanwhile makes room; then another reason is
    // possible.
    if result as i64 != NO_BUFFERS || !is_full(table) {
        return None;
    }
    let first = call.address.bytes()[0];
    let place = Place {
        netns: call.netns,
        ifindex: call.ifindex,
        sort: if first == MULTICAST { GROUP } else { NODE },
    };
    let of_place = suppressed(&NEIGHBOUR_TABLE_TOLD, place, &OFTEN)?;
    let host = Place {
        netns: 0,
        ifindex: 0,
        ..place
    };
    let of_host = NEIGHBOUR_TABLE_TOLD.pass(&host, 0, OFTEN.again_ns, OF_HOST);
    if of_host == HELD_BACK {
        return None;
    }
    let suppressed = of_place + of_host as u32;
    let record = NEIGHBOUR_TABLE_FULL.get()?;
    record.open(CREATE, place.netns);
    let payload = &mut record.payload;
    payload.address = call.address.bytes();
    payload.interface = call.name;
    payload.ifindex = place.ifindex;
    payload.ret = NO_BUFFERS as i32;
    payload.entries = table.or_zero(&globals::TABLE_ENTRIES);
    payload.gc_thresh1 = table.or_zero(&globals::TABLE_THRESH1);
    payload.gc_thresh2 = table.or_zero(&globals::TABLE_THRESH2);
    payload.gc_thresh3 = table.or_zero(&globals::TABLE_THRESH3);
    payload.suppressed = suppressed;
    payload.reserved = 0;
    record.send(ctx, CREATE);
    Some(())
}

/// Whether no further entry is made unless others can be taken away.
#[inline(always)]
fn is_full(table: Pointer) -> bool {
    let mut reading = Reading::new();
    let entries: i32 = reading.get(table, &globals::TABLE_ENTRIES);
    let most: i32 = reading.get(table, &globals::TABLE_THRESH3);
    reading.is_complete() && entries >= most
}

/// Who calls: a thread, or the softirq of a CPU, which may interrupt any.
#[inline(always)]
fn caller() -> u64 {
    const OF_SOFTIRQ: u64 = 1 << 63;
    if context::current() == Context::Softirq {
        // SAFETY: a helper without arguments that returns a number.
        OF_SOFTIRQ | u64::from(unsafe { bpf_get_smp_processor_id() })
    } else {
        bpf_get_current_pid_tgid()
    }
}
