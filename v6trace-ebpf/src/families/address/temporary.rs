//! Temporary addresses that the kernel ceases to make: where one is found in use
//! (`addrconf_dad_stop`) it makes another, and where too many were, it sets
//! `use_tempaddr` of the interface to -1. Where none may fail
//! (`regen_max_retry` = 0), or as many were made beside an address as may, it does so
//! ahead of making one, as an advertisement of its prefix comes
//! (`addrconf_prefix_rcv_add_addr`, which another family watches).

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::address::{self as wire, TemporaryStopped};

use super::globals;
use crate::{
    address::{Address, UNSPECIFIED},
    attachment::Arguments as _,
    calls::Calls,
    kernel::{Device, Net},
    output::Record,
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// Bits of the prefixes of which addresses are made.
const ADVERTISED: u32 = 64;
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

/// `use_tempaddr` of an interface that is about to get an address of an advertised
/// prefix.
#[inline(always)]
pub(crate) fn before_advertised(inet6_dev: Pointer) -> i32 {
    let conf = conf(inet6_dev).unwrap_or(Pointer(0));
    conf.or_zero(&globals::DEVCONF_USE_TEMPADDR)
}

/// It has the address, `use_tempaddr` having been that before.
#[inline(always)]
pub(crate) fn after_advertised(
    ctx: &RetProbeContext,
    inet6_dev: Pointer,
    public: Address,
    use_tempaddr: i32,
) -> Option<()> {
    if use_tempaddr <= 0 {
        return None;
    }
    let call = Call {
        inet6_dev: inet6_dev.0,
        payload: TemporaryStopped {
            address: UNSPECIFIED.bytes(),
            public: public.bytes(),
            interface: [0; v6trace_common::INTERFACE_NAME_LEN],
            ifindex: 0,
            prefix_len: ADVERTISED,
            public_flags: 0,
            regen_max_retry: -1,
            use_tempaddr,
            public_read: 1,
        },
    };
    report(ctx, &call)
}

/// The settings of an interface.
#[inline(always)]
fn conf(inet6_dev: Pointer) -> Option<Pointer> {
    inet6_dev.member(&globals::INET6_DEV_CNF)
}
