//! How default routes went, as far as that was seen.

use std::collections::VecDeque;

use crate::{
    event::Event,
    families::{Payload, address::Trigger},
};

/// Losses that are remembered.
const LOSSES: usize = 64;

/// What was learnt from the events so far.
#[derive(Debug, Default)]
pub struct Earlier {
    losses: VecDeque<Loss>,
}

/// Default routes that a namespace lost.
#[derive(Debug)]
pub(super) struct Loss {
    netns: u32,
    /// When, nanoseconds since boot.
    pub(super) boot_ns: u64,
    /// Who did it, where that was a task.
    pub(super) by: Option<String>,
    /// What it did.
    pub(super) deed: &'static str,
    /// The interface that they were on, where it was one.
    pub(super) interface: Option<String>,
    /// The code of the cause that tells more of it.
    pub(super) cause: &'static str,
}

impl Earlier {
    /// Remembers an event, if it tells of default routes.
    pub(crate) fn remember(&mut self, event: &Event) {
        let (deed, cause) = match &event.payload {
            Payload::DefaultRoutesPurged(_) => {
                ("wrote a forwarding sysctl", "default-route-purged")
            }
            Payload::AddressesLost(lost)
                if lost.routes.iter().any(|route| route.prefix_len == 0)
                    || lost.learned_count > 0 =>
            {
                match lost.trigger {
                    Trigger::Disabled(_) => ("wrote disable_ipv6", "ipv6-disabled-on-interface"),
                    Trigger::Mtu { .. } => ("set an MTU below 1280", "mtu-took-ipv6"),
                    Trigger::Down => ("set the interface down", "addresses-lost-on-down"),
                    Trigger::VrfEntered => {
                        ("put the interface into a VRF", "addresses-lost-by-vrf")
                    }
                    Trigger::VrfLeft => {
                        ("took the interface out of a VRF", "addresses-lost-by-vrf")
                    }
                    Trigger::Unknown => return,
                }
            }
            _ => return,
        };
        self.losses.truncate(LOSSES - 1);
        self.losses.push_front(Loss {
            netns: event.netns,
            boot_ns: event.boot_ns,
            by: event.culprit().map(|task| task.comm.to_string()),
            deed,
            interface: event.occurrence().interface().map(str::to_owned),
            cause,
        });
    }

    /// The last loss of a namespace.
    pub(super) fn last(&self, netns: u32) -> Option<&Loss> {
        self.losses.iter().find(|loss| loss.netns == netns)
    }
}
