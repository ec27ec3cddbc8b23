//! Joining a multicast group on a socket: `__ipv6_sock_mc_join` and, for the
//! exact numbers of its charge, `sock_kmalloc` (`charge`).
//!
//! ```text
//! kprobe   enter   remembers the arguments                    JOINS[thread]
//!          charge  adds what sock_kmalloc compares            JOINS[thread]
//!          return  failed: has them again
//! fexit    exit    failed: has the arguments at hand, the charge from CHARGES
//! both     report  fills the record, then goes step by step
//!          walk    through the namespace's devices and the socket's
//!                  memberships, in as many tail calls as it takes, and sends
//!                  the record
//! ```
//!
//! The caller holds the socket's lock until after the return, so the list of
//! memberships stands still meanwhile. The memory in use may not: control data
//! of a sendmsg is charged without that lock.
//!
//! What sockets have joined is told without a join as well, once, where
//! userspace asks (`held`).

mod charge;
mod devices;
mod held;
mod walk;

use aya_ebpf::{
    EbpfContext,
    macros::map,
    maps::ProgramArray,
    programs::{FExitContext, ProbeContext, RetProbeContext},
};
use aya_log_ebpf::debug;
use v6trace_common::families::multicast_join::{
    self as wire, CHARGE_SEEN, GROUP_READ, KERNEL_SOCKET, MODE_EXCLUDE, MODE_INCLUDE, MulticastJoin,
};

use crate::{
    attachment::{self, Arguments as _, Object},
    calls::Calls,
    context,
    kernel::{Net, Sock},
    output::{self, Record},
    pointer::Pointer,
    programs::programs,
    scratch::Scratch,
};
use charge::Charge;
use walk::{EXIT_CONTINUATIONS, JOIN_WALK, RETURN_CONTINUATIONS};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::multicast_join_members!(members);
}

const EADDRINUSE: i32 = -98;
const ENOMEM: i32 = -12;

/// Arguments of `__ipv6_sock_mc_join`.
const ARGUMENTS: usize = 4;

/// A join between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Join {
    sock: u64,
    group: u64,
    ifindex: u32,
    mode: u32,
    charge: Charge,
}

/// Joins in flight.
#[map]
static JOINS: Calls<Join> = Calls::new(4096);

#[map]
static JOIN_RECORD: Scratch<Record<MulticastJoin>> = Scratch::new();

programs! {
    enter: kprobe multicast_join_enter;
    enter_any_source: kprobe multicast_join_any_source_enter;
    leave: kretprobe multicast_join_return;
    exit: fexit multicast_join_exit;
}

/// `__ipv6_sock_mc_join(sk, ifindex, addr, mode)`
#[inline(always)]
fn enter(ctx: &ProbeContext) {
    remember(ctx, ctx.number(3) as u32);
}

/// `ipv6_sock_mc_join(sk, ifindex, addr)`, which joins for any source.
#[inline(always)]
fn enter_any_source(ctx: &ProbeContext) {
    remember(ctx, MODE_EXCLUDE);
}

#[inline(always)]
fn remember(ctx: &ProbeContext, mode: u32) {
    // A failed insertion shows at the return, as a call that is not known.
    JOINS.begin(&Join {
        sock: ctx.number(0),
        group: ctx.number(2),
        ifindex: ctx.number(1) as u32,
        mode,
        charge: Charge::NONE,
    });
}

/// Return of the join, whichever function was entered.
#[inline(always)]
fn leave(ctx: &RetProbeContext) {
    let ret: i32 = ctx.ret();
    let Some(mut join) = JOINS.take() else {
        if wanted(ret, MODE_EXCLUDE) {
            output::call_unknown(wire::JOIN);
        }
        return;
    };
    if ret == 0 {
        charge::changed(join.sock);
    }
    if wanted(ret, join.mode) {
        let sock = Sock(Pointer(join.sock));
        report(ctx, sock, &mut join, ret, &RETURN_CONTINUATIONS);
    }
}

/// `__ipv6_sock_mc_join`, once it is through.
#[inline(always)]
fn exit(ctx: &FExitContext) -> Option<()> {
    let ret = attachment::result(ctx, ARGUMENTS) as i32;
    let mode = ctx.number(3) as u32;
    if !wanted(ret, mode) {
        return None;
    }
    let sock = Sock(ctx.object(0));
    let mut join = Join {
        sock: attachment::plain(sock.0.pointer().0)?,
        group: ctx.number(2),
        ifindex: ctx.number(1) as u32,
        mode,
        charge: Charge::NONE,
    };
    report(ctx, sock, &mut join, ret, &EXIT_CONTINUATIONS)
}

/// Whether userspace needs to know. A second source of a group that the socket
/// has joined already makes the inner join fail, and is no failure.
#[inline(always)]
fn wanted(ret: i32, mode: u32) -> bool {
    globals::EMIT_ALL.load() != 0 || (ret != 0 && !(ret == EADDRINUSE && mode == MODE_INCLUDE))
}

#[inline(always)]
fn report<C: EbpfContext, O: Object>(
    ctx: &C,
    sock: Sock<O>,
    join: &mut Join,
    ret: i32,
    continuations: &ProgramArray,
) -> Option<()> {
    let record = JOIN_RECORD.get()?;
    let net = sock.net();
    devices::find(net, join.ifindex, &mut record.payload);
    if join.charge.flags & CHARGE_SEEN == 0 {
        join.charge = charge::take(join.sock).unwrap_or_else(|| Charge::afterwards(sock.0, ret));
    }
    fill(record, join, ret, sock, net);
    let walk = JOIN_WALK.get()?;
    walk.reset();
    walk::start(walk, join.sock, net, &mut record.payload);
    if globals::DEBUG.load() != 0 {
        debug!(ctx, "join on ifindex {} returned {}", join.ifindex, ret);
    }
    walk::proceed(ctx, walk, record, continuations);
    Some(())
}

#[inline(always)]
fn fill<O: Object>(
    record: &mut Record<MulticastJoin>,
    join: &Join,
    ret: i32,
    sock: Sock<O>,
    net: Option<Net<O>>,
) {
    let netns = net.and_then(Net::inum).unwrap_or(0);
    // A join waits for the socket's lock, and so is allowed to sleep.
    let context = context::of_sleeper();
    record.open_in(context, wire::JOIN, netns);
    let mut flags = join.charge.flags;
    if sock.0.bits(&globals::SOCK_KERN_SOCK).unwrap_or(0) != 0 {
        flags |= KERNEL_SOCKET;
    }
    let payload = &mut record.payload;
    payload.socket_inode = sock.inode().unwrap_or(0);
    if Pointer(join.group).read_into(&mut payload.group) {
        flags |= GROUP_READ;
    }
    payload.ret = ret;
    payload.mode = join.mode;
    payload.size = join.charge.size;
    payload.sk_omem_alloc = join.charge.sk_omem_alloc;
    payload.optmem_max = join.charge.optmem_max;
    payload.memberships = 0;
    payload.stale_memberships = 0;
    payload.same_group_ifindex = 0;
    payload.flags |= flags;
    payload.sk_protocol = u32::from(sock.0.value(&globals::SOCK_PROTOCOL).unwrap_or(0u16));
}
