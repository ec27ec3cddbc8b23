//! The interfaces and IPv4 addresses of a network namespace.

use std::io;

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::{enter, links, netlink};
use crate::{
    clock,
    record::addresses::{Address, Addresses, Interface},
};

/// Looks them up in the namespace with inode number `netns`, which the process
/// `pid` most likely lives in.
pub(super) fn of_namespace(netns: u32, pid: Option<u32>) -> io::Result<Addresses> {
    enter::within(netns, pid, || {
        let mut request = AddressMessage::default();
        request.header.family = AddressFamily::Inet;
        let request = RouteNetlinkMessage::GetAddress(request);
        let addresses = netlink::dump(NETLINK_ROUTE, request, address)?;
        let interfaces = links::list()?.into_iter().map(|link| Interface {
            ifindex: link.ifindex,
            name: link.name,
            master: link.master,
            is_vrf: link.is_vrf,
        });
        Ok(Addresses {
            boot_ns: clock::boot_ns(),
            netns,
            interfaces: interfaces.collect(),
            addresses,
        })
    })
}

fn address(message: RouteNetlinkMessage) -> Option<Address> {
    let RouteNetlinkMessage::NewAddress(message) = message else {
        return None;
    };
    let local = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Local(std::net::IpAddr::V4(local)) => Some(*local),
            _ => None,
        })?;
    Some(Address {
        ifindex: message.header.index,
        address: local,
        scope: u8::from(message.header.scope),
    })
}
