//! A route that was refused.

use v6trace_common::families::route as wire;

use super::request::Request;
use crate::{
    errno::Errno,
    event::{name, text},
    families::{
        Decode,
        device::{Device, Interface},
    },
};

/// `RTM_DELROUTE`
const DELETE: u32 = 25;

/// A request for a route that the kernel refused.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteRefused {
    /// Whether it was to be there, or to go.
    pub operation: Operation,
    /// What was asked for; `None` where that could not be read.
    pub request: Option<Request>,
    /// `NLM_F_*`
    pub flags: u32,
    /// Why it was refused.
    pub errno: Errno,
    /// What the kernel says of it, if anything.
    pub said: Option<String>,
    /// Whether it is known what the kernel says.
    pub said_read: bool,
    /// The index of the interface that the request names, if it names one.
    pub ifindex: Option<u32>,
    /// That interface.
    pub device: Device,
    /// Such failures that were not reported since the last report.
    pub suppressed: u32,
    /// Whether it waited until the session's end, with those.
    pub is_held: bool,
}

/// What was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A route was to be added or changed.
    Add,
    /// A route was to be deleted.
    Delete,
}

impl Decode for RouteRefused {
    type Wire = wire::RouteRefused;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.known & flag != 0;
        let length = usize::try_from(wire.request_len).unwrap_or(usize::MAX);
        let bytes = &wire.request[..length.min(wire.request.len())];
        let said = text(&wire.said);
        Self {
            operation: match wire.message_type {
                DELETE => Operation::Delete,
                _ => Operation::Add,
            },
            request: has(wire::REQUEST_READ)
                .then(|| Request::parse(bytes, length <= wire.request.len()))
                .flatten(),
            flags: wire.message_flags,
            errno: Errno(wire.ret.saturating_neg()),
            said: (!said.is_empty()).then_some(said),
            said_read: has(wire::SAID_READ),
            ifindex: (wire.ifindex != 0).then_some(wire.ifindex),
            device: device(wire),
            suppressed: wire.suppressed,
            is_held: has(wire::HELD_BACK),
        }
    }
}

fn device(wire: &wire::RouteRefused) -> Device {
    let has = |flag| wire.known & flag != 0;
    Device::of(
        has(wire::INTERFACE_FOUND),
        has(wire::INTERFACE_ABSENT),
        || Interface {
            name: name(&wire.interface),
            flags: has(wire::DEVICE_FLAGS_READ).then_some(wire.device_flags),
            mtu: has(wire::MTU_READ).then_some(wire.mtu),
            has_ipv6: has(wire::INET6_READ).then_some(has(wire::HAS_INET6)),
            disable_ipv6: has(wire::DISABLE_READ).then_some(wire.disable_ipv6),
        },
    )
}
