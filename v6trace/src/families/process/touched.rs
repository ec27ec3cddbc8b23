//! Interfaces that followed processes changed, and hosts that they addressed: what the
//! kernel does to these afterwards, on behalf of nobody, is what comes of it.

use std::{
    collections::{HashSet, VecDeque},
    net::{IpAddr, Ipv6Addr},
};

use v6trace_common::families::process::DATA_LEN;

use super::SystemCall;
use crate::{
    event::{Event, Name, name},
    explain::Diagnosis,
};

/// How many of each are kept.
const MOST: usize = 1024;

/// How long after an address was added, or an interface set up, the kernel may still find
/// something: the wait ahead of a detection of duplicates (a second at most), and the
/// detection itself.
const SETTLES_NS: u64 = 3_000_000_000;

/// So much earlier than a call returns, what it asked for may have its consequences.
const WITHIN_NS: u64 = 1_000_000_000;

/// Requests (`RTM_*`).
const NEW_LINK: u16 = 16;
const SET_LINK: u16 = 19;
const NEW_ADDRESS: u16 = 20;
/// `IFF_UP` and `AF_INET6`
const UP: u32 = 1;
const INET6: u8 = 10;
/// `IFLA_IFNAME`, and where the first attribute of an interface is.
const INTERFACE_NAME: u16 = 3;
const ATTRIBUTES: usize = 32;
/// `IFA_ADDRESS` and `IFA_LOCAL`, and where the first attribute of an address is.
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const ADDRESS_ATTRIBUTES: usize = 24;

/// An interface, as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Interface {
    Index(u32),
    Name(Name),
}

/// What a request over netlink changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Touch {
    interface: Interface,
    /// The address that it is about, where it is one alone.
    address: Option<IpAddr>,
    /// Whether addresses may be tested for duplicates then.
    tests: bool,
}

impl Touch {
    /// Reads the beginning of a request.
    pub(super) fn of(message: &[u8; DATA_LEN]) -> Option<Self> {
        let half = |at: usize| u16::from_le_bytes([message[at], message[at + 1]]);
        let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << u16::BITS;
        let kind = half(4);
        let index = word(20);
        let (tests, address) = match kind {
            NEW_LINK | SET_LINK => (word(24) & word(28) & UP != 0, None),
            NEW_ADDRESS if message[16] == INET6 => {
                let is_address = matches!(half(ADDRESS_ATTRIBUTES + 2), ADDRESS | LOCAL);
                let at = ADDRESS_ATTRIBUTES + 4;
                let bytes = message.get(at..at + 16).filter(|_| is_address)?;
                let bytes: [u8; 16] = bytes.try_into().ok()?;
                (true, Some(Ipv6Addr::from(bytes).into()))
            }
            _ => return None,
        };
        let interface = if index != 0 {
            Interface::Index(index)
        } else {
            // Only a name that is whole is one.
            let end = ATTRIBUTES + usize::from(half(ATTRIBUTES));
            let is_name = half(ATTRIBUTES + 2) == INTERFACE_NAME;
            let bytes = message.get(ATTRIBUTES + 4..end).filter(|_| is_name)?;
            Interface::Name(name(bytes))
        };
        Some(Self {
            interface,
            address,
            tests,
        })
    }
}

/// What was touched, and when.
#[derive(Debug, Default)]
pub(super) struct Touched {
    interfaces: VecDeque<(u32, Touch, u64)>,
    hosts: HashSet<(u32, IpAddr)>,
    settled_ns: u64,
}

impl Touched {
    /// Remembers a call of a followed process.
    pub(super) fn remember(&mut self, event: &Event, call: &SystemCall) {
        if let Some(touch) = &call.touch {
            if self.interfaces.len() == MOST {
                self.interfaces.pop_front();
            }
            let touched = (event.netns, touch.clone(), event.boot_ns);
            self.interfaces.push_back(touched);
            if touch.tests {
                self.settled_ns = event.boot_ns.saturating_add(SETTLES_NS);
            }
        }
        if let Some(host) = call.host()
            && self.hosts.len() < MOST
        {
            self.hosts.insert((event.netns, host));
        }
    }

    /// Until when something may come of it, nanoseconds since boot.
    pub(super) fn settled_ns(&self) -> u64 {
        self.settled_ns
    }

    /// Whether packets to this host may have been those of a followed process.
    pub(super) fn addressed(&self, netns: u32, host: IpAddr) -> bool {
        self.hosts.contains(&(netns, host))
    }

    /// Whether a followed process had changed what the diagnosis is about just before: its
    /// address where that is known, else its interface.
    pub(super) fn changed(&self, diagnosis: &Diagnosis) -> bool {
        self.interfaces.iter().any(|(netns, touch, at)| {
            let is_it = match &touch.interface {
                Interface::Index(index) => diagnosis.ifindex == Some(*index),
                Interface::Name(name) => diagnosis.interface.as_deref() == Some(name.as_str()),
            };
            let is_its = touch.address.is_none() || touch.address == diagnosis.address;
            let within = at.saturating_sub(WITHIN_NS)..=at.saturating_add(SETTLES_NS);
            *netns == diagnosis.netns && is_it && is_its && within.contains(&diagnosis.boot_ns)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, family: u8, index: u32) -> [u8; DATA_LEN] {
        let mut message = [0; DATA_LEN];
        message[4..6].copy_from_slice(&kind.to_le_bytes());
        message[16] = family;
        message[20..24].copy_from_slice(&index.to_le_bytes());
        message
    }

    #[test]
    fn requests_name_interfaces_by_index_and_name() {
        let mut added = message(NEW_ADDRESS, INET6, 7);
        assert_eq!(Touch::of(&added), None);
        (added[24], added[26], added[43]) = (20, 2, 1);
        let touch = Touch::of(&added).unwrap();
        assert_eq!((touch.interface, touch.tests), (Interface::Index(7), true));
        assert_eq!(touch.address, Some(Ipv6Addr::LOCALHOST.into()));
        // IPv4 is no matter of ours.
        added[16] = 2;
        assert_eq!(Touch::of(&added), None);
        let mut up = message(NEW_LINK, 0, 0);
        (up[24], up[28]) = (1, 1);
        up[32..34].copy_from_slice(&7_u16.to_le_bytes());
        up[34..36].copy_from_slice(&INTERFACE_NAME.to_le_bytes());
        up[36..38].copy_from_slice(b"d0");
        let touch = Touch::of(&up).unwrap();
        assert_eq!(touch.interface, Interface::Name("d0".into()));
        assert!(touch.tests);
        // A question, a name that goes on, and nothing at all.
        assert_eq!(Touch::of(&message(18, 0, 7)), None);
        up[32..34].copy_from_slice(&30_u16.to_le_bytes());
        assert_eq!(Touch::of(&up), None);
        assert_eq!(Touch::of(&[0xff; DATA_LEN]), None);
        assert_eq!(Touch::of(&[0; DATA_LEN]), None);
    }
}
