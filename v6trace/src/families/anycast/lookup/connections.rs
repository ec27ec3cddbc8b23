//! TCP connections to the addresses.
//!
//! Other uses last, but the next segment that is sent on a connection may come
//! back to this host and end in a reset, in a VRF above all. So connections
//! are looked at as soon as a change is read from its buffer; the rest waits
//! until the records are in order, and finds the result here. Those that were
//! there before (`watch`) and no longer are belong to it.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, HashMap, HashSet},
    io,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use super::{Found, Taken, changes, vrf_of, watch::Watch};
use crate::{
    clock,
    event::Event,
    families::anycast::{AnycastChange, Gone, Use, UseKind},
    observe::{
        batch::Batch,
        enter,
        inside::Inside,
        owners,
        sockets::{self, Family, InetSocket, Protocol, Wanted},
    },
    record::Record,
};

/// `TCP_*` of the kernel's `tcp_states.h`.
const ESTABLISHED: u8 = 1;
const SYN_SENT: u8 = 2;
const SYN_RECV: u8 = 3;
const CLOSE: u8 = 7;
const LISTEN: u8 = 10;
/// A bit for each of them.
const STATES: u32 = (1 << 12) - 1;

/// How long after a change it still says something that a connection is gone.
const SOON: Duration = Duration::from_secs(5);

/// A connection to an address that was taken, or would be.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// The address.
    to: Ipv6Addr,
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
    /// One of the ends has closed it.
    Closing,
    Gone(Gone),
}

impl Connection {
    pub(super) fn leads_to(&self, address: Ipv6Addr) -> bool {
        self.to == address
    }

    fn is_of(&self, taken: &Taken<'_>) -> bool {
        // An address means something within its VRF only, and so does a socket.
        let domain = taken.vrf.as_ref().map_or(0, |(vrf, _)| *vrf);
        let in_domain = self.bound == domain || self.bound == taken.change.ifindex;
        in_domain && self.leads_to(taken.change.address)
    }

    fn is_the_same_as(&self, other: &Self) -> bool {
        (self.to, self.bound, &self.ends) == (other.to, other.bound, &other.ends)
    }

    /// None for one that does not matter any more.
    fn as_use(&self) -> Option<Use> {
        let (state, gone) = match self.state {
            State::SynSent => ("SYN_SENT", None),
            State::Established => ("ESTABLISHED", None),
            State::Closing => return None,
            State::Gone(gone) => ("ESTABLISHED before, gone since", Some(gone)),
        };
        let whose = self.process.iter().map(|process| format!("{process} "));
        Some(Use {
            kind: UseKind::Tcp,
            detail: format!("{}{} ({state})", whose.collect::<String>(), self.ends),
            process: self.process.clone(),
            inode: self.inode,
            gone,
            more: 0,
        })
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
    pub(in super::super) fn look(&mut self, records: &[Record], watch: &Watch, batch: &mut Batch) {
        let mut by_namespace: BTreeMap<u32, Vec<(&Event, &AnycastChange)>> = BTreeMap::new();
        for (_, event, change) in changes(records).filter(|(.., change)| change.joined) {
            by_namespace
                .entry(event.netns)
                .or_default()
                .push((event, change));
        }
        for (netns, taken) in by_namespace {
            let Some((first, _)) = taken.first() else {
                continue;
            };
            let addresses = taken.iter().map(|(_, change)| change.address).collect();
            let look = || all_to(&addresses);
            // Whoever is nearest may be gone before it is entered by.
            let mut found = match enter::within(netns, &batch.nearest_paths(first), look)
                .or_else(|_| enter::within(netns, &batch.paths_for(first), look))
            {
                Ok(found) => found,
                // The later look may still find them.
                Err(error) => {
                    log::debug!("connections in {netns}: {error}");
                    continue;
                }
            };
            let looked = clock::boot_ns();
            name_processes(found.iter_mut());
            for (event, change) in taken {
                let leading = found.iter().filter(|one| one.leads_to(change.address));
                let now = leading.cloned().collect();
                let before = watch.before(event.boot_ns, netns, change.address);
                let all = with_gone(now, before, event.boot_ns, looked);
                self.connections.insert(key(event, change), all);
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

/// The connections that are there at a look right after the change at
/// `boot_ns`, then those that were there at one before.
fn with_gone(
    mut now: Vec<Connection>,
    before: Option<(u64, Vec<Connection>)>,
    boot_ns: u64,
    looked: u64,
) -> Vec<Connection> {
    let after_ns = looked.saturating_sub(boot_ns);
    let Some((seen, before)) = before.filter(|_| Duration::from_nanos(after_ns) <= SOON) else {
        return now;
    };
    let gone = State::Gone(Gone {
        before_ns: boot_ns.saturating_sub(seen),
        after_ns,
    });
    let is_gone = |one: &Connection| !now.iter().any(|other| one.is_the_same_as(other));
    let gone: Vec<_> = before
        .into_iter()
        .filter(is_gone)
        .map(|one| Connection { state: gone, ..one })
        .collect();
    now.extend(gone);
    now
}

/// Every connection to some addresses in the namespace of the calling thread,
/// those that are being closed among them.
fn all_to(addresses: &HashSet<Ipv6Addr>) -> io::Result<Vec<Connection>> {
    let unmade = 1 << LISTEN | 1 << SYN_RECV | 1 << CLOSE;
    to(addresses, STATES & !unmade)
}

/// The established ones.
pub(super) fn established_to(addresses: &HashSet<Ipv6Addr>) -> io::Result<Vec<Connection>> {
    to(addresses, 1 << ESTABLISHED)
}

fn to(addresses: &HashSet<Ipv6Addr>, states: u32) -> io::Result<Vec<Connection>> {
    let wanted = Wanted {
        family: Family::V6,
        protocol: Protocol::Tcp,
        states,
        port: 0,
    };
    let vrfs = OnceCell::new();
    sockets::list(wanted, |socket| {
        let (IpAddr::V6(from), IpAddr::V6(to)) = (socket.from, socket.to) else {
            return None;
        };
        if !addresses.contains(&to) {
            return None;
        }
        // Where it is not listed to what it is bound, that is taken to be the VRF
        // that its own address is in.
        let bound = socket.bound.unwrap_or_else(|| {
            let vrfs = vrfs.get_or_init(|| vrfs_of_addresses().unwrap_or_default());
            vrfs.get(&from).copied().unwrap_or(0)
        });
        Some(connection(&socket, from, to, bound))
    })
}

/// The VRFs that addresses are in.
fn vrfs_of_addresses() -> io::Result<HashMap<Ipv6Addr, u32>> {
    let inside = Inside::look()?;
    let held = inside.addresses.iter().filter_map(|held| {
        let IpAddr::V6(address) = held.address else {
            return None;
        };
        let (vrf, _) = vrf_of(&inside.links, held.ifindex)?;
        Some((address, vrf))
    });
    Ok(held.collect())
}

fn connection(socket: &InetSocket, from: Ipv6Addr, to: Ipv6Addr, bound: u32) -> Connection {
    let state = match socket.state {
        ESTABLISHED => State::Established,
        SYN_SENT => State::SynSent,
        _ => State::Closing,
    };
    Connection {
        to,
        bound,
        ends: format!("[{from}]:{} to port {}", socket.from_port, socket.to_port),
        state,
        inode: (socket.inode != 0).then_some(socket.inode),
        process: None,
    }
}

/// Puts the names of processes to connections.
pub(super) fn name_processes<'c>(connections: impl Iterator<Item = &'c mut Connection>) {
    let (wanted, all): (HashSet<u32>, Vec<_>) = connections
        .filter_map(|connection| Some((connection.inode?, connection)))
        .unzip();
    let owners = owners::of(&wanted);
    for connection in all {
        let owner = connection.inode.and_then(|inode| owners.get(&inode));
        connection.process = owner.map(|owner| format!("{}[{}]", owner.comm, owner.pid));
    }
}

/// Those that were seen when the change was read; where nobody looked then,
/// those of the calling thread's namespace now.
pub(super) fn find(all: &[Taken<'_>]) -> io::Result<Found> {
    let unseen = all.iter().filter(|taken| taken.connections.is_none());
    let unseen: HashSet<_> = unseen.map(|taken| taken.change.address).collect();
    let mut now = Vec::new();
    if !unseen.is_empty() {
        now = all_to(&unseen)?;
        name_processes(now.iter_mut());
    }
    let found = all.iter().enumerate().flat_map(|(index, taken)| {
        let connections = taken.connections.as_ref().unwrap_or(&now);
        let own = connections.iter().filter(|one| one.is_of(taken));
        own.filter_map(move |one| Some((index, one.as_use()?)))
    });
    Ok((found.collect(), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: u64 = 30_000_000_000;

    fn details(now: &[Connection], before: &[Connection], looked: u64) -> Vec<(String, bool)> {
        let before = Some((CHANGED - 20, before.to_vec()));
        let all = with_gone(now.to_vec(), before, CHANGED, looked);
        let uses = all.iter().filter_map(Connection::as_use);
        uses.map(|found| {
            let gone = Gone {
                before_ns: 20,
                after_ns: looked - CHANGED,
            };
            assert!(found.gone.is_none_or(|found| found == gone));
            (found.detail, found.gone.is_some())
        })
        .collect()
    }

    #[test]
    fn what_was_there_before_and_no_longer_is_belongs_to_it() {
        let address: Ipv6Addr = "fd00:4::".parse().unwrap();
        let soon = CHANGED + 10;
        let there = [Connection::made_up(address, 0)];
        let other = [Connection::made_up(address, 4)];
        let ends = "bird[7] [fd00:4::5]:40000 to port 179";
        let still = || (format!("{ends} (ESTABLISHED)"), false);
        let gone = || (format!("{ends} (ESTABLISHED before, gone since)"), true);
        assert_eq!(details(&there, &there, soon), [still()]);
        assert_eq!(details(&[], &there, soon), [gone()]);
        assert_eq!(details(&other, &there, soon), [still(), gone()]);
        assert_eq!(details(&there, &[], soon), [still()]);
    }

    #[test]
    fn what_was_closed_in_order_or_ended_much_later_says_nothing() {
        let address: Ipv6Addr = "fd00:4::".parse().unwrap();
        let there = [Connection::made_up(address, 0)];
        let closing = [Connection {
            state: State::Closing,
            ..there[0].clone()
        }];
        assert_eq!(details(&closing, &there, CHANGED + 10), []);
        assert_eq!(details(&[], &there, CHANGED + 6_000_000_000), []);
    }
}
