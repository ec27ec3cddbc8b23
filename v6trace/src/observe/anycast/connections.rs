//! TCP connections to the addresses.
//!
//! Other uses last, but the next segment that is sent on a connection may come
//! back to this host and end in a reset, in a VRF above all. So connections
//! are looked at as soon as a change is read from its buffer; the rest waits
//! until the records are in order, and finds the result here.

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
    Found, Taken, joined,
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
    to: Ipv6Addr,
    /// The interface or VRF that its socket is bound to, or 0.
    bound: u32,
    /// The rest of it, for a person to read.
    detail: String,
    /// The inode number of its socket.
    inode: Option<u32>,
    /// Whose it is, as `comm[pid]`.
    process: Option<String>,
}

impl Connection {
    /// Whether it leads to the address that was taken.
    fn leads_to(&self, taken: &Taken<'_>) -> bool {
        // An address means something within its VRF only, and so does a socket.
        let domain = taken.vrf.as_ref().map_or(0, |(vrf, _)| *vrf);
        let bound = self.bound;
        self.to == taken.change.address && (bound == domain || bound == taken.change.ifindex)
    }

    fn as_use(&self) -> Use {
        let detail = match &self.process {
            Some(process) => format!("{process} {}", self.detail),
            None => self.detail.clone(),
        };
        Use {
            kind: UseKind::Tcp,
            detail,
            process: self.process.clone(),
            inode: self.inode,
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
    /// once for each namespace.
    pub(in super::super) fn look(&mut self, records: &[KernelRecord], batch: &mut Batch) {
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
                    let connections = found.iter().filter(|found| found.to == change.address);
                    (key(event, change), connections.cloned().collect())
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

fn key(event: &Event, change: &AnycastChange) -> Change {
    (event.netns, event.boot_ns, change.address)
}

/// The connections to some addresses in the namespace of the calling thread.
fn to(addresses: &HashSet<Ipv6Addr>) -> io::Result<Vec<Connection>> {
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
        "ESTABLISHED"
    } else {
        "SYN_SENT"
    };
    let (from, from_port) = (socket.source_address, socket.source_port);
    let to_port = socket.destination_port;
    addresses.contains(&to).then(|| Connection {
        to,
        bound: socket.interface_id,
        detail: format!("[{from}]:{from_port} to port {to_port} ({state})"),
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
