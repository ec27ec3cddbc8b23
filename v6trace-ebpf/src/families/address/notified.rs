//! What IPv6 is told of interfaces (`addrconf_notify`), as far as it takes
//! addresses away, or makes none as they come up.
//!
//! That an interface was set down looks the same to it whoever did so: an
//! administrator, or the kernel on the way to removing it for good. Only the
//! former passes `__dev_notify_flags`. Of an interface that enters or leaves a VRF
//! (`NETDEV_CHANGEUPPER`) IPv6 takes the same away as if it was set down.

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::address::{
    self as wire, AddressesLost, BY_CARRIER, BY_DISABLE_IPV6, BY_SETTING_UP, DOWN, MTU,
    MTU_OF_LOOPBACK, VRF_ENTERED, VRF_LEFT,
};

use super::{came_up, globals, lost, writers};
use crate::{
    attachment::Arguments as _, calls::Calls, kernel::Device, kernel::Net, pointer::Pointer,
};

/// `NETDEV_UP`, `NETDEV_DOWN`, `NETDEV_CHANGE` and `NETDEV_CHANGEMTU`, the same since
/// they are there.
const EVENT_UP: u64 = 1;
const EVENT_DOWN: u64 = 2;
const EVENT_CHANGE: u64 = 4;
const EVENT_MTU: u64 = 7;
/// `IPV6_MIN_MTU`: with less an interface has no IPv6 (RFC 8200 section 5).
const MIN_MTU: u32 = 1280;

/// Interfaces whose flags changed, by thread.
#[map]
static FLAG_CHANGES: Calls<u64> = Calls::new(256);

/// Interfaces that IPv6 is told of, by thread, where that takes something away.
#[map]
static TAKEN: Calls<u64> = Calls::new(256);

/// `__dev_notify_flags(dev, old_flags, gchanges, ...)`
#[inline(always)]
pub(super) fn flags_changed(ctx: &ProbeContext) {
    // A failed insertion shows as an interface that nobody set down.
    FLAG_CHANGES.begin(&ctx.number(0));
}

#[inline(always)]
pub(super) fn flags_told(_ctx: &RetProbeContext) {
    FLAG_CHANGES.end();
}

/// Whether this thread tells of a change of the device's flags: of one that is down,
/// that somebody has set it down.
#[inline(always)]
pub(crate) fn is_set_down(device: Device) -> bool {
    FLAG_CHANGES.is_about(device.0.0)
}

/// `addrconf_notify(this, event, info)`; without `this` it is a write of
/// `disable_ipv6` that calls it.
#[inline(always)]
pub(super) fn notified(ctx: &ProbeContext) -> Option<()> {
    came_up::forget();
    let event = ctx.number(1);
    if event == u64::from(globals::CHANGE_UPPER.load()) {
        return moved(ctx.object(2));
    }
    if !matches!(event, EVENT_UP | EVENT_DOWN | EVENT_CHANGE | EVENT_MTU) {
        return None;
    }
    let device = Device(ctx.object(2).follow(&globals::NOTIFIER_DEV)?);
    let is_write = ctx.number(0) == 0;
    let by = match event {
        EVENT_UP if is_write => BY_DISABLE_IPV6,
        EVENT_UP => BY_SETTING_UP,
        _ => BY_CARRIER,
    };
    if event == EVENT_UP || event == EVENT_CHANGE {
        came_up::begins(device, by);
    }
    if is_write {
        return writers::switched(device, event == EVENT_DOWN);
    }
    let mtu: u32 = device.0.get(&globals::DEV_MTU)?;
    let trigger = match event {
        EVENT_MTU if mtu < MIN_MTU => MTU,
        EVENT_DOWN if is_set_down(device) => DOWN,
        _ => return None,
    };
    take(device, trigger)?.mtu = mtu;
    Some(())
}

/// Begins a list of what an interface loses.
#[inline(always)]
fn take(device: Device, trigger: u32) -> Option<&'static mut AddressesLost> {
    let net = Net(device.0.follow(&globals::DEV_NET)?);
    let lost = lost::begin(trigger, net.inum()?)?;
    TAKEN.begin(&device.0.0);
    Some(lost)
}

/// An interface has another master, or none any more.
#[inline(always)]
fn moved(info: Pointer) -> Option<()> {
    let device = Device(info.follow(&globals::NOTIFIER_DEV)?);
    // What is deleted loses everything, and leaves its VRF on the way.
    if device.0.or_zero::<u8>(&globals::DEV_DISMANTLE) != 0 {
        return None;
    }
    let upper = Device(info.follow(&globals::NOTIFIER_UPPER)?);
    let linking: u8 = info.get(&globals::NOTIFIER_LINKING)?;
    if upper.0.follow(&globals::DEV_L3MDEV_OPS)?.0 == 0 {
        return None;
    }
    let trigger = if linking != 0 { VRF_ENTERED } else { VRF_LEFT };
    let lost = take(device, trigger)?;
    upper.name_into(&mut lost.vrf);
    Some(())
}

#[inline(always)]
pub(super) fn told(ctx: &RetProbeContext) {
    came_up::ended(ctx);
    taken(ctx);
}

#[inline(always)]
fn taken(ctx: &RetProbeContext) -> Option<()> {
    let device = Device(Pointer(TAKEN.take()?));
    let lost = lost::current()?;
    if lost.trigger == MTU && device.inet6().is_some() {
        lost.trigger = MTU_OF_LOOPBACK;
    }
    lost::end(ctx, wire::NOTIFIED)
}
