//! Interfaces that come up without a link-local address, since they are not to have
//! one made, or there is nothing to make it of.
//!
//! IPv6 makes it when it is told that the link is there (`addrconf_notify`), and sets
//! `IF_READY` ahead of that: what had it before does not come up, and what has it not
//! afterwards is not up yet. Somebody else may be about to make the address, for
//! which userspace waits.

use aya_ebpf::{macros::map, programs::RetProbeContext};
use v6trace_common::families::address::{self as wire, LinkLocalMissing};

use super::{globals, often::suppressed};
use crate::{
    calls::Calls,
    kernel::{self, Device, IF_READY, Net},
    output::Record,
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// `IN6_ADDR_GEN_MODE_NONE` and `IN6_ADDR_GEN_MODE_STABLE_PRIVACY`.
const NONE: u32 = 1;
const STABLE_PRIVACY: u32 = 2;
/// Of [`suppressed`], in place of a trigger: that there is no such address.
const NOT_MADE: i32 = i32::MAX;

/// An interface that is about to come up.
#[repr(C)]
#[derive(Clone, Copy)]
struct Coming {
    device: u64,
    by: u64,
}

/// Those, by thread.
#[map]
static COMING_UP: Calls<Coming> = Calls::new(256);

#[map]
static LINK_LOCAL_RECORD: Scratch<Record<LinkLocalMissing>> = Scratch::new();

/// IPv6 is told that a link may be there.
#[inline(always)]
pub(super) fn begins(device: Device, by: u32) {
    let inet6_dev = device.inet6().unwrap_or(Pointer(0));
    let if_flags: u32 = inet6_dev.or_zero(&globals::INET6_DEV_IF_FLAGS);
    if if_flags & IF_READY == 0 {
        COMING_UP.begin(&Coming {
            device: device.0.0,
            by: by.into(),
        });
    }
}

/// IPv6 is told of something else: whoever was about to come up, of whose return
/// nothing was seen, is not what returns next.
#[inline(always)]
pub(super) fn forget() {
    COMING_UP.end();
}

/// It has been told.
#[inline(always)]
pub(super) fn ended(ctx: &RetProbeContext) -> Option<()> {
    let coming = COMING_UP.take()?;
    let device = Device(Pointer(coming.device));
    let inet6_dev = device.inet6()?;
    let mut reading = Reading::new();
    let if_flags: u32 = reading.get(inet6_dev, &globals::INET6_DEV_IF_FLAGS);
    let mode: u32 = reading.get(inet6_dev, &globals::CNF_ADDR_GEN_MODE);
    let net = Net(Pointer(reading.get(device.0, &globals::DEV_NET)));
    let has_secret = kernel::has_stable_secret(inet6_dev, net, &mut reading);
    let makes_none = mode == NONE || mode == STABLE_PRIVACY && !has_secret;
    if !reading.is_complete() || if_flags & IF_READY == 0 || !makes_none {
        return None;
    }
    let (netns, ifindex) = (net.inum()?, device.ifindex()?);
    let suppressed = suppressed(wire::NOTIFIED, netns, ifindex, NOT_MADE)?;
    let record = LINK_LOCAL_RECORD.get()?;
    record.open(wire::NOTIFIED, netns);
    let payload = &mut record.payload;
    device.name_into(&mut payload.interface);
    payload.ifindex = ifindex;
    payload.addr_gen_mode = mode;
    payload.dev_flags = device.0.or_zero(&globals::DEV_FLAGS);
    payload.device_type = device.0.or_zero::<u16>(&globals::DEV_TYPE).into();
    let l3mdev = device.0.follow(&globals::DEV_L3MDEV_OPS);
    payload.is_vrf = u32::from(l3mdev.is_some_and(|ops| ops.0 != 0));
    payload.came_up_by = coming.by as u32;
    payload.suppressed = suppressed;
    record.send(ctx, wire::NOTIFIED);
    Some(())
}
