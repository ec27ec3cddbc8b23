//! Writing a forwarding sysctl (`addrconf_sysctl_forward`), and the default
//! routes that go by it (`rt6_purge_dflt_routers`).
//!
//! ```text
//! write   remembers what is written                           WRITES[thread]
//! changes role
//!         counts an interface (`dev_forward_change`, of the anycast family)
//! purge   opens an empty list                                 PURGES[thread]
//! delete  adds a route that came from a router advertisement  PURGES[thread]
//!         tells the families of addresses and of routes
//! purged  sends the list, unless it is still empty
//! written sends how much that was, if there are records of it
//! ```

use aya_ebpf::{
    helpers::bpf_ktime_get_boot_ns,
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::{
    Context, INTERFACE_NAME_LEN,
    families::{
        anycast::{WRITTEN_ALL, WRITTEN_INTERFACE},
        forwarding::{self as wire, DefaultRoutesPurged, ForwardingWritten, PurgedRoute, ROUTES},
    },
};

use super::{address, route};
use crate::{
    attachment::{self, Arguments, Object as _},
    calls::Calls,
    context,
    kernel::{Device, Net},
    output::Record,
    pointer::Pointer,
    programs::programs,
    scratch::Scratch,
    sysctl::{self, Of},
};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::forwarding_members!(members);
}

/// `RTF_DEFAULT` and `RTF_ADDRCONF`: a default route that the kernel made from
/// a router advertisement.
const LEARNT_DEFAULT: u32 = 0x0001_0000 | 0x0004_0000;

/// `IFF_UP` and `IFF_LOOPBACK`
const UP: u32 = 0x1;
const LOOPBACK: u32 = 0x8;

/// A forwarding sysctl that is being written.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Write {
    began_ns: u64,
    /// Which: `WRITTEN_ALL`, `WRITTEN_INTERFACE`, or 0 for another.
    pub(crate) written: u32,
    /// The name of that interface.
    pub(crate) interface: [u8; INTERFACE_NAME_LEN],
    netns: u32,
    /// Interfaces that are up and became routers, or hosts, and those of them with
    /// accept_ra = 1.
    routers: u32,
    deaf: u32,
    hosts: u32,
    hearing: u32,
    /// Records of anycast addresses.
    pub(crate) anycast: u32,
    /// Routes that were removed.
    purged: u32,
}

/// Writes in flight, by thread.
#[map]
static WRITES: Calls<Write> = Calls::new(256);

/// Records of purges in flight, by thread.
#[map]
static PURGES: Calls<Record<DefaultRoutesPurged>> = Calls::new(256);

#[map]
static WRITTEN_RECORD: Scratch<Record<ForwardingWritten>> = Scratch::new();

/// A record of no routes, never written: too large to be made on the stack.
#[map]
static NO_PURGE: Scratch<Record<DefaultRoutesPurged>> = Scratch::new();

programs! {
    write: kprobe forwarding_write_enter;
    written: kretprobe forwarding_write_return;
    purge: kprobe default_route_purge_enter;
    purged: kretprobe default_route_purge_return;
    delete: kprobe route_delete_enter, fentry route_delete_fentry;
}

/// What the current thread is writing, if it is.
#[inline(always)]
pub(crate) fn write_in_flight() -> Option<&'static mut Write> {
    WRITES.current()
}

/// `addrconf_sysctl_forward(ctl, write, buffer, lenp, ppos)`
#[inline(always)]
fn write(ctx: &ProbeContext) {
    let table = ctx.object(0);
    let is_write = ctx.number(1) as i32;
    if is_write == 0 {
        return;
    }
    let mut write = Write {
        written: 0,
        interface: [0; INTERFACE_NAME_LEN],
        // SAFETY: a helper without arguments that returns a number.
        began_ns: unsafe { bpf_ktime_get_boot_ns() },
        netns: 0,
        routers: 0,
        deaf: 0,
        hosts: 0,
        hearing: 0,
        anycast: 0,
        purged: 0,
    };
    if let Some(net) = table.follow(&globals::CTL_NET) {
        write.netns = Net(net).inum().unwrap_or(0);
    }
    match sysctl::owner(table, &globals::DEVCONF_FORWARDING) {
        Some(Of::Interface(inet6_dev)) => {
            if let Some(device) = inet6_dev.follow(&globals::INET6_DEV_DEV) {
                write.written = WRITTEN_INTERFACE;
                Device(device).name_into(&mut write.interface);
            }
        }
        Some(Of::All) => write.written = WRITTEN_ALL,
        Some(Of::Default) | None => {}
    }
    WRITES.begin(&write);
}

/// Where the namespace's `conf.all.forwarding` is.
#[inline(always)]
pub(crate) fn all_forwarding(net: Net) -> Option<Pointer> {
    net.0
        .follow(&globals::NET_DEVCONF_ALL)?
        .member(&globals::DEVCONF_FORWARDING)
}

/// An interface whose own forwarding is turned on or off: it has the new value.
#[inline(always)]
pub(crate) fn changes_role(inet6_dev: Pointer) -> Option<()> {
    let write = write_in_flight()?;
    let device = inet6_dev.follow(&globals::INET6_DEV_DEV)?;
    let flags: u32 = device.get(&globals::DEV_FLAGS)?;
    if flags & (UP | LOOPBACK) != UP {
        return None;
    }
    let forwarding: i32 = inet6_dev.get(&globals::CNF_FORWARDING)?;
    let accept_ra: i32 = inet6_dev.get(&globals::CNF_ACCEPT_RA)?;
    let is_to_hear = u32::from(accept_ra == 1);
    if forwarding != 0 {
        write.routers += 1;
        write.deaf += is_to_hear;
    } else {
        write.hosts += 1;
        write.hearing += is_to_hear;
    }
    Some(())
}

/// Absent where the sysctl was read.
#[inline(always)]
fn written(ctx: &RetProbeContext) -> Option<()> {
    let ret: i32 = ctx.ret();
    let write = write_in_flight()?;
    // A write waits for the RTNL by being begun again and again, each of which returns.
    let is_asked_for = ret == 0 && globals::EMIT_ALL.load() != 0;
    if write.anycast + write.purged > 0 || is_asked_for {
        let record = WRITTEN_RECORD.get()?;
        let hook = wire::WRITE;
        record.open(hook, write.netns);
        record.payload = ForwardingWritten {
            began_ns: write.began_ns,
            written_interface: write.interface,
            written: write.written,
            routers: write.routers,
            deaf: write.deaf,
            hosts: write.hosts,
            hearing: write.hearing,
            anycast: write.anycast,
            purged: write.purged,
            reserved: 0,
        };
        record.send(ctx, hook);
    }
    WRITES.end();
    Some(())
}

/// `rt6_purge_dflt_routers(net)`
#[inline(always)]
fn purge(ctx: &ProbeContext) -> Option<()> {
    if !PURGES.begin(NO_PURGE.get()?) {
        return None;
    }
    let purge = PURGES.current()?;
    purge.header.netns = Net(ctx.object(0)).inum().unwrap_or(0);
    if let Some(write) = write_in_flight() {
        purge.payload.written = write.written;
        purge.payload.written_interface = write.interface;
    }
    Some(())
}

/// `fib6_del(rt, info)`, under the lock of the route's table: a route that is
/// still in a table will be removed.
///
/// A routing daemon has thousands removed a second. What somebody asks for over netlink
/// has the request in `info`, and is no news.
#[inline(always)]
fn delete<A: Arguments>(ctx: &A) -> Option<()> {
    let request: Option<u64> = ctx.object(1).value(&globals::INFO_REQUEST);
    if request.is_some_and(|request| request != 0) {
        return None;
    }
    // What a task takes is told as such, and it takes either from interfaces or by writing
    // forwarding. A softirq that interrupts it may remove routes of its own.
    let in_softirq = context::current() == Context::Softirq;
    if !in_softirq && address::route_gone(ctx.object(0)) {
        return None;
    }
    let route = Pointer(attachment::plain(ctx.number(0))?);
    let purge = PURGES.current();
    if in_softirq || purge.is_none() {
        route::gone(ctx, route, in_softirq);
    }
    let purge = purge.filter(|_| !in_softirq)?;
    let flags: u32 = route.get(&globals::ROUTE_FLAGS).unwrap_or(0);
    let in_table = route.follow(&globals::ROUTE_NODE).is_some_and(|n| n.0 != 0);
    if flags & LEARNT_DEFAULT != LEARNT_DEFAULT || !in_table {
        return None;
    }
    let index = purge.payload.count as usize;
    purge.payload.count += 1;
    if index < ROUTES {
        describe(route, &mut purge.payload.routes[index]);
    }
    Some(())
}

#[inline(always)]
fn describe(route: Pointer, purged: &mut PurgedRoute) {
    purged.forwarding = -1;
    purged.accept_ra = -1;
    purged.table = route
        .follow(&globals::ROUTE_TABLE)
        .and_then(|table| table.get(&globals::TABLE_ID))
        .unwrap_or(0);
    // A nexthop object is shared and kept elsewhere; the kernel makes none for
    // what it learns.
    if route
        .follow(&globals::ROUTE_NEXTHOP)
        .is_none_or(|nh| nh.0 != 0)
    {
        return;
    }
    let Some(nexthop) = route.member(&globals::ROUTE_FIB_NH) else {
        return;
    };
    if let Some(gateway) = nexthop.get(&globals::FIB_NH_GATEWAY) {
        purged.gateway = gateway;
    }
    let Some(device) = nexthop.follow(&globals::FIB_NH_DEV).map(Device) else {
        return;
    };
    device.name_into(&mut purged.interface);
    purged.ifindex = device.ifindex().unwrap_or(0);
    if let Some(inet6_dev) = device.inet6() {
        purged.forwarding = inet6_dev.get(&globals::CNF_FORWARDING).unwrap_or(-1);
        purged.accept_ra = inet6_dev.get(&globals::CNF_ACCEPT_RA).unwrap_or(-1);
    }
}

#[inline(always)]
fn purged(ctx: &RetProbeContext) -> Option<()> {
    let record = PURGES.current()?;
    if record.payload.count > 0 {
        let hook = wire::PURGE;
        record.open(hook, record.header.netns);
        record.send(ctx, hook);
        if let Some(write) = write_in_flight() {
            write.purged += record.payload.count;
        }
    }
    PURGES.end();
    Some(())
}
