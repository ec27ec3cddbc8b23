//! The IPv6 neighbours of the calling thread's network namespace, over netlink.

use std::{io, net::Ipv6Addr};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    neighbour::{
        NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
    },
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::netlink;
use crate::{families::neighbour::Counts, frame::Mac};

/// Milliseconds of a tick in which the kernel tells times (`USER_HZ`).
const TICK_MS: u64 = 10;

/// An entry of the table.
#[derive(Clone, Debug)]
pub(crate) struct Neighbour {
    pub(crate) ifindex: u32,
    pub(crate) address: Ipv6Addr,
    pub(crate) state: NeighbourState,
    /// Whether it takes no room in the table: it was set for good, or by a program
    /// that keeps it up to date.
    pub(crate) is_exempt: bool,
    /// Its address on the link, empty without.
    pub(crate) lladdr: Vec<u8>,
    /// For how long nothing has confirmed that it is there, milliseconds.
    pub(crate) unconfirmed_ms: Option<u64>,
}

/// What `keep` makes of all of them.
pub(crate) fn list<T>(mut keep: impl FnMut(Neighbour) -> Option<T>) -> io::Result<Vec<T>> {
    let mut request = NeighbourMessage::default();
    request.header.family = AddressFamily::Inet6;
    let request = RouteNetlinkMessage::GetNeighbour(request);
    netlink::dump(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewNeighbour(entry) => keep(Neighbour::new(entry)?),
        _ => None,
    })
}

/// A neighbour in this state, counted.
pub(crate) fn count(state: NeighbourState) -> Counts {
    let mut one = Counts::default();
    match state {
        NeighbourState::Incomplete | NeighbourState::Failed => one.unanswered = 1,
        NeighbourState::Reachable
        | NeighbourState::Stale
        | NeighbourState::Delay
        | NeighbourState::Probe => one.answered = 1,
        _ => one.other = 1,
    }
    one
}

impl Neighbour {
    /// `None` of what has no address.
    pub(crate) fn new(entry: NeighbourMessage) -> Option<Self> {
        let state = entry.header.state;
        let mut address = None;
        let mut lladdr = Vec::new();
        let mut unconfirmed_ms = None;
        for attribute in entry.attributes {
            match attribute {
                NeighbourAttribute::Destination(NeighbourAddress::Inet6(it)) => address = Some(it),
                NeighbourAttribute::LinkLayerAddress(bytes) => lladdr = bytes,
                NeighbourAttribute::CacheInfo(info) => {
                    unconfirmed_ms = Some(u64::from(info.confirmed) * TICK_MS);
                }
                _ => {}
            }
        }
        let is_learned = entry.header.flags.contains(NeighbourFlags::ExtLearned);
        Some(Self {
            ifindex: entry.header.ifindex,
            address: address?,
            state,
            is_exempt: state == NeighbourState::Permanent || is_learned,
            lladdr,
            unconfirmed_ms,
        })
    }

    /// Its address on the link, where that is a MAC.
    pub(crate) fn mac(&self) -> Option<Mac> {
        Some(Mac(<[u8; 6]>::try_from(self.lladdr.as_slice()).ok()?))
    }
}
