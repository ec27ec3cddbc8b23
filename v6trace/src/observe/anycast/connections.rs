//! TCP connections to the addresses.
//!
//! Other uses last, but the next segment that is sent on a connection may come
//! back to this host and end in a reset, in a VRF above all. So connections
//! are looked at as soon as a change is read from its buffer; the rest waits
//! until the records are in order, and finds the result here. Those that were
//! there before (`watch`) and no longer are belong to it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET6, IPPROTO_TCP},
    inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags},
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;

use super::{
    super::{batch::Batch, enter, netlink, owners},
    Found, Taken, Watch, joined,
};
use crate::{
    decode::{AnycastChange, Event},
    record::{
        KernelRecord,
        anycast_use::{Use, UseKind},
    },
};

const ESTABLISHED: u8 = 1;

/// A connection to an address that was taken.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// The address.
    pub(super) to: Ipv6Addr,
    /// The interface or VRF that its socket is bound to, or 0.
    pub(super) bound: u32,
    /// From where, and to which port.
    ends: String,
    state: State,
    /// The inode number of its socket.
    inode: Option<u32>,
    /// Whose it is, as `comm[pid]`.
    process: Option<String>,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    SynSent,
    Established,
    /// Was established so many nanoseconds before the change, and is gone.
    Gone(u64),
}

impl Connection {
    /// Whether it leads to the address that was taken.
    fn leads_to(&self, taken: &Taken<'_>) -> bool {
        // An address means something within its VRF only, and so does a socket.
        let domain = taken.vrf.as_ref().map_or(0, |(vrf, _)| *vrf);
        let bound = self.bound;
        self.to == taken.change.address && (bound == domain || bound == taken.change.ifindex)
    }

    pub(super) fn is_established(&self) -> bool {
        self.state == State::Established
    }

    fn is_the_same_as(&self, other: &Self) -> bool {
        (self.to, self.bound, &self.ends) == (other.to, other.bound, &other.ends)
    }

    fn as_use(&self) -> Use {
        let (state, gone_ns) = match self.state {
            State::SynSent => ("SYN_SENT", None),
            State::Established => ("ESTABLISHED", None),
            State::Gone(before) => ("ESTABLISHED before, no longer", Some(before)),
        };
        let whose = self.process.iter().map(|process| format!("{process} "));
        Use {
            kind: UseKind::Tcp,
            detail: format!("{}{} ({state})", whose.collect::<String>(), self.ends),
            process: self.process.clone(),
            inode: self.inode,
            gone_ns,
        }
    }

    #[cfg(test)]
    pub(super) fn made_up(to: Ipv6Addr, bound: u32) -> Self {
        Self {
            to,
            bound,
            ends: "[fd00:4::5]:40000 to port 179".to_owned(),
            state: State::Established,
            inode: None,
            process: Some("bird[7]".to_owned()),
        }
    }
}

/// Which change of which namespace: its time and the address.
type Change = (u32, u64, Ipv6Addr);

/// Connections of changes that were read but are not in order yet.
#[derive(Debug, Default)]
pub(in super::super) struct Glances {
    connections: HashMap<Change, Vec<Connection>>,
}

impl Glances {
    /// Looks at the connections to addresses that were taken among `records`,
    /// once for each namespace, and asks `watch` which were there before.
    pub(in super::super) fn look(
        &mut self,
        records: &[KernelRecord],
        watch: &Watch,
        batch: &mut Batch,
    ) {
        let mut by_namespace: BTreeMap<u32, Vec<(&Event, &AnycastChange)>> = BTreeMap::new();
        for (_, event, change) in joined(records) {
            by_namespace
                .entry(event.netns)
                .or_default()
                .push((event, change));
        }
        for (netns, taken) in by_namespace {
            let addresses = taken.iter().map(|(_, change)| change.address).collect();
            let paths = batch.nearest_paths(taken[0].0);
            match enter::within(netns, &paths, || to(&addresses)) {
                Ok(found) => self.connections.extend(taken.iter().map(|(event, change)| {
                    let now = found.iter().filter(|found| found.to == change.address);
                    let now = now.cloned().collect();
                    let before = watch.before(event.boot_ns, netns, change.address);
                    (key(event, change), with_gone(now, before, event.boot_ns))
                })),
                // The later look may still find them.
                Err(error) => log::debug!("connections in {netns}: {error}"),
            }
        }
    }

    /// What was seen at a change, if anyone looked.
    pub(super) fn take(
        &mut self,
        event: &Event,
        change: &AnycastChange,
    ) -> Option<Vec<Connection>> {
        self.connections.remove(&key(event, change))
    }
}

/// The connections that are there, and after them those that were there at a
/// look before `boot_ns`.
fn with_gone(
    mut now: Vec<Connection>,
    (seen, before): (u64, Vec<Connection>),
    boot_ns: u64,
) -> Vec<Connection> {
    let is_there = |one: &Connection| now.iter().any(|other| one.is_the_same_as(other));
    let gone: Vec<_> = before
        .into_iter()
        .filter(|connection| !is_there(connection))
        .map(|connection| Connection {
            state: State::Gone(boot_ns.saturating_sub(seen)),
            ..connection
        })
        .collect();
    now.extend(gone);
    now
}

fn key(event: &Event, change: &AnycastChange) -> Change {
    (event.netns, event.boot_ns, change.address)
}

/// The connections to some addresses in the namespace of the calling thread.
pub(super) fn to(addresses: &HashSet<Ipv6Addr>) -> io::Result<Vec<Connection>> {
    let request = SockDiagMessage::InetRequest(InetRequest {
        family: AF_INET6,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::ESTABLISHED | StateFlags::SYN_SENT,
        socket_id: SocketId::new_v6(),
    });
    let mut found = netlink::dump(NETLINK_SOCK_DIAG, &request, |answer| match answer {
        SockDiagMessage::InetResponse(response) => connection(&response, addresses),
        _ => None,
    })?;
    name_processes(&mut found);
    Ok(found)
}

fn connection(response: &InetResponse, addresses: &HashSet<Ipv6Addr>) -> Option<Connection> {
    let header = &response.header;
    let socket = &header.socket_id;
    let IpAddr::V6(to) = socket.destination_address else {
        return None;
    };
    let state = if header.state == ESTABLISHED {
        State::Established
    } else {
        State::SynSent
    };
    let (from, from_port) = (socket.source_address, socket.source_port);
    let to_port = socket.destination_port;
    addresses.contains(&to).then(|| Connection {
        to,
        bound: socket.interface_id,
        ends: format!("[{from}]:{from_port} to port {to_port}"),
        state,
        inode: (header.inode != 0).then_some(header.inode),
        process: None,
    })
}

/// Puts the names of processes to the connections.
fn name_processes(all: &mut [Connection]) {
    let wanted: HashSet<u32> = all.iter().filter_map(|found| found.inode).collect();
    if wanted.is_empty() {
        return;
    }
    let owners = owners::of(&wanted);
    for found in all {
        let owner = found.inode.and_then(|inode| owners.get(&inode));
        found.process = owner.map(|(pid, comm)| format!("{comm}[{pid}]"));
    }
}

/// Those that were seen when the change was read; where nobody looked then,
/// those of the calling thread's namespace now.
pub(super) fn find(all: &[Taken<'_>]) -> io::Result<Found> {
    let unseen = all.iter().filter(|taken| taken.connections.is_none());
    let unseen: HashSet<_> = unseen.map(|taken| taken.change.address).collect();
    let now = if unseen.is_empty() {
        Vec::new()
    } else {
        to(&unseen)?
    };
    let found = all.iter().enumerate().flat_map(|(index, taken)| {
        let connections = taken.connections.as_ref().unwrap_or(&now);
        let leading = connections.iter().filter(|found| found.leads_to(taken));
        leading.map(move |found| (index, found.as_use()))
    });
    Ok((found.collect(), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_before_and_no_longer_is_belongs_to_it() {
        let address: Ipv6Addr = "fd00:4::".parse().unwrap();
        let there = Connection::made_up(address, 0);
        let there = std::slice::from_ref(&there);
        let details = |now: &[Connection], before: &[Connection]| {
            let all = with_gone(now.to_vec(), (10, before.to_vec()), 30);
            let uses = all.iter().map(Connection::as_use);
            uses.map(|found| (found.detail, found.gone_ns))
                .collect::<Vec<_>>()
        };
        let ends = "bird[7] [fd00:4::5]:40000 to port 179";
        let still = || (format!("{ends} (ESTABLISHED)"), None);
        let gone = || (format!("{ends} (ESTABLISHED before, no longer)"), Some(20));
        let other = [Connection::made_up(address, 4)];
        assert_eq!(details(there, there), [still()]);
        assert_eq!(details(&[], there), [gone()]);
        assert_eq!(details(&other, there), [still(), gone()]);
        assert_eq!(details(there, &[]), [still()]);
    }
}
