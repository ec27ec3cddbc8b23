//! The message of neighbour discovery that is processed, and whether it takes a default
//! route away.

use aya_ebpf::macros::map;

use crate::{kernel::Device, scratch::Scratch};

/// ICMPv6 types of the messages that take routes away: a router advertisement with a
/// lifetime of 0, and a neighbour advertisement of a router that is one no longer.
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// The message that was last received on this CPU.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Message {
    pub(super) kind: u32,
    /// Of a router advertisement.
    pub(super) router_lifetime: u32,
    /// The device that it came in by.
    pub(super) device: u64,
    /// How many default routes it took away that are told.
    pub(super) default_routes: u64,
}

#[map]
static NEIGHBOUR_MESSAGE: Scratch<Message> = Scratch::new();

/// A message of neighbour discovery comes in, in a softirq: until it is processed, no
/// other one does on this CPU.
#[inline(always)]
pub(crate) fn message(header: [u8; 8], device: Device) {
    let [kind, _, _, _, _, _, high, low] = header;
    if matches!(kind, ROUTER_ADVERTISEMENT | NEIGHBOUR_ADVERTISEMENT)
        && let Some(message) = NEIGHBOUR_MESSAGE.get()
    {
        message.kind = kind.into();
        message.router_lifetime = u16::from_be_bytes([high, low]).into();
        message.device = device.0.0;
        message.default_routes = 0;
    }
}

/// The one that is processed.
#[inline(always)]
pub(super) fn current() -> Option<&'static mut Message> {
    NEIGHBOUR_MESSAGE.get()
}

/// Whether the message that is processed took a default route away, and that is told.
#[inline(always)]
pub(crate) fn default_route_went() -> bool {
    current().is_some_and(|message| message.default_routes > 0)
}
