//! What IPv6 is told of interfaces (`addrconf_notify`), as far as it takes
//! addresses away.
//!
//! That an interface was set down looks the same to it whoever did so: an
//! administrator, or the kernel on the way to removing it for good. Only the
//! former passes `__dev_notify_flags`; so does a VRF, which sets each interface down
//! and up that enters or leaves it, right after it has told of that
//! (`NETDEV_CHANGEUPPER`).

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::{
    INTERFACE_NAME_LEN,
    families::address::{self as wire, DOWN, MTU, MTU_OF_LOOPBACK, VRF_ENTERED, VRF_LEFT},
};

use super::{globals, lost, writers};
use crate::{
    attachment::Arguments as _, calls::Calls, kernel::Device, kernel::Net, pointer::Pointer,
};

/// `NETDEV_UP`, `NETDEV_DOWN` and `NETDEV_CHANGEMTU`, the same since they are
/// there.
const EVENT_UP: u64 = 1;
const EVENT_DOWN: u64 = 2;
const EVENT_MTU: u64 = 7;
/// `IFF_UP`
const UP: u32 = 1;
/// `IPV6_MIN_MTU`: with less an interface has no IPv6 (RFC 8200 section 5).
const MIN_MTU: u32 = 1280;

/// Interfaces whose flags changed, by thread.
#[map]
static FLAG_CHANGES: Calls<u64> = Calls::new(256);

/// An interface that has entered or left a VRF, which is about to set it down.
#[repr(C)]
#[derive(Clone, Copy)]
struct Move {
    device: u64,
    /// What takes away what goes then.
    trigger: u64,
    vrf: [u8; INTERFACE_NAME_LEN],
}

/// Such interfaces, by thread.
#[map]
static VRF_MOVES: Calls<Move> = Calls::new(256);

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

/// `addrconf_notify(this, event, info)`; without `this` it is a write of
/// `disable_ipv6` that calls it.
#[inline(always)]
pub(super) fn notified(ctx: &ProbeContext) -> Option<()> {
    let event = ctx.number(1);
    if event == u64::from(globals::CHANGE_UPPER.load()) {
        return moved(ctx.object(2));
    }
    if event != EVENT_UP && event != EVENT_DOWN && event != EVENT_MTU {
        return None;
    }
    let device = Device(ctx.object(2).follow(&globals::NOTIFIER_DEV)?);
    if ctx.number(0) == 0 {
        return writers::switched(device, event == EVENT_DOWN);
    }
    let mtu: u32 = device.0.get(&globals::DEV_MTU)?;
    let trigger = match event {
        EVENT_MTU if mtu < MIN_MTU => MTU,
        EVENT_DOWN if FLAG_CHANGES.is_about(device.0.0) => DOWN,
        _ => return None,
    };
    let net = Net(device.0.follow(&globals::DEV_NET)?);
    let lost = lost::begin(trigger, net.inum()?)?;
    lost.mtu = mtu;
    if trigger == DOWN
        && let Some(by) = VRF_MOVES.take()
        && by.device == device.0.0
    {
        lost.trigger = by.trigger as u32;
        lost.vrf = by.vrf;
    }
    TAKEN.begin(&device.0.0);
    Some(())
}

/// An interface has another master. A VRF sets down only what is up.
#[inline(always)]
fn moved(info: Pointer) -> Option<()> {
    let device = Device(info.follow(&globals::NOTIFIER_DEV)?);
    let upper = Device(info.follow(&globals::NOTIFIER_UPPER)?);
    let linking: u8 = info.get(&globals::NOTIFIER_LINKING)?;
    let is_vrf = upper.0.follow(&globals::DEV_L3MDEV_OPS)?.0 != 0;
    let flags: u32 = device.0.get(&globals::DEV_FLAGS)?;
    if !is_vrf || flags & UP == 0 {
        return None;
    }
    let trigger = if linking != 0 { VRF_ENTERED } else { VRF_LEFT };
    VRF_MOVES.begin(&Move {
        device: device.0.0,
        trigger: trigger.into(),
        vrf: upper.name(),
    });
    Some(())
}

#[inline(always)]
pub(super) fn told(ctx: &RetProbeContext) -> Option<()> {
    let device = Device(Pointer(TAKEN.take()?));
    let lost = lost::current()?;
    if lost.trigger == MTU && device.inet6().is_some() {
        lost.trigger = MTU_OF_LOOPBACK;
    }
    lost::end(ctx, wire::NOTIFIED)
}
