//! A request that was refused.

use v6trace_common::families::request as wire;

use super::asked::{Asked, Deed, What, attribute_at};
use crate::{
    errno::Errno,
    event::{Name, name, text},
    families::{Decode, device::Device},
};

/// A request that the kernel refused, and that no other family has judged.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRefused {
    /// Of what sort it is.
    pub what: What,
    /// What was to be done about it.
    pub deed: Deed,
    /// What was asked for; `None` where that could not be read.
    pub asked: Option<Asked>,
    /// `RTM_*`
    pub message_type: u32,
    /// `NLM_F_*`
    pub flags: u32,
    /// Why it was refused.
    pub errno: Errno,
    /// What the kernel says of it, if anything.
    pub said: Option<String>,
    /// Whether it is known what the kernel says.
    pub said_read: bool,
    /// The name of the attribute that the kernel points at, if it does.
    pub attribute: Option<String>,
    /// The index of the interface that the request names, if it names one by that.
    pub ifindex: Option<u32>,
    /// That interface.
    pub device: Device<Name>,
    /// The MTU of that interface, bytes.
    pub mtu: Option<u32>,
    /// What the task is capable of in its user namespace, the lower half.
    pub capabilities: Option<u32>,
    /// Such refusals that were not reported since the last report.
    pub suppressed: u32,
    /// Whether it waited until the session's end, with those.
    pub is_held: bool,
}

impl Decode for RequestRefused {
    type Wire = wire::RequestRefused;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.found & flag != 0;
        let length = usize::try_from(wire.request_len).unwrap_or(usize::MAX);
        let bytes = &wire.request[..length.min(wire.request.len())];
        let said = text(&wire.said);
        let (what, deed) = What::of(wire.message_type);
        let device = Device::of(
            has(wire::INTERFACE_FOUND),
            has(wire::INTERFACE_ABSENT),
            || name(&wire.interface),
        );
        let names = |ifindex| {
            let name = device.found().filter(|_| wire.ifindex == ifindex);
            name.map(Name::to_string)
        };
        let is_all = length <= wire.request.len();
        Self {
            what,
            deed,
            asked: has(wire::REQUEST_READ)
                .then(|| Asked::read(what, bytes, is_all, &names))
                .flatten(),
            message_type: wire.message_type,
            flags: wire.message_flags,
            errno: Errno(wire.ret.saturating_neg()),
            said: (!said.is_empty()).then_some(said),
            said_read: has(wire::SAID_READ),
            attribute: (has(wire::ATTRIBUTE_FOUND) && has(wire::REQUEST_READ))
                .then(|| attribute_at(what, bytes, wire.bad_attribute))
                .flatten(),
            ifindex: (wire.ifindex != 0).then_some(wire.ifindex),
            device,
            mtu: has(wire::MTU_READ).then_some(wire.mtu),
            capabilities: has(wire::TASK_READ).then_some(wire.capabilities),
            suppressed: wire.suppressed,
            is_held: has(wire::HELD_BACK),
        }
    }
}
