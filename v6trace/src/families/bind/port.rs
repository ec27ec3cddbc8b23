//! Who has a port that a socket was refused.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::LocalAddressRefused;
use crate::{explain::Subject, record::Finding};

/// The sockets that are or may be in the way of one that was refused a port, as
/// userspace found them right after it was.
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
    /// Those that have it for an address that has the refused one in it, or is in
    /// it: those first that are not connected, 16 at most.
    pub sockets: Vec<PortSocket>,
    /// Whether these are all.
    pub complete: bool,
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
    /// A process that has it open: id and name; process 1 only where no other one
    /// has it.
    pub process: Option<(u32, String)>,
    /// Whether the process that was refused the port has it open, too.
    pub own: bool,
}

/// Which address has which in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overlap {
    /// They are the same.
    Same,
    /// The one that has the port has it for all addresses.
    HolderHasAll,
    /// All addresses are asked for.
    AskedForAll,
    /// All addresses are asked for, those of IPv4 among them.
    AskedForIpv4,
    /// An IPv4 address is asked for, and an IPv6 socket has the port for these too.
    HolderHasIpv4,
}

impl Overlap {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Same => "same-address",
            Self::HolderHasAll => "holder-has-all",
            Self::AskedForAll => "asked-for-all",
            Self::AskedForIpv4 => "asked-for-ipv4-as-well",
            Self::HolderHasIpv4 => "holder-has-ipv4-as-well",
        }
    }

    /// Whether the two are of different families.
    pub(super) const fn is_about_ipv4(self) -> bool {
        matches!(self, Self::AskedForIpv4 | Self::HolderHasIpv4)
    }
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

impl PortSocket {
    /// Which address has the other in it, as `ipv6_rcv_saddr_equal` compares them,
    /// and whether all that it depends on is known; `None` where neither has.
    pub(super) fn overlap(&self, asked: Ipv6Addr, v6only: Option<bool>) -> Option<(Overlap, bool)> {
        let same = |is_same: bool, asks_all: bool, has_all: bool| {
            if is_same {
                Some((Overlap::Same, true))
            } else if has_all {
                Some((Overlap::HolderHasAll, true))
            } else if asks_all {
                Some((Overlap::AskedForAll, true))
            } else {
                None
            }
        };
        // A socket for both families counts as for IPv4 unless it is known not to.
        let unless =
            |only: Option<bool>, overlap| (only != Some(true)).then_some((overlap, only.is_some()));
        match (asked.to_canonical(), self.address.to_canonical()) {
            (IpAddr::V4(asked), IpAddr::V4(held)) => {
                same(asked == held, asked.is_unspecified(), held.is_unspecified())
            }
            (IpAddr::V6(asked), IpAddr::V6(held)) => {
                same(asked == held, asked.is_unspecified(), held.is_unspecified())
            }
            (IpAddr::V4(_), IpAddr::V6(held)) if held.is_unspecified() => {
                unless(self.v6only, Overlap::HolderHasIpv4)
            }
            (IpAddr::V6(asked), IpAddr::V4(_)) if asked.is_unspecified() => {
                unless(v6only, Overlap::AskedForIpv4)
            }
            _ => None,
        }
    }
}
