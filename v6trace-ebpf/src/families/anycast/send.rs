//! The record of a change.

use aya_ebpf::{EbpfContext, macros::map};
use v6trace_common::{
    Hook, INTERFACE_NAME_LEN,
    families::anycast::{
        ACCEPT_RA_READ, ALL_FORWARDING_READ, AnycastChange, FORCE_FORWARDING_READ,
        FORWARDING_CHANGE, FORWARDING_READ,
    },
};

use super::{
    Call, forwarding, globals,
    search::{TENTATIVE, anycast_prefix},
};
use crate::{
    address::Address,
    kernel::{Device, Net},
    output::Record,
    pointer::Pointer,
    scratch::Scratch,
};

#[map]
static ANYCAST_RECORD: Scratch<Record<AnycastChange>> = Scratch::new();

/// Looks for what the change follows from, and sends its record.
#[inline(always)]
pub(super) fn send<C: EbpfContext>(ctx: &C, call: &Call, hook: Hook) -> Option<()> {
    let record = ANYCAST_RECORD.get()?;
    let Address { upper, lower } = call.address;
    let ignore = if call.trigger == FORWARDING_CHANGE {
        TENTATIVE
    } else {
        0
    };
    let found = anycast_prefix(call.idev, upper, lower, call.ifaddr, ignore);
    let idev = Pointer(call.idev);
    let device = Device(idev.follow(&globals::INET6_DEV_DEV)?);
    let net: u64 = device.0.or_zero(&globals::DEV_NET);
    let net = Net(Pointer(net));
    record.open(hook, net.inum()?);
    let payload = &mut record.payload;
    payload.address = call.address.bytes();
    device.name_into(&mut payload.interface);
    payload.ifindex = device.0.or_zero(&globals::DEV_IFINDEX);
    payload.change = call.change;
    payload.trigger = call.trigger;
    payload.prefix_len = found as u32;
    let mut flags = (found >> 32) as u32;
    let mut read = |object: Pointer, member, flag| {
        let (value, flag) = object.flagged(member, flag);
        flags |= flag;
        value
    };
    payload.forwarding = read(idev, &globals::CNF_FORWARDING, FORWARDING_READ);
    payload.accept_ra = read(idev, &globals::CNF_ACCEPT_RA, ACCEPT_RA_READ);
    payload.force_forwarding = read(idev, &globals::CNF_FORCE_FORWARDING, FORCE_FORWARDING_READ);
    payload.flags = flags;
    payload.written = 0;
    payload.written_interface = [0; INTERFACE_NAME_LEN];
    if call.trigger == FORWARDING_CHANGE
        && let Some(write) = forwarding::write_in_flight()
    {
        payload.written = write.written;
        payload.written_interface = write.interface;
        write.anycast += 1;
    }
    payload.all_forwarding = 0;
    if let Some(value) = forwarding::all_forwarding(net).and_then(Pointer::read) {
        payload.all_forwarding = value;
        payload.flags |= ALL_FORWARDING_READ;
    }
    // Connections to the address may end with the next segment.
    record.send_at_once(ctx, hook);
    Some(())
}
