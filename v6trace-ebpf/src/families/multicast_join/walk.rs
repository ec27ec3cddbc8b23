//! The walk over a socket's memberships: how many there are, how many of them
//! are on interfaces that are gone, which one is in the way.
//!
//! A socket that is full stays full, and its owner may try again and again. So
//! the result of a walk is kept, and holds for the next failure as long as
//! nothing has been charged to the socket since, nothing freed, and no device
//! of the namespace has come or gone.

use core::{ffi::c_void, mem::MaybeUninit};

use aya_ebpf::{
    EbpfContext,
    helpers::generated,
    macros::map,
    maps::{PerCpuArray, ProgramArray},
    programs::{FExitContext, ProbeContext},
};
use v6trace_common::{
    families::multicast_join::{
        self as wire, CHARGE_SEEN, DEVICES_READ, MulticastJoin, SAME_GROUP_FOUND, WALK_COMPLETE,
        WALKED,
    },
    member::ABSENT,
};

use super::globals;
use super::{EADDRINUSE, ENOMEM, JOIN_RECORD, charge};
use crate::{
    address::Address,
    attachment::Object,
    devices::Found,
    kernel::{Device, Net, bucket_offset},
    output::Record,
    pointer::{Pointer, Value},
    programs::programs,
    scratch::Scratch,
    search::search,
    volatile::Volatile,
};

/// Steps of the walk in one program run; a run is repeated up to 33 times, the
/// kernel's limit of tail calls.
const STEPS: u32 = 80;
/// Devices of one hash bucket that are looked at for the device of a request.
const BUCKET_DEVICES: u32 = 64;
/// Walks that each CPU keeps, by the socket's address.
const KEPT: u32 = 16;

/// Where the walk stands.
#[repr(C)]
pub(super) struct Walk {
    /// The next membership, 0 at the end.
    membership: Volatile<u64>,
    /// Memberships met so far.
    memberships: Volatile<u32>,
    /// Those among them whose device is gone.
    stale: Volatile<u32>,
    /// The namespace's device table, 0 where devices are of no interest.
    buckets: Volatile<u64>,
    /// The next device that may be the last membership's, 0 where that is
    /// decided.
    node: Volatile<u64>,
    /// The device that is the one, 0 until it is found.
    found: Volatile<u64>,
    /// The interface index whose device is looked for.
    ifindex: Volatile<u32>,
    /// Not 0: nothing is left to do.
    done: Volatile<u32>,
    /// Not 0: something could not be read.
    failed: Volatile<u64>,
    /// The bits of an interface index in which a membership must equal the
    /// request to be in its way: none where any interface will do.
    compared: Volatile<u32>,
    unused: u32,
    /// When the result will hold again; of socket 0 where it will not.
    state: State,
}

/// What a walk's result depends on.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    sock: u64,
    /// How often memory was charged.
    changes: u64,
    /// The memory in use: less once a membership has gone.
    sk_omem_alloc: i32,
    /// `net.dev_base_seq`, which changes with every device that comes or goes.
    devices: u32,
}

/// The result of a walk.
#[repr(C)]
struct Kept {
    state: State,
    memberships: u32,
    stale: u32,
    /// `WALK_COMPLETE` or nothing.
    flags: u32,
    unused: u32,
}

#[map]
pub(super) static JOIN_WALK: Scratch<Walk> = Scratch::new();

#[map]
static JOIN_WALKS_KEPT: PerCpuArray<Kept> = PerCpuArray::with_max_entries(KEPT, 0);

/// The walk as a kretprobe goes on.
#[map]
pub(super) static RETURN_CONTINUATIONS: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// The walk as an fexit program goes on.
#[map]
pub(super) static EXIT_CONTINUATIONS: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// Sets the walk to the first membership, where memberships matter and are not
/// known from another time.
#[inline(always)]
pub(super) fn start<O: Object>(
    walk: &mut Walk,
    sock: u64,
    net: Option<Net<O>>,
    payload: &mut MulticastJoin,
) {
    walk.memberships.set(0);
    walk.stale.set(0);
    walk.node.set(0);
    walk.done.set(1);
    walk.state.sock = 0;
    if payload.ret != ENOMEM && payload.ret != EADDRINUSE {
        return;
    }
    let any = payload.requested_ifindex == 0;
    walk.compared.set(if any { 0 } else { u32::MAX });
    // Which of them are stale is of interest where they fill the memory.
    walk.buckets.set(0);
    if payload.ret == ENOMEM && payload.flags & DEVICES_READ != 0 {
        if recall(walk, sock, net, payload) {
            return;
        }
        if let Some(buckets) = net.and_then(Net::device_buckets) {
            walk.buckets.set(buckets.0);
        }
    }
    let offsets = [&globals::MC_IFINDEX, &globals::MC_NEXT, &globals::MC_ADDR];
    let known = offsets.iter().all(|offset| offset.load() != ABSENT);
    let (true, Some(first)) = (known, memberships(Pointer(sock))) else {
        return;
    };
    payload.flags |= WALKED;
    walk.membership.set(first.0);
    walk.done.set(0);
}

/// Takes the result of an earlier walk, if it still holds. Without the charge
/// seen, nobody may be counting the changes.
#[inline(always)]
fn recall<O: Object>(
    walk: &mut Walk,
    sock: u64,
    net: Option<Net<O>>,
    payload: &mut MulticastJoin,
) -> bool {
    if payload.flags & CHARGE_SEEN == 0 {
        return false;
    }
    let Some(devices) = net.and_then(|net| net.0.value(&globals::NET_DEV_BASE_SEQ)) else {
        return false;
    };
    walk.state = State {
        sock,
        changes: charge::changes(sock),
        sk_omem_alloc: payload.sk_omem_alloc,
        devices,
    };
    let Some(kept) = JOIN_WALKS_KEPT.get_ptr(slot(&walk.state)) else {
        return false;
    };
    // SAFETY: a slot of this CPU alone, checked for null; see `attachment`.
    let kept = unsafe { &*kept };
    if kept.state != walk.state {
        return false;
    }
    walk.state.sock = 0;
    walk.memberships.set(kept.memberships);
    walk.stale.set(kept.stale);
    payload.flags |= WALKED | kept.flags;
    true
}

/// The newest of a socket's `ipv6_mc_socklist` entries, null without any.
#[inline(always)]
pub(super) fn memberships(sock: Pointer) -> Option<Pointer> {
    sock.follow(&globals::INET_SOCK_PINET6)?
        .follow(&globals::PINFO_MC_LIST)
}

/// Keeps the result for the next time.
#[inline(always)]
fn keep(walk: &Walk, payload: &MulticastJoin) {
    if walk.state.sock == 0 {
        return;
    }
    if let Some(kept) = JOIN_WALKS_KEPT.get_ptr_mut(slot(&walk.state)) {
        // SAFETY: a slot of this CPU alone, checked for null; see `attachment`.
        let kept = unsafe { &mut *kept };
        kept.state = walk.state;
        kept.memberships = walk.memberships.get();
        kept.stale = walk.stale.get();
        kept.flags = payload.flags & WALK_COMPLETE;
    }
}

#[inline(always)]
fn slot(state: &State) -> u32 {
    (state.sock >> 6) as u32 & (KEPT - 1)
}

programs! {
    continue_return: kprobe multicast_join_walk;
    continue_exit: fexit multicast_join_exit_walk;
}

/// The walk, in a program run of its own.
#[inline(always)]
fn continue_return(ctx: &ProbeContext) -> Option<()> {
    go_on(ctx, &RETURN_CONTINUATIONS)
}

/// The same, where the join is watched by a trampoline.
#[inline(always)]
fn continue_exit(ctx: &FExitContext) -> Option<()> {
    go_on(ctx, &EXIT_CONTINUATIONS)
}

#[inline(always)]
fn go_on<C: EbpfContext>(ctx: &C, continuations: &ProgramArray) -> Option<()> {
    walk();
    proceed(ctx, JOIN_WALK.get()?, JOIN_RECORD.get()?, continuations);
    Some(())
}

search! {
    /// Walks on through the memberships.
    fn walk() in JOIN_WALK, at most STEPS by join_walk_step: step;
}

/// Goes on in a run of its own, if anything is left. Where the kernel's limit
/// of tail calls is reached, the record goes out with what was counted so far.
#[inline(always)]
pub(super) fn proceed<C: EbpfContext>(
    ctx: &C,
    walk: &Walk,
    record: &mut Record<MulticastJoin>,
    continuations: &ProgramArray,
) {
    if walk.done.get() == 0 {
        // SAFETY: nothing of this run is needed once another program takes over.
        unsafe { continuations.tail_call(ctx, 0) };
    }
    keep(walk, &record.payload);
    record.payload.memberships = walk.memberships.get();
    record.payload.stale_memberships = walk.stale.get();
    record.send(ctx, wire::JOIN);
}

/// One step of the walk: on to the next membership if the last one is decided,
/// then one look at a device that may be its own. `false` at the end. What
/// cannot be read is zero, which ends a list, and remembered.
#[inline(always)]
fn step(walk: &mut Walk) -> bool {
    let Some(record) = JOIN_RECORD.get() else {
        return false;
    };
    let payload = &mut record.payload;
    if walk.node.get() == 0 {
        let membership = walk.membership.get();
        if membership == 0 {
            if walk.failed.get() == 0 {
                payload.flags |= WALK_COMPLETE;
            }
            walk.done.set(1);
            return false;
        }
        let ifindex: u32 = walk.read(membership, globals::MC_IFINDEX.load());
        let next = walk.read(membership, globals::MC_NEXT.load());
        walk.membership.set(next);
        walk.memberships.set(walk.memberships.get() + 1);
        let buckets = walk.buckets.get();
        if buckets == 0 {
            compare_group(walk, membership, ifindex, payload);
            return true;
        }
        walk.look_for_device(buckets, ifindex);
    }
    if walk.device_decided() && walk.found.get() == 0 {
        walk.stale.set(walk.stale.get() + 1);
    }
    true
}

/// Notes the membership if it is in the way of the join.
#[inline(always)]
fn compare_group(walk: &mut Walk, membership: u64, ifindex: u32, payload: &mut MulticastJoin) {
    let group: Address = walk.read(membership, globals::MC_ADDR.load());
    let wanted = Address::of(payload.group);
    let other_interface = u64::from((payload.requested_ifindex ^ ifindex) & walk.compared.get());
    if group.difference(wanted) | other_interface == 0 {
        payload.same_group_ifindex = ifindex;
        payload.flags |= SAME_GROUP_FOUND;
    }
}

/// Looks for the device of an interface index in a namespace's table, before
/// the walk begins.
#[inline(always)]
pub(super) fn find_device(buckets: Pointer, ifindex: u32) -> Found {
    let Some(walk) = JOIN_WALK.get() else {
        return Found::Unknown;
    };
    walk.reset();
    walk.look_for_device(buckets.0, ifindex);
    decide_device();
    JOIN_WALK.get().map_or(Found::Unknown, |walk| walk.device())
}

search! {
    /// Looks through the devices of a bucket.
    fn decide_device() in JOIN_WALK, at most BUCKET_DEVICES by join_device_step: device_undecided;
}

#[inline(always)]
fn device_undecided(walk: &mut Walk) -> bool {
    !walk.device_decided()
}

impl Walk {
    /// Begins anew.
    #[inline(always)]
    pub(super) fn reset(&mut self) {
        self.failed.set(0);
        self.node.set(0);
        self.found.set(0);
    }

    /// Begins to look for the device of an interface index in the namespace's
    /// table.
    #[inline(always)]
    fn look_for_device(&mut self, buckets: u64, ifindex: u32) {
        self.ifindex.set(ifindex);
        self.found.set(0);
        let node = self.read(buckets, bucket_offset(ifindex));
        self.node.set(node);
    }

    /// Looks at one device more; whether it was the last, or none is left.
    #[inline(always)]
    fn device_decided(&mut self) -> bool {
        let node = self.node.get();
        if node == 0 {
            return true;
        }
        let device = Device::of_node(Pointer(node)).0.0;
        let ifindex: u32 = self.read(device, globals::DEV_IFINDEX.load());
        // `hlist_node.next` comes first.
        let next: u64 = self.read(node, 0);
        self.node.set(next);
        if ifindex == self.ifindex.get() {
            self.node.set(0);
            self.found.set(device);
        }
        self.node.get() == 0
    }

    /// The device that was looked for.
    #[inline(always)]
    fn device(&self) -> Found {
        let found = self.found.get();
        if found != 0 {
            Found::At(Device(Pointer(found)))
        } else if self.failed.get() == 0 && self.node.get() == 0 {
            Found::Nowhere
        } else {
            Found::Unknown
        }
    }

    /// What is at an offset from an address; zero where it cannot be read.
    #[inline(always)]
    fn read<T: Value>(&mut self, address: u64, offset: u32) -> T {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the helper checks the address itself and writes the whole
        // value, zeros where it fails.
        let failed = unsafe {
            generated::bpf_probe_read_kernel(
                value.as_mut_ptr().cast(),
                size_of::<T>() as u32,
                (address + u64::from(offset)) as *const c_void,
            )
        };
        self.failed.set(self.failed.get() | failed as u64);
        // SAFETY: written by the helper in either case; any bits are a value
        // of T.
        unsafe { value.assume_init() }
    }
}
