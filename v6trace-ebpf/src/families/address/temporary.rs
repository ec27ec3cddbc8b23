//! Temporary addresses that the kernel ceases to make (`ipv6_create_tempaddr`):
//! after too many failures it sets `use_tempaddr` of the interface to -1.

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::address::{self as wire, TemporaryStopped};

use super::globals;
use crate::{
    attachment::Arguments as _,
    calls::Calls,
    kernel::{Device, Net},
    output::Record,
    pointer::Pointer,
    scratch::Scratch,
};

/// `use_tempaddr` of an interface on which no more are made.
const STOPPED: i32 = -1;

/// One that is being made.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    ifaddr: u64,
    /// `use_tempaddr` of the interface.
    use_tempaddr: i32,
    unused: u32,
}

/// Those that are being made, by thread.
#[map]
static TEMPORARIES: Calls<Call> = Calls::new(256);

#[map]
static TEMPORARY_RECORD: Scratch<Record<TemporaryStopped>> = Scratch::new();

/// `ipv6_create_tempaddr(ifp, ...)`: the address beside which it is made.
#[inline(always)]
pub(super) fn begun(ctx: &ProbeContext) -> Option<()> {
    let ifaddr = ctx.object(0);
    let use_tempaddr: i32 = conf(ifaddr)?.get(&globals::DEVCONF_USE_TEMPADDR)?;
    if use_tempaddr > 0 {
        TEMPORARIES.begin(&Call {
            ifaddr: ifaddr.0,
            use_tempaddr,
            unused: 0,
        });
    }
    Some(())
}

/// Its return, when its caller still holds the address.
#[inline(always)]
pub(super) fn made(ctx: &RetProbeContext) -> Option<()> {
    let call = TEMPORARIES.take()?;
    let ifaddr = Pointer(call.ifaddr);
    let conf = conf(ifaddr)?;
    if conf.get::<i32>(&globals::DEVCONF_USE_TEMPADDR)? != STOPPED {
        return None;
    }
    let inet6_dev = ifaddr.follow(&globals::IFA_IDEV)?;
    let device = Device(inet6_dev.follow(&globals::INET6_DEV_DEV)?);
    let net = Net(device.0.follow(&globals::DEV_NET)?);
    let record = TEMPORARY_RECORD.get()?;
    record.open(wire::TEMPORARY, net.inum()?);
    let payload = &mut record.payload;
    payload.address = ifaddr.get(&globals::IFA_ADDR)?;
    device.name_into(&mut payload.interface);
    payload.ifindex = device.ifindex().unwrap_or(0);
    payload.prefix_len = ifaddr.or_zero(&globals::IFA_PREFIX_LEN);
    payload.regen_max_retry = conf.get(&globals::DEVCONF_REGEN_MAX_RETRY).unwrap_or(-1);
    payload.use_tempaddr = call.use_tempaddr;
    record.send(ctx, wire::TEMPORARY);
    Some(())
}

/// The settings of an address's interface.
#[inline(always)]
fn conf(ifaddr: Pointer) -> Option<Pointer> {
    let inet6_dev = ifaddr.follow(&globals::IFA_IDEV)?;
    inet6_dev.member(&globals::INET6_DEV_CNF)
}
