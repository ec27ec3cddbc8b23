//! Addresses that failed before: one alone may be anybody's, several that met
//! the same node have a cause in common.

use std::{collections::VecDeque, net::Ipv6Addr};

use super::DadFailure;
use crate::{
    event::Event,
    families::Payload,
    frame::{Mac, Message, Nonce},
    ifa,
};

/// Failures that are remembered: of a few interfaces, all that they try.
const REMEMBERED: usize = 64;

/// The addresses that were found in use so far.
#[derive(Debug, Default)]
pub struct Earlier {
    /// All of them, the last first.
    all: VecDeque<FoundInUse>,
    /// The stable-privacy addresses among them.
    private: VecDeque<Failed>,
}

/// An address that was found in use.
#[derive(Debug)]
pub(crate) struct FoundInUse {
    netns: u32,
    ifindex: u32,
    address: Ipv6Addr,
    /// When, nanoseconds since boot.
    pub(crate) boot_ns: u64,
    /// The MAC from which the frame came that said so.
    pub(crate) source_mac: Option<Mac>,
}

/// One of them.
#[derive(Debug)]
struct Failed {
    netns: u32,
    ifindex: u32,
    address: Ipv6Addr,
    source_mac: Mac,
}

impl Earlier {
    /// Remembers a failure, if the event is one of those.
    pub(crate) fn remember(&mut self, event: &Event) {
        let Payload::DadFailure(failure) = &event.payload else {
            return;
        };
        let source_mac = failure.frame.source_mac();
        self.all.truncate(REMEMBERED - 1);
        self.all.push_front(FoundInUse {
            netns: event.netns,
            ifindex: failure.ifindex,
            address: failure.address,
            boot_ns: event.boot_ns,
            source_mac,
        });
        let Some(source_mac) = source_mac else {
            return;
        };
        if !is_stable_privacy(failure) || may_be_reflected(failure) {
            return;
        }
        self.private.truncate(REMEMBERED - 1);
        self.private.push_front(Failed {
            netns: event.netns,
            ifindex: failure.ifindex,
            address: failure.address,
            source_mac,
        });
    }

    /// When and by whom an interface's address was found in use, the last time.
    pub(crate) fn last(&self, netns: u32, ifindex: u32, address: Ipv6Addr) -> Option<&FoundInUse> {
        let mut all = self.all.iter();
        all.find(|one| (one.netns, one.ifindex, one.address) == (netns, ifindex, address))
    }

    /// Another stable-privacy address of the interface that was found in use by
    /// the same node, the last one; `None` unless this is such an address, too.
    pub(super) fn by_same_node(&self, netns: u32, failure: &DadFailure) -> Option<Ipv6Addr> {
        let source_mac = failure.frame.source_mac()?;
        let mut failed = self.private.iter().filter(|_| is_stable_privacy(failure));
        let found = failed.find(|failed| {
            (failed.netns, failed.ifindex) == (netns, failure.ifindex)
                && failed.source_mac == source_mac
                && failed.address != failure.address
        });
        found.map(|failed| failed.address)
    }
}

/// Whether the frame may be the interface's own, which tells of no other node.
fn may_be_reflected(failure: &DadFailure) -> bool {
    let frame = &failure.frame;
    let says_whose = match frame.message() {
        Some(Message::Solicitation) => frame.nonce().is_some_and(|nonce| nonce != Nonce::NONE),
        Some(Message::Advertisement) => failure.flags.unwrap_or_default() & ifa::OPTIMISTIC == 0,
        None => false,
    };
    frame.source_mac() == failure.own_mac && !says_whose
}

fn is_stable_privacy(failure: &DadFailure) -> bool {
    failure.flags.unwrap_or_default() & ifa::STABLE_PRIVACY != 0
}
