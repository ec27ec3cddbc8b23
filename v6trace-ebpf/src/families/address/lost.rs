//! What a thread takes from interfaces, from where it begins to where it ends.

use aya_ebpf::{macros::map, programs::RetProbeContext};
use v6trace_common::{
    Hook,
    families::address::{AddressesLost, DOWN, VRF_ENTERED, VRF_LEFT},
};

use super::often::suppressed;
use crate::{calls::Calls, output::Record, scratch::Scratch};

/// Records of losses in flight, by thread.
#[map]
static ADDRESS_LOSSES: Calls<Record<AddressesLost>> = Calls::new(256);

/// A record of no loss, never written: too large to be made on the stack.
#[map]
static NO_LOSS: Scratch<Record<AddressesLost>> = Scratch::new();

/// Begins an empty list of what goes by this trigger in a namespace.
#[inline(always)]
pub(super) fn begin(trigger: u32, netns: u32) -> Option<&'static mut AddressesLost> {
    if !ADDRESS_LOSSES.begin(NO_LOSS.get()?) {
        return None;
    }
    let record = ADDRESS_LOSSES.current()?;
    record.header.netns = netns;
    record.payload.trigger = trigger;
    Some(&mut record.payload)
}

/// The list of this thread.
#[inline(always)]
pub(super) fn current() -> Option<&'static mut AddressesLost> {
    ADDRESS_LOSSES.current().map(|record| &mut record.payload)
}

/// Sends the list, unless it holds nothing that anybody wants to know.
#[inline(always)]
pub(super) fn end(ctx: &RetProbeContext, hook: Hook) -> Option<()> {
    let record = ADDRESS_LOSSES.current()?;
    let netns = record.header.netns;
    let payload = &mut record.payload;
    // Setting an interface down always takes what the kernel makes itself, and
    // makes again when it is set up.
    let addresses = if matches!(payload.trigger, DOWN | VRF_ENTERED | VRF_LEFT) {
        payload.set_count
    } else {
        payload.address_count
    };
    if addresses | payload.route_count != 0
        && let Some(suppressed) = suppressed(hook, netns, payload.ifindex, payload.trigger as i32)
    {
        payload.suppressed = suppressed;
        record.open(hook, netns);
        record.send(ctx, hook);
    }
    ADDRESS_LOSSES.end();
    Some(())
}
