//! A token or an address generation mode that is refused before the interface
//! looks at it (`inet6_validate_link_af`).
//!
//! The function has its answer in no time, so it is asked at the return what it
//! was asked for.

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::address::{
    self as wire, MODE_ASKED, SECRET_READ, SECRET_SET, SETTINGS_HAS_INET6, SETTINGS_INET6_READ,
    SETTINGS_MTU_READ, SettingsRefused, TOKEN_ASKED,
};

use super::{globals, often::suppressed};
use crate::{
    attachment::Arguments as _,
    attributes,
    calls::Calls,
    kernel::{self, Device, Net},
    netlink,
    output::{self, Record},
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// `-EAFNOSUPPORT` and `-EINVAL`
const NO_FAMILY: i32 = -97;
const INVALID: i32 = -22;
/// `IN6_ADDR_GEN_MODE_STABLE_PRIVACY`
const STABLE_SECRET: u32 = 2;

/// A request between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    device: u64,
    request: u64,
}

/// Requests in flight.
#[map]
static SETTINGS_CALLS: Calls<Call> = Calls::new(256);

#[map]
static SETTINGS_RECORD: Scratch<Record<SettingsRefused>> = Scratch::new();

/// `inet6_validate_link_af(dev, nla, ...)`, without a device where that is yet to
/// be made.
#[inline(always)]
pub(super) fn asked(ctx: &ProbeContext) {
    SETTINGS_CALLS.begin(&Call {
        device: ctx.number(0),
        request: ctx.number(1),
    });
}

#[inline(always)]
pub(super) fn answered(ctx: &RetProbeContext) -> Option<()> {
    let ret: i32 = ctx.ret();
    let Some(call) = SETTINGS_CALLS.take() else {
        if ret < 0 {
            output::call_unknown(wire::SETTINGS);
        }
        return None;
    };
    if ret >= 0 || call.device == 0 {
        return None;
    }
    let device = Device(Pointer(call.device));
    let net = Net(device.0.follow(&globals::DEV_NET)?);
    let (netns, ifindex) = (net.inum()?, device.ifindex()?);
    let record = SETTINGS_RECORD.get()?;
    let payload = &mut record.payload;
    let (mtu, read) = device.0.flagged(&globals::DEV_MTU, SETTINGS_MTU_READ);
    payload.mtu = mtu;
    payload.settings = read | request(call.request, payload) | state(device, net);
    if is_explained(ret, payload) {
        netlink::judged(call.request);
    }
    payload.suppressed = suppressed(wire::SETTINGS, netns, ifindex, ret)?;
    payload.ret = ret;
    payload.ifindex = ifindex;
    device.name_into(&mut payload.interface);
    record.open(wire::SETTINGS, netns);
    record.send(ctx, wire::SETTINGS);
    Some(())
}

/// Whether userspace has an explanation: the interface has no IPv6, or there is no secret.
#[inline(always)]
fn is_explained(ret: i32, payload: &SettingsRefused) -> bool {
    let secret = payload.settings & (MODE_ASKED | SECRET_READ | SECRET_SET);
    let wants_secret = payload.mode == STABLE_SECRET && secret == MODE_ASKED | SECRET_READ;
    ret == NO_FAMILY || ret == INVALID && wants_secret
}

/// What was asked for.
#[inline(always)]
fn request(at: u64, payload: &mut SettingsRefused) -> u32 {
    let length: u16 = Pointer(at).read().unwrap_or(0);
    let first = Pointer(at + attributes::HEADER);
    attributes::look_through(first, at + u64::from(length));
    let mut asked = 0;
    if attributes::value(attributes::INET6_TOKEN).read_into(&mut payload.token) {
        asked |= TOKEN_ASKED;
    }
    let mode: Option<u8> = attributes::read(attributes::INET6_ADDR_GEN_MODE);
    payload.mode = 0;
    if let Some(mode) = mode {
        payload.mode = mode.into();
        asked |= MODE_ASKED;
    }
    asked
}

/// What the function tests.
#[inline(always)]
fn state(device: Device, net: Net) -> u32 {
    let Some(inet6_dev) = device.0.follow(&globals::DEV_IP6_PTR) else {
        return 0;
    };
    if inet6_dev.0 == 0 {
        return SETTINGS_INET6_READ;
    }
    let mut reading = Reading::new();
    let set = if kernel::has_stable_secret(inet6_dev, net, &mut reading) {
        SECRET_SET
    } else {
        0
    };
    SETTINGS_INET6_READ | SETTINGS_HAS_INET6 | (SECRET_READ & reading.mask()) | set
}
