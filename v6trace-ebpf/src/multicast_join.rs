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
//! memberships and the memory in use stand still meanwhile.

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
        KERNEL_SOCKET, LIMIT_OF_NETNS, LIMIT_READ, MODE_EXCLUDE, MODE_INCLUDE, OMEM_READ,
        SAME_GROUP_FOUND, WALK_COMPLETE, WALKED,
    },
};

use crate::{
    globals,
    kernel::{Device, Pointer, Sock, device_bucket},
    output::{self, Record},
};

const ENOMEM: i32 = -12;
const EADDRINUSE: i32 = -98;

/// Steps of the walk in one program run; a run is repeated up to 33 times, the
/// kernel's limit of tail calls.
const STEPS: u32 = 512;

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
    phase: u32,
    /// The interface index that is being looked for.
    ifindex: u32,
    /// The namespace's device table, 0 where it cannot be read.
    buckets: u64,
    /// The next device of the bucket, 0 at its end.
    node: u64,
    /// The next membership, 0 at the end.
    membership: u64,
}

/// Looking for the device of the request.
const REQUESTED_DEVICE: u32 = 0;
/// At the next membership.
const MEMBERSHIP: u32 = 1;
/// Looking for the device of the membership.
const MEMBERSHIP_DEVICE: u32 = 2;
/// Nothing left to do.
const DONE: u32 = 3;

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
    start(walk, ret, join.ifindex, sock, record);
    if globals::DEBUG.load() != 0 {
        debug!(&ctx, "join on ifindex {} returned {}", join.ifindex, ret);
    }
    proceed(&ctx);
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
    payload.group = Pointer(join.group).read().unwrap_or([0; 16]);
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

#[inline(always)]
fn start(walk: &mut Walk, ret: i32, ifindex: u32, sock: Sock, record: &mut Record<MulticastJoin>) {
    let payload = &mut record.payload;
    walk.phase = DONE;
    walk.membership = 0;
    if (ret == ENOMEM || ret == EADDRINUSE)
        && let Some(first) = sock.memberships()
    {
        walk.phase = MEMBERSHIP;
        walk.membership = first.0;
        payload.flags |= WALKED;
    }
    walk.buckets = 0;
    if globals::DEV_INDEX_HLIST.load() != ABSENT
        && let Some(buckets) = sock.net().and_then(|net| net.device_buckets())
    {
        walk.buckets = buckets.0;
        payload.flags |= DEVICES_READ;
    }
    walk.ifindex = ifindex;
    walk.node = 0;
    if walk.buckets != 0
        && ifindex != 0
        && let Some(node) = device_bucket(Pointer(walk.buckets), ifindex)
    {
        walk.phase = REQUESTED_DEVICE;
        walk.node = node.0;
    }
}

/// The walk, continued in a program run of its own.
#[kprobe]
fn multicast_join_walk(ctx: ProbeContext) -> u32 {
    let (Some(record), Some(walk)) = (JOIN_RECORD.get_ptr_mut(0), JOIN_WALK.get_ptr_mut(0)) else {
        return 0;
    };
    // SAFETY: as in multicast_join_return, whose run this one continues.
    let (record, walk) = unsafe { (&mut *record, &mut *walk) };
    for _ in 0..STEPS {
        if walk.phase == DONE {
            break;
        }
        if step(walk, &mut record.payload).is_none() {
            walk.phase = DONE;
        }
    }
    if walk.phase != DONE {
        proceed(&ctx);
        return 0;
    }
    record.send(&ctx, Hook::MulticastJoin);
    0
}

/// Goes on in [`multicast_join_walk`]. Where the kernel's limit of tail calls
/// is reached, the record goes out with what was counted so far.
#[inline(always)]
fn proceed<C: EbpfContext>(ctx: &C) {
    // SAFETY: nothing of this run is needed once another program takes over.
    unsafe { CONTINUATIONS.tail_call(ctx, CONTINUE_MULTICAST_JOIN_WALK) };
    if let Some(record) = JOIN_RECORD.get_ptr_mut(0) {
        // SAFETY: as in multicast_join_return.
        unsafe { &mut *record }.send(ctx, Hook::MulticastJoin);
    }
}

/// One step of the walk; `None` where memory could not be read.
#[inline(always)]
fn step(walk: &mut Walk, payload: &mut MulticastJoin) -> Option<()> {
    if walk.phase == MEMBERSHIP {
        return visit_membership(walk, payload);
    }
    if walk.node == 0 {
        // The end of the bucket: no such device.
        if walk.phase == MEMBERSHIP_DEVICE {
            payload.stale_memberships += 1;
        } else {
            payload.flags |= DEVICE_ABSENT;
        }
        leave_bucket(walk, payload);
        return Some(());
    }
    let node = Pointer(walk.node);
    let device = Device::of_node(node);
    if device.ifindex()? == walk.ifindex {
        if walk.phase == REQUESTED_DEVICE {
            describe(device, payload);
        }
        leave_bucket(walk, payload);
    } else {
        // `hlist_node.next` comes first.
        walk.node = node.read()?;
    }
    Some(())
}

#[inline(always)]
fn leave_bucket(walk: &mut Walk, payload: &MulticastJoin) {
    walk.phase = if payload.flags & WALKED != 0 {
        MEMBERSHIP
    } else {
        DONE
    };
}

#[inline(always)]
fn visit_membership(walk: &mut Walk, payload: &mut MulticastJoin) -> Option<()> {
    if walk.membership == 0 {
        payload.flags |= WALK_COMPLETE;
        walk.phase = DONE;
        return Some(());
    }
    let membership = Pointer(walk.membership);
    let ifindex: u32 = membership.get(&globals::MC_IFINDEX)?;
    if payload.ret == EADDRINUSE
        && (payload.requested_ifindex == 0 || payload.requested_ifindex == ifindex)
    {
        let group: [u8; 16] = membership.get(&globals::MC_ADDR)?;
        if u128::from_ne_bytes(group) == u128::from_ne_bytes(payload.group) {
            payload.same_group_ifindex = ifindex;
            payload.flags |= SAME_GROUP_FOUND;
        }
    }
    payload.memberships += 1;
    walk.membership = membership.get(&globals::MC_NEXT)?;
    if walk.buckets != 0 {
        walk.node = device_bucket(Pointer(walk.buckets), ifindex)?.0;
        walk.ifindex = ifindex;
        walk.phase = MEMBERSHIP_DEVICE;
    }
    Some(())
}

#[inline(always)]
fn describe(device: Device, payload: &mut MulticastJoin) {
    payload.flags |= DEVICE_FOUND;
    payload.interface = device
        .0
        .get(&globals::DEV_NAME)
        .unwrap_or([0; INTERFACE_NAME_LEN]);
    payload.mtu = device.0.get(&globals::DEV_MTU).unwrap_or(0);
    if let Some(inet6_dev) = device.0.follow(&globals::DEV_IP6_PTR)
        && inet6_dev.0 != 0
    {
        payload.flags |= DEVICE_HAS_INET6;
        if inet6_dev.get(&globals::INET6_DEV_DEAD).unwrap_or(0u32) != 0 {
            payload.flags |= DEVICE_DEAD;
        }
    }
}
