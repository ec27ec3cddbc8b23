//! Looks which sockets have a port that a socket was refused.

use std::{collections::HashSet, io};

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
        let found = in_use.filter_map(|(index, event, refused)| {
            Some((index, look(event, refused, batch)?.into()))
        });
        found.collect()
    }
}

fn look(event: &Event, refused: &LocalAddressRefused, batch: &mut Batch) -> Option<PortUse> {
    let number = refused.socket?.protocol;
    let protocol = match number {
        TCP => Protocol::Tcp,
        UDP => Protocol::Udp,
        _ => return None,
    };
    let port = u16::try_from(refused.port).ok()?;
    let paths = batch.nearest_paths(event);
    let found = enter::within(event.netns, &paths, || all(protocol, port));
    let mut sockets = found
        .inspect_err(|error| log::debug!("who has port {port} in {}: {error}", event.netns))
        .ok()?;
    sockets.sort_by_key(|socket| socket.peer.is_some());
    sockets.truncate(LISTED);
    let inodes = sockets.iter().map(|socket| socket.inode);
    let wanted: HashSet<u32> = inodes.filter(|&inode| inode != 0).collect();
    let owners = owners::of(&wanted);
    for socket in &mut sockets {
        socket.process = owners.get(&socket.inode).cloned();
    }
    Some(PortUse {
        boot_ns: clock::boot_ns(),
        netns: event.netns,
        protocol: number,
        port: refused.port,
        sockets,
    })
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
    }
}
