//! Addresses that interfaces of the calling thread's network namespace answer
//! for although none of them is the interface's own: as anycast, and as a proxy.

use std::{fs, io, net::Ipv6Addr};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::netlink;

/// Where the kernel lists the anycast addresses of the reader's namespace.
const ANYCAST: &str = "/proc/thread-self/net/anycast6";

/// An address that an interface answers for: the interface's index, and it.
pub(crate) type Answered = (u32, Ipv6Addr);

/// The anycast addresses: a forwarding router's, and those that sockets joined.
pub(crate) fn anycast() -> io::Result<Vec<Answered>> {
    match fs::read_to_string(ANYCAST) {
        Ok(table) => Ok(table.lines().filter_map(anycast_line).collect()),
        // Without IPv6 there are none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// `4    eth0            20010db8000700000000000000000000     1`: index, name,
/// address, users.
fn anycast_line(line: &str) -> Option<Answered> {
    // A name has no blank in it, whatever else.
    let mut columns = line.split_ascii_whitespace();
    let ifindex = columns.next()?.parse().ok()?;
    let address = u128::from_str_radix(columns.nth(1)?, 16).ok()?;
    Some((ifindex, address.into()))
}

/// The addresses that `ip neigh show proxy` lists.
pub(crate) fn proxied() -> io::Result<Vec<Answered>> {
    let mut request = NeighbourMessage::default();
    request.header.family = AddressFamily::Inet6;
    request.header.flags = NeighbourFlags::Proxy;
    let request = RouteNetlinkMessage::GetNeighbour(request);
    netlink::dump(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewNeighbour(entry) => proxy(&entry),
        _ => None,
    })
}

fn proxy(entry: &NeighbourMessage) -> Option<Answered> {
    // A kernel that does not know the request's flag lists its neighbours.
    if !entry.header.flags.contains(NeighbourFlags::Proxy) {
        return None;
    }
    let address = entry
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => Some(*address),
            _ => None,
        });
    Some((entry.header.ifindex, address?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anycast_addresses_are_read_from_their_table() {
        let line = "12   eth0.7          20010db8000700000000000000000000     2";
        let address = "2001:db8:7::".parse().unwrap();
        assert_eq!(anycast_line(line), Some((12, address)));
        for wrong in ["", "12", "12 eth0", "x eth0 20010db8", "12 eth0 zz 1"] {
            assert_eq!(anycast_line(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_proxy_entries_count() {
        let mut entry = NeighbourMessage::default();
        entry.header.ifindex = 3;
        let address: Ipv6Addr = "2001:db8::a".parse().unwrap();
        let destination = NeighbourAddress::Inet6(address);
        entry.attributes = vec![NeighbourAttribute::Destination(destination)];
        assert_eq!(proxy(&entry), None);
        entry.header.flags = NeighbourFlags::Proxy | NeighbourFlags::Router;
        assert_eq!(proxy(&entry), Some((3, address)));
    }
}
