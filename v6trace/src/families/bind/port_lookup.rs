//! Looks which sockets have a port that a socket was refused.

use std::{
    collections::{HashMap, HashSet},
    io,
};

use super::{LocalAddressRefused, PortSocket, PortUse, lookup::refusals};
use crate::{
    clock,
    errno::Errno,
    event::Event,
    observe::{
        Looks,
        batch::Batch,
        enter, owners,
        sockets::{self, ANY_STATE, Family, InetSocket, Protocol, Wanted},
    },
    record::{Lookup, Record},
};

/// Sockets that are listed; a server has thousands of connections by one port.
const LISTED: usize = 16;

/// `IPPROTO_*`
const TCP: u32 = 6;
const UDP: u32 = 17;

/// Looks for ports that were refused.
pub(crate) struct Ports;

impl Looks for Ports {
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let in_use = refusals(records).filter(|(.., refused)| refused.errno == Errno::EADDRINUSE);
        let mut listed = HashMap::new();
        let mut found = Vec::new();
        for (index, event, refused) in in_use {
            let Some(asked) = Asked::of(event, refused) else {
                continue;
            };
            let all = listed
                .entry(asked)
                .or_insert_with(|| asked.listed(event, batch));
            if let Some(all) = all {
                let culprit = event.culprit().map(|task| task.pid);
                found.push((index, culprit, asked.in_the_way(all, refused)));
            }
        }
        let sockets = found.iter().flat_map(|(.., port)| &port.sockets);
        let inodes = sockets.map(|socket| socket.inode);
        let wanted: HashSet<u32> = inodes.filter(|&inode| inode != 0).collect();
        let owners = owners::of(&wanted);
        let named = found.into_iter().map(|(index, culprit, mut port)| {
            for socket in &mut port.sockets {
                let Some(owner) = owners.get(&socket.inode) else {
                    continue;
                };
                socket.process = Some((owner.pid, owner.comm.clone()));
                socket.own = culprit.is_some_and(|pid| owner.has(pid));
            }
            (index, port.into())
        });
        named.collect()
    }
}

/// A port that is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Asked {
    netns: u32,
    protocol: u32,
    port: u16,
}

impl Asked {
    fn of(event: &Event, refused: &LocalAddressRefused) -> Option<Self> {
        Some(Self {
            netns: event.netns,
            protocol: refused.socket?.protocol,
            port: u16::try_from(refused.port).ok()?,
        })
    }

    /// All sockets that have it, and when that was.
    fn listed(self, event: &Event, batch: &mut Batch) -> Option<(u64, Vec<PortSocket>)> {
        let protocol = match self.protocol {
            TCP => Protocol::Tcp,
            UDP => Protocol::Udp,
            _ => return None,
        };
        let Self { netns, port, .. } = self;
        let paths = batch.nearest_paths(event);
        let found = enter::within(netns, &paths, || all(protocol, port));
        let sockets = found
            .inspect_err(|error| log::debug!("who has port {port} in {netns}: {error}"))
            .ok()?;
        Some((clock::boot_ns(), sockets))
    }

    /// Those of them that are or may be in the way.
    fn in_the_way(
        self,
        (boot_ns, all): &(u64, Vec<PortSocket>),
        refused: &LocalAddressRefused,
    ) -> PortUse {
        let overlaps =
            |socket: &&PortSocket| socket.overlap(refused.address, refused.v6only).is_some();
        let mut sockets: Vec<_> = all.iter().filter(overlaps).cloned().collect();
        let complete = sockets.len() <= LISTED;
        sockets.sort_by_key(|socket| socket.peer.is_some());
        sockets.truncate(LISTED);
        PortUse {
            boot_ns: *boot_ns,
            netns: self.netns,
            protocol: self.protocol,
            port: self.port.into(),
            sockets,
            complete,
        }
    }
}

/// All that have the port, in the namespace of the calling thread.
fn all(protocol: Protocol, port: u16) -> io::Result<Vec<PortSocket>> {
    let mut all = Vec::new();
    for family in [Family::V4, Family::V6] {
        let wanted = Wanted {
            family,
            protocol,
            states: ANY_STATE,
            port,
        };
        all.extend(sockets::list(wanted, |socket| Some(listed(&socket)))?);
    }
    Ok(all)
}

fn listed(socket: &InetSocket) -> PortSocket {
    PortSocket {
        address: socket.from,
        peer: (socket.to_port != 0).then_some((socket.to, socket.to_port)),
        state: socket.state,
        bound: socket.bound,
        uid: socket.uid,
        inode: socket.inode,
        v6only: socket.v6only,
        process: None,
        own: false,
    }
}
