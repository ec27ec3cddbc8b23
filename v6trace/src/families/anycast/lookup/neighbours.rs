//! The neighbours that have, or had, the addresses.

use std::io;

use netlink_packet_route::neighbour::NeighbourState;

use super::{Found, Taken, each, used};
use crate::{
    families::anycast::{Use, UseKind},
    observe::{
        links::Link,
        neighbours::{self, Neighbour},
    },
};

/// Looks through the neighbours of the calling thread's namespace.
pub(super) fn find(all: &[Taken<'_>]) -> io::Result<Found> {
    let mut found = Vec::new();
    neighbours::list(|entry| {
        found.extend(neighbour(&entry, all));
        None::<()>
    })?;
    Ok((found, true))
}

fn neighbour(entry: &Neighbour, all: &[Taken<'_>]) -> Vec<(usize, Use)> {
    let state = match entry.state {
        NeighbourState::Reachable => "REACHABLE",
        NeighbourState::Stale => "STALE",
        NeighbourState::Delay => "DELAY",
        NeighbourState::Probe => "PROBE",
        NeighbourState::Permanent => "PERMANENT",
        // Its address is not asked for, since EVPN says it, or none is needed.
        NeighbourState::Noarp => "NOARP",
        // The others know no neighbour: none answered, or none was asked.
        _ => return Vec::new(),
    };
    let bytes = entry.lladdr.as_slice();
    each(all, |taken| {
        taken.change.ifindex == entry.ifindex
            && taken.change.address == entry.address
            && !(state == "NOARP" && is_nobody(bytes, &taken.link))
    })
    .map(|(index, taken)| {
        let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let lladdr = match hex.as_slice() {
            [] => String::new(),
            hex => format!("{} ", hex.join(":")),
        };
        let detail = format!("{lladdr}on {} ({state})", taken.change.interface);
        (index, used(UseKind::Neighbour, detail))
    })
    .collect()
}

/// Whether the kernel made an entry for want of a neighbour: on an interface
/// that asks for no addresses, whatever is sent somewhere leaves an entry with no
/// address on the link, or with the interface's own or the one for all
/// (`ndisc_constructor`).
fn is_nobody(lladdr: &[u8], link: &Link) -> bool {
    lladdr.iter().all(|&byte| byte == 0) || link.lladdrs.iter().any(|own| own == lladdr)
}
