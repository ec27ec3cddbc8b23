//! What a join charges to its socket's option memory, as `sock_kmalloc`
//! compares it, and how often anything was charged.
//!
//! ```text
//! kprobe  before the charge: a join of this thread is in flight  -> into it
//! fexit   after it: the charge has a join's size and failed (with --events:
//!         or not)                                      -> CHARGES[this CPU]
//! ```
//!
//! The join that a charge belongs to returns right after it failed, and picks
//! it up; where it was moved to another CPU in between, it does without.

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, bpf_get_smp_processor_id},
    macros::map,
    maps::Array,
    programs::{FExitContext, ProbeContext},
};
use v6trace_common::{
    families::multicast_join::{CHARGE_SEEN, LIMIT_OF_NETNS, LIMIT_READ, OMEM_READ},
    member::ABSENT,
};

use super::JOINS;
use super::globals;
use crate::{
    attachment::{self, Arguments as _, Object},
    pointer::Pointer,
    programs::programs,
    scratch::Scratch,
};

/// Arguments of `sock_kmalloc(sk, size, priority)`.
const ARGUMENTS: usize = 3;
/// Counters of changes: sockets share them.
const COUNTERS: u32 = 1024;

/// A counter has the CPU that counted last above these bits.
const COUNT_BITS: u32 = 48;
const COUNT: u64 = (1 << COUNT_BITS) - 1;

/// What was, or is to be, compared with the limit.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Charge {
    pub(super) size: u32,
    pub(super) sk_omem_alloc: i32,
    pub(super) optmem_max: i32,
    /// Which of them were read: `CHARGE_SEEN` and its neighbours.
    pub(super) flags: u32,
}

/// A charge and whose it is.
#[repr(C)]
struct Owned {
    thread: u64,
    /// 0 once it has been picked up.
    sock: u64,
    charge: Charge,
}

/// The last charge on this CPU that may be a join's.
#[map]
static CHARGES: Scratch<Owned> = Scratch::new();

/// How often memory was charged to sockets.
#[map]
static CHANGES: Array<u64> = Array::with_max_entries(COUNTERS, 0);

programs! {
    charge: kprobe option_memory_charge;
    charged: fexit option_memory_charged;
}

/// `sock_kmalloc`, before the charge.
#[inline(always)]
fn charge(ctx: &ProbeContext) {
    let sock = ctx.object(0);
    if let Some(join) = JOINS.current()
        && join.sock == sock.0
    {
        join.charge = Charge::NONE;
        join.charge.size = ctx.number(1) as u32;
        join.charge.flags = CHARGE_SEEN;
        join.charge.read(sock);
        return;
    }
    changed(sock.0);
}

/// `sock_kmalloc`, after the charge.
#[inline(always)]
fn charged(ctx: &FExitContext) -> Option<()> {
    let size = ctx.number(1) as u32;
    let sock = ctx.object(0);
    let refused = attachment::result(ctx, ARGUMENTS) == 0;
    if !refused {
        if let Some(address) = attachment::plain(sock.pointer().0) {
            changed(address);
        }
        if globals::EMIT_ALL.load() == 0 {
            return None;
        }
    }
    if size != globals::MC_SIZE.load() {
        return None;
    }
    let slot = CHARGES.get()?;
    slot.thread = bpf_get_current_pid_tgid();
    slot.sock = sock.pointer().0;
    slot.charge = Charge::NONE;
    slot.charge.size = size;
    slot.charge.flags = CHARGE_SEEN;
    slot.charge.read(sock);
    if !refused {
        slot.charge.sk_omem_alloc -= size as i32;
    }
    Some(())
}

/// Takes what was charged for the calling thread's join on a socket.
#[inline(always)]
pub(super) fn take(sock: u64) -> Option<Charge> {
    let slot = CHARGES.get()?;
    if slot.thread != bpf_get_current_pid_tgid() || slot.sock != sock {
        return None;
    }
    slot.sock = 0;
    Some(slot.charge)
}

/// Notes that a socket's memory, and so its memberships, may have grown.
#[inline(always)]
pub(super) fn changed(sock: u64) {
    if let Some(counter) = CHANGES.get_ptr_mut(counter_of(sock)) {
        // SAFETY: the helper takes nothing and returns a number.
        let cpu = unsafe { bpf_get_smp_processor_id() };
        // SAFETY: a map value, checked for null. Two CPUs may write at the
        // same time; that each leaves its own mark shows the later one.
        unsafe {
            let count = (counter.read_volatile() & COUNT) + 1;
            counter.write_volatile(u64::from(cpu) << COUNT_BITS | count & COUNT);
        }
    }
}

/// A number that changes whenever memory is charged to the socket.
#[inline(always)]
pub(super) fn changes(sock: u64) -> u64 {
    CHANGES.get(counter_of(sock)).map_or(0, |counter| {
        // SAFETY: a reference is valid for reads.
        unsafe { (&raw const *counter).read_volatile() }
    })
}

#[inline(always)]
fn counter_of(sock: u64) -> u32 {
    (sock >> 6) as u32 & (COUNTERS - 1)
}

impl Charge {
    pub(super) const NONE: Self = Self {
        size: 0,
        sk_omem_alloc: 0,
        optmem_max: 0,
        flags: 0,
    };

    /// What can still be told at the return of a join that returned `ret`.
    #[inline(always)]
    pub(super) fn afterwards<O: Object>(sock: O, ret: i32) -> Self {
        let size = globals::MC_SIZE.load();
        let mut charge = Self::NONE;
        charge.read(sock);
        if size != ABSENT {
            charge.size = size;
            if ret == 0 {
                charge.sk_omem_alloc -= size as i32;
            }
        }
        charge
    }

    /// Reads the memory in use and its limit, as `sock_kmalloc` compares them.
    #[inline(always)]
    fn read<O: Object>(&mut self, sock: O) {
        if let Some(omem) = sock.value(&globals::SOCK_OMEM_ALLOC) {
            self.sk_omem_alloc = omem;
            self.flags |= OMEM_READ;
        }
        if globals::NET_OPTMEM_MAX.load() != ABSENT {
            if let Some(limit) = sock
                .next(&globals::SOCK_NET)
                .and_then(|net| net.value(&globals::NET_OPTMEM_MAX))
            {
                self.optmem_max = limit;
                self.flags |= LIMIT_READ | LIMIT_OF_NETNS;
            }
        } else if globals::OPTMEM_MAX.load() != 0
            && let Some(limit) = Pointer(globals::OPTMEM_MAX.load()).read()
        {
            self.optmem_max = limit;
            self.flags |= LIMIT_READ;
        }
    }
}
