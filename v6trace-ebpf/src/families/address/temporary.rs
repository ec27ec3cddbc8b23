//! Temporary addresses that the kernel ceases to make: where one is found in use
//! (`addrconf_dad_stop`) it makes another, and where too many were, it sets
//! `use_tempaddr` of the interface to -1.

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
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// `IFA_F_TEMPORARY`
const TEMPORARY: u32 = 0x01;
/// `use_tempaddr` of an interface on which no more are made.
const STOPPED: i32 = -1;

/// An address that is being given up, which is gone when that returns.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    inet6_dev: u64,
    /// What goes out, but for what is read at the return.
    payload: TemporaryStopped,
}

/// Those that are being given up, by thread.
#[map]
static TEMPORARIES: Calls<Call> = Calls::new(256);

#[map]
static TEMPORARY_RECORD: Scratch<Record<TemporaryStopped>> = Scratch::new();

/// `addrconf_dad_stop(ifp, dad_failed)`
#[inline(always)]
pub(super) fn giving_up(ctx: &ProbeContext) -> Option<()> {
    let ifaddr = ctx.object(0);
    let flags: u32 = ifaddr.get(&globals::IFA_FLAGS)?;
    let inet6_dev = ifaddr.follow(&globals::IFA_IDEV)?;
    let use_tempaddr: i32 = conf(inet6_dev)?.get(&globals::DEVCONF_USE_TEMPADDR)?;
    if flags & TEMPORARY == 0 || use_tempaddr <= 0 {
        return None;
    }
    let mut public_read = Reading::new();
    let public = Pointer(public_read.get(ifaddr, &globals::IFA_PUBLIC));
    let payload = TemporaryStopped {
        address: ifaddr.or_zero(&globals::IFA_ADDR),
        public: public_read.get(public, &globals::IFA_ADDR),
        interface: [0; v6trace_common::INTERFACE_NAME_LEN],
        ifindex: 0,
        prefix_len: ifaddr.or_zero(&globals::IFA_PREFIX_LEN),
        public_flags: public_read.get(public, &globals::IFA_FLAGS),
        regen_max_retry: -1,
        use_tempaddr,
        public_read: public_read.mask() & 1,
    };
    TEMPORARIES.begin(&Call {
        inet6_dev: inet6_dev.0,
        payload,
    });
    Some(())
}

/// Its return; the interface stays as long as its caller has the RTNL lock.
#[inline(always)]
pub(super) fn given_up(ctx: &RetProbeContext) -> Option<()> {
    let call = TEMPORARIES.current()?;
    report(ctx, call);
    TEMPORARIES.end();
    Some(())
}

#[inline(always)]
fn report(ctx: &RetProbeContext, call: &Call) -> Option<()> {
    let inet6_dev = Pointer(call.inet6_dev);
    let conf = conf(inet6_dev)?;
    if conf.get::<i32>(&globals::DEVCONF_USE_TEMPADDR)? != STOPPED {
        return None;
    }
    let device = Device(inet6_dev.follow(&globals::INET6_DEV_DEV)?);
    let net = Net(device.0.follow(&globals::DEV_NET)?);
    let record = TEMPORARY_RECORD.get()?;
    record.open(wire::TEMPORARY, net.inum()?);
    record.payload = call.payload;
    let payload = &mut record.payload;
    device.name_into(&mut payload.interface);
    payload.ifindex = device.ifindex().unwrap_or(0);
    payload.regen_max_retry = conf.get(&globals::DEVCONF_REGEN_MAX_RETRY).unwrap_or(-1);
    record.send(ctx, wire::TEMPORARY);
    Some(())
}

/// The settings of an interface.
#[inline(always)]
fn conf(inet6_dev: Pointer) -> Option<Pointer> {
    inet6_dev.member(&globals::INET6_DEV_CNF)
}
