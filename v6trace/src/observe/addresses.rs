//! The interfaces and IPv4 addresses of a network namespace.

use std::io;

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::{enter, netlink};
use crate::{
    clock,
    record::addresses::{Address, Addresses, Interface},
};

/// Looks them up in the namespace with inode number `netns`, which the process
/// `pid` most likely lives in.
pub(super) fn of_namespace(netns: u32, pid: u32) -> io::Result<Addresses> {
    enter::within(netns, pid, || {
        let mut request = AddressMessage::default();
        request.header.family = AddressFamily::Inet;
        let addresses = netlink::dump(NETLINK_ROUTE, RouteNetlinkMessage::GetAddress(request))?;
        let request = LinkMessage::default();
        let links = netlink::dump(NETLINK_ROUTE, RouteNetlinkMessage::GetLink(request))?;
        Ok(Addresses {
            boot_ns: clock::boot_ns(),
            netns,
            interfaces: links.into_iter().filter_map(interface).collect(),
            addresses: addresses.into_iter().filter_map(address).collect(),
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

fn interface(message: RouteNetlinkMessage) -> Option<Interface> {
    let RouteNetlinkMessage::NewLink(message) = message else {
        return None;
    };
    let mut interface = Interface {
        ifindex: message.header.index,
        name: String::new(),
        master: None,
        is_vrf: false,
    };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => interface.name = name,
            LinkAttribute::Controller(ifindex) => interface.master = Some(ifindex),
            LinkAttribute::LinkInfo(infos) => {
                interface.is_vrf = infos.contains(&LinkInfo::Kind(InfoKind::Vrf));
            }
            _ => {}
        }
    }
    Some(interface)
}
