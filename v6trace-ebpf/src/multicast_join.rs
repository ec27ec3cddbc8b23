//! Joining a multicast group on a socket: `__ipv6_sock_mc_join` and, for the
//! exact numbers of its charge, `sock_kmalloc`.
//!
//! ```text
//! enter   remembers the arguments                             JOINS[thread]
//! charge  adds what sock_kmalloc compares                     JOINS[thread]
//! return  failed: fills the record, then goes step by step
//! walk    through the namespace's devices and the socket's memberships, in as
//!         many tail calls as it takes, and sends the record
//! ```
//!
//! The caller holds the socket's lock until after the return, so the list of
//! memberships stands still meanwhile. The memory in use may not: control data
//! of a sendmsg is charged without that lock.

use aya_ebpf::{
    EbpfContext,
    helpers::bpf_get_current_pid_tgid,
    macros::{kprobe, kretprobe, map},
    maps::{LruHashMap, PerCpuArray, ProgramArray},
    programs::{ProbeContext, RetProbeContext},
};
use aya_log_ebpf::debug;
use v6trace_common::{
    CONTINUATIONS as CONTINUATION_NAMES, Hook, INTERFACE_NAME_LEN, Kind, MulticastJoin,
    hooks::CONTINUE_MULTICAST_JOIN_WALK,
    members::ABSENT,
    multicast_join::{
        CHARGE_SEEN, DEVICE_ABSENT, DEVICE_DEAD, DEVICE_FOUND, DEVICE_HAS_INET6, DEVICES_READ,
        GROUP_READ, INET6_READ, KERNEL_SOCKET, LIMIT_OF_NETNS, LIMIT_READ, MODE_EXCLUDE,
        MODE_INCLUDE, MTU_READ, OMEM_READ, SAME_GROUP_FOUND, WALK_COMPLETE, WALKED,
    },
};

use crate::{
    globals,
    kernel::{Device, Pointer, Sock, device_bucket},
    output::{self, Record},
    volatile::Volatile,
};

const ENOMEM: i32 = -12;
const EADDRINUSE: i32 = -98;

/// Steps of the walk in one program run; a run is repeated up to 33 times, the
/// kernel's limit of tail calls. The verifier's work, most of the time that
/// v6trace needs to start, is in proportion.
const STEPS: u32 = 128;
/// Devices of one hash bucket that are looked at for the device of a request.
const BUCKET_DEVICES: u32 = 64;

/// A join between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Join {
    sock: u64,
    group: u64,
    ifindex: u32,
    mode: u32,
    size: u32,
    sk_omem_alloc: i32,
    optmem_max: i32,
    flags: u32,
}

/// Where the walk stands.
#[repr(C)]
struct Walk {
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
    /// The interface index of the last membership.
    ifindex: Volatile<u32>,
    /// Not 0: nothing is left to do.
    done: Volatile<u32>,
}

/// Joins in flight, by thread.
#[map]
static JOINS: LruHashMap<u64, Join> = LruHashMap::with_max_entries(4096, 0);

#[map]
static JOIN_RECORD: PerCpuArray<Record<MulticastJoin>> = PerCpuArray::with_max_entries(1, 0);

#[map]
static JOIN_WALK: PerCpuArray<Walk> = PerCpuArray::with_max_entries(1, 0);

#[map]
static CONTINUATIONS: ProgramArray =
    ProgramArray::with_max_entries(CONTINUATION_NAMES.len() as u32, 0);

/// `__ipv6_sock_mc_join(sk, ifindex, addr, mode)`
#[kprobe]
fn multicast_join_enter(ctx: ProbeContext) -> u32 {
    let mode = ctx.arg(3).unwrap_or(MODE_EXCLUDE);
    enter(&ctx, mode)
}

/// `ipv6_sock_mc_join(sk, ifindex, addr)`, which joins for any source.
#[kprobe]
fn multicast_join_any_source_enter(ctx: ProbeContext) -> u32 {
    enter(&ctx, MODE_EXCLUDE)
}

#[inline(always)]
fn enter(ctx: &ProbeContext, mode: u32) -> u32 {
    let join = Join {
        sock: ctx.arg(0).unwrap_or(0),
        ifindex: ctx.arg(1).unwrap_or(0),
        group: ctx.arg(2).unwrap_or(0),
        mode,
        size: 0,
        sk_omem_alloc: 0,
        optmem_max: 0,
        flags: 0,
    };
    // A failed insertion shows at the return, as a call that is not known.
    let _ = JOINS.insert(bpf_get_current_pid_tgid(), join, 0);
    0
}

/// `sock_kmalloc(sk, size, priority)`
#[kprobe]
fn option_memory_charge(ctx: ProbeContext) -> u32 {
    let Some(join) = JOINS.get_ptr_mut(bpf_get_current_pid_tgid()) else {
        return 0;
    };
    // SAFETY: the pointer is to a map value, checked for null; only the thread
    // that is the key works on it.
    let join = unsafe { &mut *join };
    let sock: u64 = ctx.arg(0).unwrap_or(0);
    if join.sock != sock {
        return 0;
    }
    join.size = ctx.arg(1).unwrap_or(0);
    join.flags = CHARGE_SEEN;
    read_budget(Sock(Pointer(sock)), join);
    0
}

/// Reads the memory in use and its limit, as `sock_kmalloc` compares them.
#[inline(always)]
fn read_budget(sock: Sock, join: &mut Join) {
    if let Some(omem) = sock.omem_alloc() {
        join.sk_omem_alloc = omem;
        join.flags |= OMEM_READ;
    }
    if globals::NET_OPTMEM_MAX.load() != ABSENT {
        if let Some(limit) = sock
            .net()
            .and_then(|net| net.0.get(&globals::NET_OPTMEM_MAX))
        {
            join.optmem_max = limit;
            join.flags |= LIMIT_READ | LIMIT_OF_NETNS;
        }
    } else if globals::OPTMEM_MAX.load() != 0
        && let Some(limit) = Pointer(globals::OPTMEM_MAX.load()).read()
    {
        join.optmem_max = limit;
        join.flags |= LIMIT_READ;
    }
}

/// Return of the join, whichever function was entered.
#[kretprobe]
fn multicast_join_return(ctx: RetProbeContext) -> u32 {
    let ret: i32 = ctx.ret();
    let thread = bpf_get_current_pid_tgid();
    let Some(join) = JOINS.get_ptr(thread) else {
        if wanted(ret, MODE_EXCLUDE) {
            output::call_unknown(Hook::MulticastJoin);
        }
        return 0;
    };
    // SAFETY: the pointer is to a map value, checked for null; only the thread
    // that is the key works on it. Copied, since the entry is about to go.
    let mut join = unsafe { *join };
    let _ = JOINS.remove(thread);
    if !wanted(ret, join.mode) {
        return 0;
    }
    let (Some(record), Some(walk)) = (JOIN_RECORD.get_ptr_mut(0), JOIN_WALK.get_ptr_mut(0)) else {
        return 0;
    };
    // SAFETY: both are slots of this CPU alone, checked for null; no other
    // program runs on this CPU until this one ends.
    let (record, walk) = unsafe { (&mut *record, &mut *walk) };

    let sock = Sock(Pointer(join.sock));
    if join.flags & CHARGE_SEEN == 0 {
        read_budget(sock, &mut join);
        let size = globals::MC_SIZE.load();
        join.size = if size == ABSENT { 0 } else { size };
    }
    fill(record, &join, ret, sock);
    find_device(sock, &mut record.payload);
    start(walk, sock, &mut record.payload);
    if globals::DEBUG.load() != 0 {
        debug!(&ctx, "join on ifindex {} returned {}", join.ifindex, ret);
    }
    if walk.done.get() == 0 {
        proceed(&ctx);
    } else {
        finish(&ctx, walk, record);
    }
    0
}

/// Whether userspace needs to know. A second source of a group that the socket
/// has joined already makes the inner join fail, and is no failure.
#[inline(always)]
fn wanted(ret: i32, mode: u32) -> bool {
    globals::EMIT_ALL.load() != 0 || (ret != 0 && !(ret == EADDRINUSE && mode == MODE_INCLUDE))
}

#[inline(always)]
fn fill(record: &mut Record<MulticastJoin>, join: &Join, ret: i32, sock: Sock) {
    let netns = sock.net().and_then(|net| net.inum()).unwrap_or(0);
    record.open(Kind::MulticastJoin, Hook::MulticastJoin, netns);
    let mut flags = join.flags;
    if sock.0.bits(&globals::SOCK_KERN_SOCK).unwrap_or(0) != 0 {
        flags |= KERNEL_SOCKET;
    }
    let payload = &mut record.payload;
    payload.socket_inode = sock.inode().unwrap_or(0);
    payload.group = [0; 16];
    if let Some(group) = Pointer(join.group).read() {
        payload.group = group;
        flags |= GROUP_READ;
    }
    payload.interface = [0; INTERFACE_NAME_LEN];
    payload.requested_ifindex = join.ifindex;
    payload.mtu = 0;
    payload.ret = ret;
    payload.mode = join.mode;
    payload.size = join.size;
    payload.sk_omem_alloc = join.sk_omem_alloc;
    payload.optmem_max = join.optmem_max;
    payload.memberships = 0;
    payload.stale_memberships = 0;
    payload.same_group_ifindex = 0;
    payload.flags = flags;
    payload.sk_protocol = u32::from(sock.0.get(&globals::SOCK_PROTOCOL).unwrap_or(0u16));
}

/// Looks for the device that was asked for.
#[inline(always)]
fn find_device(sock: Sock, payload: &mut MulticastJoin) {
    let wanted = payload.requested_ifindex;
    let buckets = sock.net().and_then(|net| net.device_buckets());
    let known = globals::DEV_INDEX_HLIST.load() != ABSENT && globals::DEV_IFINDEX.load() != ABSENT;
    let (Some(buckets), true) = (buckets, known) else {
        return;
    };
    payload.flags |= DEVICES_READ;
    let Some(mut node) = device_bucket(buckets, wanted) else {
        return;
    };
    if wanted == 0 {
        return;
    }
    for _ in 0..BUCKET_DEVICES {
        if node.0 == 0 {
            payload.flags |= DEVICE_ABSENT;
            return;
        }
        let device = Device::of_node(node);
        if device.ifindex() == Some(wanted) {
            describe(device, payload);
            return;
        }
        // `hlist_node.next` comes first.
        let Some(next) = node.read() else {
            return;
        };
        node = Pointer(next);
    }
}

#[inline(always)]
fn describe(device: Device, payload: &mut MulticastJoin) {
    payload.flags |= DEVICE_FOUND;
    payload.interface = device.name();
    if let Some(mtu) = device.0.get(&globals::DEV_MTU) {
        payload.mtu = mtu;
        payload.flags |= MTU_READ;
    }
    let Some(inet6_dev) = device.0.follow(&globals::DEV_IP6_PTR) else {
        return;
    };
    payload.flags |= INET6_READ;
    if inet6_dev.0 != 0 {
        payload.flags |= DEVICE_HAS_INET6;
        if inet6_dev.get(&globals::INET6_DEV_DEAD).unwrap_or(0u32) != 0 {
            payload.flags |= DEVICE_DEAD;
        }
    }
}

/// Sets the walk to the first membership, where memberships matter.
#[inline(always)]
fn start(walk: &mut Walk, sock: Sock, payload: &mut MulticastJoin) {
    walk.memberships.set(0);
    walk.stale.set(0);
    walk.node.set(0);
    walk.done.set(1);
    if payload.ret != ENOMEM && payload.ret != EADDRINUSE {
        return;
    }
    let Some(first) = sock.memberships() else {
        return;
    };
    payload.flags |= WALKED;
    walk.membership.set(first.0);
    walk.done.set(0);
    // Which of them are stale is of interest where they fill the memory.
    walk.buckets.set(0);
    if payload.ret == ENOMEM
        && payload.flags & DEVICES_READ != 0
        && let Some(buckets) = sock.net().and_then(|net| net.device_buckets())
    {
        walk.buckets.set(buckets.0);
    }
}

/// The walk, in a program run of its own.
#[kprobe]
fn multicast_join_walk(ctx: ProbeContext) -> u32 {
    let (Some(record), Some(walk)) = (JOIN_RECORD.get_ptr_mut(0), JOIN_WALK.get_ptr_mut(0)) else {
        return 0;
    };
    // SAFETY: as in multicast_join_return, whose run this one continues.
    let (record, walk) = unsafe { (&mut *record, &mut *walk) };
    for _ in 0..STEPS {
        if step(walk, &mut record.payload).is_none() {
            walk.done.set(1);
            break;
        }
    }
    if walk.done.get() == 0 {
        proceed(&ctx);
    } else {
        finish(&ctx, walk, record);
    }
    0
}

/// Goes on in [`multicast_join_walk`]. Where the kernel's limit of tail calls
/// is reached, the record goes out with what was counted so far.
#[inline(always)]
fn proceed<C: EbpfContext>(ctx: &C) {
    // SAFETY: nothing of this run is needed once another program takes over.
    unsafe { CONTINUATIONS.tail_call(ctx, CONTINUE_MULTICAST_JOIN_WALK) };
    if let (Some(record), Some(walk)) = (JOIN_RECORD.get_ptr_mut(0), JOIN_WALK.get_ptr_mut(0)) {
        // SAFETY: as in multicast_join_return.
        let (record, walk) = unsafe { (&mut *record, &*walk) };
        finish(ctx, walk, record);
    }
}

#[inline(always)]
fn finish<C: EbpfContext>(ctx: &C, walk: &Walk, record: &mut Record<MulticastJoin>) {
    record.payload.memberships = walk.memberships.get();
    record.payload.stale_memberships = walk.stale.get();
    record.send(ctx, Hook::MulticastJoin);
}

/// One step of the walk: on to the next membership if the last one is decided,
/// then one look at a device that may be its own. `None` at the end, or where
/// memory could not be read.
#[inline(always)]
fn step(walk: &mut Walk, payload: &mut MulticastJoin) -> Option<()> {
    let mut node = walk.node.get();
    if node == 0 {
        let membership = Pointer(walk.membership.get());
        if membership.0 == 0 {
            payload.flags |= WALK_COMPLETE;
            return None;
        }
        let ifindex: u32 = membership.get(&globals::MC_IFINDEX)?;
        walk.membership.set(membership.get(&globals::MC_NEXT)?);
        walk.memberships.set(walk.memberships.get() + 1);
        let buckets = Pointer(walk.buckets.get());
        if buckets.0 == 0 {
            return compare_group(membership, ifindex, payload);
        }
        walk.ifindex.set(ifindex);
        node = device_bucket(buckets, ifindex)?.0;
    }
    if node == 0 {
        // The end of the bucket: the device is gone.
        walk.stale.set(walk.stale.get() + 1);
        walk.node.set(0);
        return Some(());
    }
    if Device::of_node(Pointer(node)).ifindex()? == walk.ifindex.get() {
        walk.node.set(0);
        return Some(());
    }
    // `hlist_node.next` comes first.
    let next: u64 = Pointer(node).read()?;
    walk.node.set(next);
    if next == 0 {
        walk.stale.set(walk.stale.get() + 1);
    }
    Some(())
}

/// Notes the membership if it is in the way of the join.
#[inline(always)]
fn compare_group(membership: Pointer, ifindex: u32, payload: &mut MulticastJoin) -> Option<()> {
    if payload.requested_ifindex == 0 || payload.requested_ifindex == ifindex {
        let group: [u8; 16] = membership.get(&globals::MC_ADDR)?;
        if u128::from_ne_bytes(group) == u128::from_ne_bytes(payload.group) {
            payload.same_group_ifindex = ifindex;
            payload.flags |= SAME_GROUP_FOUND;
        }
    }
    Some(())
}
