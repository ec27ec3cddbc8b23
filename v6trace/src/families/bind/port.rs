//! Who has a port that a socket was refused.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::LocalAddressRefused;
use crate::{explain::Subject, record::Finding};

/// The sockets that have a port, as userspace found them right after it was
/// refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortUse {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the namespace.
    pub netns: u32,
    /// `IPPROTO_*`
    pub protocol: u32,
    /// The port.
    pub port: u32,
    /// Those that have it, those first that are not connected, 16 at most.
    pub sockets: Vec<PortSocket>,
}

/// A socket that has the port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortSocket {
    /// Its address: an IPv4 one of an IPv4 socket.
    pub address: IpAddr,
    /// To what it is connected.
    pub peer: Option<(IpAddr, u16)>,
    /// `TCP_*`
    pub state: u8,
    /// The interface that it is bound to, or 0; null where that is not listed.
    pub bound: Option<u32>,
    /// Whose it is.
    pub uid: u32,
    /// Its inode number; 0 where no file is left of it.
    pub inode: u32,
    /// Whether it is for IPv6 alone, where that is listed.
    pub v6only: Option<bool>,
    /// The process that has it open: id and name.
    pub process: Option<(u32, String)>,
}

impl Finding for PortUse {}

impl PortUse {
    /// Who has the port that is refused.
    pub(super) fn of<'a>(refused: &LocalAddressRefused, subject: Subject<'a>) -> Option<&'a Self> {
        let protocol = refused.socket?.protocol;
        let mut found = subject.session.found::<Self>();
        found.find(|found| {
            let asked = (subject.event.netns, protocol, refused.port);
            (found.netns, found.protocol, found.port) == asked
        })
    }
}
