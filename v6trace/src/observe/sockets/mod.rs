//! Which TCP and UDP sockets there are in the network namespace of the calling
//! thread.
//!
//! ```text
//! Wanted -> the kernel's list over netlink (sock_diag) --\
//!        -> /proc/net, where it has no such list ---------+-> keep() -> what is wanted
//! ```

mod procfs;

use std::{io, net::IpAddr};

use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP},
    inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags, nlas::Nla},
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;

use super::netlink;

/// The sockets that are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) family: Family,
    pub(crate) protocol: Protocol,
    /// A bit for each `TCP_*` state.
    pub(crate) states: u32,
    /// Their own port, 0 for any.
    pub(crate) port: u16,
}

/// The family of sockets: those of IPv6 may be for IPv4 as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

/// All states, those of later kernels as well.
pub(crate) const ANY_STATE: u32 = u32::MAX;

/// A socket, from wherever it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InetSocket {
    pub(crate) from: IpAddr,
    pub(crate) from_port: u16,
    pub(crate) to: IpAddr,
    pub(crate) to_port: u16,
    /// `TCP_*` of the kernel's `tcp_states.h`.
    pub(crate) state: u8,
    /// The interface or VRF that it is bound to, or 0; `None` where that is not
    /// listed.
    pub(crate) bound: Option<u32>,
    /// Whose it is.
    pub(crate) uid: u32,
    /// 0 where no file is left of it.
    pub(crate) inode: u32,
    /// Whether it is for IPv6 alone, where that is listed.
    pub(crate) v6only: Option<bool>,
}

impl Wanted {
    fn is_met_by(self, socket: &InetSocket) -> bool {
        let state = 1_u32.checked_shl(socket.state.into()).unwrap_or(0);
        state & self.states != 0 && (self.port == 0 || socket.from_port == self.port)
    }
}

/// What `keep` makes of the sockets.
///
/// # Errors
/// They are listed nowhere.
pub(crate) fn list<T>(
    wanted: Wanted,
    keep: impl Fn(InetSocket) -> Option<T>,
) -> io::Result<Vec<T>> {
    by_diag(wanted, &keep).or_else(|error| {
        log::debug!("{wanted:?} not listed over netlink (a module for it?): {error}");
        let sockets = procfs::sockets(wanted.family, wanted.protocol).map_err(|_| error)?;
        let met = sockets
            .into_iter()
            .filter(|socket| wanted.is_met_by(socket));
        Ok(met.filter_map(keep).collect())
    })
}

/// `TCP_LISTEN`
const LISTEN: u8 = 10;

/// The IPv6 sockets that wait for TCP connections. Those are read where no module is
/// loaded for it.
pub(crate) fn listening() -> io::Result<Vec<InetSocket>> {
    procfs::first(Family::V6, Protocol::Tcp, |socket| socket.state == LISTEN)
}

/// The kernel passes over what is not wanted itself.
fn by_diag<T>(wanted: Wanted, keep: impl Fn(InetSocket) -> Option<T>) -> io::Result<Vec<T>> {
    let (family, any) = match wanted.family {
        Family::V4 => (AF_INET, SocketId::new_v4()),
        Family::V6 => (AF_INET6, SocketId::new_v6()),
    };
    let request = SockDiagMessage::InetRequest(InetRequest {
        family,
        protocol: match wanted.protocol {
            Protocol::Tcp => IPPROTO_TCP,
            Protocol::Udp => IPPROTO_UDP,
        },
        extensions: ExtensionFlags::empty(),
        states: StateFlags::from_bits_retain(wanted.states),
        socket_id: SocketId {
            source_port: wanted.port,
            ..any
        },
    });
    netlink::dump(NETLINK_SOCK_DIAG, &request, |answer| match answer {
        SockDiagMessage::InetResponse(response) => keep(socket(&response)),
        _ => None,
    })
}

fn socket(response: &InetResponse) -> InetSocket {
    let header = &response.header;
    let id = &header.socket_id;
    InetSocket {
        from: id.source_address,
        from_port: id.source_port,
        to: id.destination_address,
        to_port: id.destination_port,
        state: header.state,
        bound: Some(id.interface_id),
        uid: header.uid,
        inode: header.inode,
        v6only: response.nlas.iter().find_map(|attribute| match attribute {
            Nla::SkV6Only(only) => Some(*only),
            _ => None,
        }),
    }
}
