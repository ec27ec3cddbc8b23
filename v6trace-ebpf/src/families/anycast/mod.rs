//! Anycast addresses that an interface takes (`__ipv6_dev_ac_inc`) and gives up
//! (`__ipv6_dev_ac_dec`), and who made it do so.
//!
//! ```text
//! dev_forward_change, __ipv6_ifa_notify, ipv6_sock_ac_join
//!         leave a marker with what they pass on               one map each
//! enter   finds the marker that fits its own arguments        CALLS[thread]
//! return  the list of anycast addresses has changed: looks for the address
//!         that it follows from (`search`), and sends the record (`send`)
//! ```
//!
//! A marker counts only for the very object that its function passes on, so
//! one that a lost return left behind says nothing about a later call.

mod request;
mod search;
mod send;

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::anycast::{
    self as wire, ADDRESS_USABLE, FORWARDING_CHANGE, JOINED, RELEASED, SETSOCKOPT,
};

use super::{address, forwarding};
use crate::{
    address::Address, attachment::Arguments as _, calls::Calls, output, programs::programs,
};
use search::{is_last_user, is_new};
use send::send;

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::anycast_members!(members);
}

/// `RTM_NEWADDR`, the event of an address that is usable from now on.
const NEW_ADDRESS: i32 = 20;

/// A change between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    idev: u64,
    address: Address,
    /// The newest anycast address before the call.
    newest: u64,
    /// The address that became usable, else 0.
    ifaddr: u64,
    trigger: u32,
    change: u32,
}

/// Interfaces whose forwarding is being changed.
#[map]
static FORWARDING_CHANGES: Calls<u64> = Calls::new(256);

/// Addresses that are becoming usable: `inet6_ifaddr` and its `inet6_dev`.
#[map]
static USABLE: Calls<[u64; 2]> = Calls::new(256);

/// Where the address is that a socket asks for.
#[map]
static REQUESTS: Calls<u64> = Calls::new(256);

/// Changes in flight.
#[map]
static ANYCAST_CALLS: Calls<Call> = Calls::new(256);

programs! {
    forwarding_change: kprobe forwarding_change_enter;
    forwarding_changed: kretprobe forwarding_change_return;
    usable: kprobe address_usable_enter;
    usable_through: kretprobe address_usable_return;
    asked: kprobe anycast_request_enter;
    answered: kretprobe anycast_request_return;
    join: kprobe anycast_join_enter;
    joined: kretprobe anycast_join_return;
    leave: kprobe anycast_leave_enter;
    left: kretprobe anycast_leave_return;
}

/// `dev_forward_change(idev)`
#[inline(always)]
fn forwarding_change(ctx: &ProbeContext) {
    // A failed insertion shows at what it would have explained.
    FORWARDING_CHANGES.begin(&ctx.number(0));
    forwarding::changes_role(ctx.object(0));
}

#[inline(always)]
fn forwarding_changed(_ctx: &RetProbeContext) {
    FORWARDING_CHANGES.end();
}

/// `__ipv6_ifa_notify(event, ifp)`
#[inline(always)]
fn usable(ctx: &ProbeContext) -> Option<()> {
    let ifaddr = ctx.object(1);
    match ctx.number(0) as i32 {
        NEW_ADDRESS => {}
        address::GONE => {
            address::address_gone(ifaddr);
            return None;
        }
        _ => return None,
    }
    let idev = ifaddr.follow(&globals::IFA_IDEV)?;
    USABLE.begin(&[ifaddr.0, idev.0]);
    Some(())
}

#[inline(always)]
fn usable_through(_ctx: &RetProbeContext) {
    USABLE.end();
}

/// `ipv6_sock_ac_join(sk, ifindex, addr)`
#[inline(always)]
fn asked(ctx: &ProbeContext) {
    REQUESTS.begin(&ctx.number(2));
    request::enter(ctx);
}

#[inline(always)]
fn answered(ctx: &RetProbeContext) {
    REQUESTS.end();
    request::leave(ctx);
}

/// `__ipv6_dev_ac_inc(idev, addr)`
#[inline(always)]
fn join(ctx: &ProbeContext) -> Option<()> {
    let idev = ctx.object(0);
    let at = ctx.object(1);
    let address: Address = at.read()?;
    if address.is_link_local() {
        return None;
    }
    let newest = idev.follow(&globals::IDEV_ANYCAST)?;
    let mut call = Call {
        idev: idev.0,
        address,
        newest: newest.0,
        ifaddr: 0,
        trigger: 0,
        change: JOINED,
    };
    if REQUESTS.is_about(at.0) {
        call.trigger = SETSOCKOPT;
    } else if let Some(&mut [ifaddr, of]) = USABLE.current()
        && of == idev.0
    {
        call.trigger = ADDRESS_USABLE;
        call.ifaddr = ifaddr;
    } else if FORWARDING_CHANGES.is_about(idev.0) {
        call.trigger = FORWARDING_CHANGE;
    }
    ANYCAST_CALLS.begin(&call);
    Some(())
}

#[inline(always)]
fn joined(ctx: &RetProbeContext) -> Option<()> {
    let ret: i32 = ctx.ret();
    let call = ANYCAST_CALLS.take()?;
    if ret != 0 || call.change != JOINED || !is_new(&call) {
        return None;
    }
    if call.trigger == 0 {
        output::call_unknown(wire::JOIN);
        return None;
    }
    send(ctx, &call, wire::JOIN)
}

/// `__ipv6_dev_ac_dec(idev, addr)`, of interest where forwarding ends.
#[inline(always)]
fn leave(ctx: &ProbeContext) -> Option<()> {
    let idev = ctx.object(0);
    if !FORWARDING_CHANGES.is_about(idev.0) {
        return None;
    }
    let address: Address = ctx.object(1).read()?;
    if address.is_link_local() || !is_last_user(idev, address) {
        return None;
    }
    ANYCAST_CALLS.begin(&Call {
        idev: idev.0,
        address,
        newest: 0,
        ifaddr: 0,
        trigger: FORWARDING_CHANGE,
        change: RELEASED,
    });
    Some(())
}

#[inline(always)]
fn left(ctx: &RetProbeContext) -> Option<()> {
    let ret: i32 = ctx.ret();
    let call = ANYCAST_CALLS.take()?;
    if ret != 0 || call.change != RELEASED {
        return None;
    }
    send(ctx, &call, wire::LEAVE)
}
