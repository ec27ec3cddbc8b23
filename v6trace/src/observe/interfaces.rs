//! The interfaces around a duplicate address: all of its own namespace, and
//! those of other namespaces of this host that may have a part in it.

use std::{collections::BTreeMap, fs, io, path::Path};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::{InfoBridgePort, InfoPortData, LinkAttribute, LinkInfo, LinkMessage},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::{
    enter::within,
    namespaces::{NAMED, inode_of},
    netlink::dump,
};
use crate::{
    clock,
    decode::{Event, Payload, dad::Mac},
    record::surroundings::{Interface, Surroundings},
};

/// Other namespaces that are looked into; a host may have thousands.
const OTHERS: usize = 256;

/// What is around the event's interface, where the event is about one that
/// met its own or somebody else's frame.
pub(super) fn around(event: &Event) -> Option<Surroundings> {
    let (address, source_mac) = match &event.payload {
        Payload::DadFailure(failure) => (failure.address, failure.frame.source_mac()),
        Payload::DadReflection(reflection) => (reflection.address, None),
        _ => return None,
    };
    let address = address.octets();
    let matters = |interface: &Interface| {
        interface.hairpin || (interface.mac.is_some() && interface.mac == source_mac)
    };
    let namespaces = namespaces();
    let mut elsewhere: Vec<(u32, Interface)> = Vec::new();
    let others = namespaces
        .iter()
        .filter(|(inode, _)| **inode != event.netns);
    for (&inode, &pid) in others.take(OTHERS) {
        // One that cannot be entered, or is gone by now, adds nothing.
        if let Ok(interfaces) = within(inode, pid.unwrap_or(0), || list(address)) {
            let interfaces = interfaces.into_iter().filter(matters);
            elsewhere.extend(interfaces.map(|interface| (inode, interface)));
        }
    }
    let own = namespaces.get(&event.netns).copied().flatten();
    let concerned =
        |inode: u32| inode == event.netns || elsewhere.iter().any(|(other, _)| *other == inode);
    let processes = namespaces
        .iter()
        .filter_map(|(&inode, &pid)| Some((inode, pid?)))
        .filter(|&(inode, _)| concerned(inode))
        .collect();
    Some(Surroundings {
        boot_ns: clock::boot_ns(),
        netns: event.netns,
        here: within(event.netns, own.unwrap_or(0), || list(address)).ok(),
        elsewhere,
        processes,
    })
}

/// The interfaces of the calling thread's namespace.
pub(super) fn here() -> io::Result<Vec<Interface>> {
    list([0; 16])
}

/// The namespaces of this host that have a name or a process; with the process,
/// where they have no name.
fn namespaces() -> BTreeMap<u32, Option<u32>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(NAMED).into_iter().flatten().flatten() {
        if let Ok(inode) = inode_of(&entry.path()) {
            found.insert(inode, None);
        }
    }
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Ok(inode) = inode_of(Path::new("/proc").join(name).join("ns/net").as_path()) {
            found.entry(inode).or_insert(Some(pid));
        }
    }
    found
}

/// The interfaces of the calling thread's namespace.
fn list(address: [u8; 16]) -> io::Result<Vec<Interface>> {
    let holders = holders(address)?;
    let links = dump(
        NETLINK_ROUTE,
        RouteNetlinkMessage::GetLink(LinkMessage::default()),
    )?;
    let mut interfaces = Vec::new();
    let mut masters = BTreeMap::new();
    for answer in links {
        let RouteNetlinkMessage::NewLink(link) = answer else {
            continue;
        };
        let mut interface = interface(&link);
        interface.has_address = holders.contains(&interface.ifindex);
        masters.insert(interface.ifindex, interface.name.clone());
        interfaces.push((interface, master(&link)));
    }
    Ok(interfaces
        .into_iter()
        .map(|(mut interface, master)| {
            interface.master = master.and_then(|ifindex| masters.get(&ifindex).cloned());
            interface
        })
        .collect())
}

/// The interfaces that have the address.
fn holders(address: [u8; 16]) -> io::Result<Vec<u32>> {
    let mut request = AddressMessage::default();
    request.header.family = AddressFamily::Inet6;
    let answers = dump(NETLINK_ROUTE, RouteNetlinkMessage::GetAddress(request))?;
    let held = |message: &AddressMessage| {
        let own = |attribute: &AddressAttribute| match attribute {
            // With a peer, the host's own is the local one.
            AddressAttribute::Local(local) => Some((1, *local)),
            AddressAttribute::Address(address) => Some((0, *address)),
            _ => None,
        };
        let own = message.attributes.iter().filter_map(own).max();
        own.is_some_and(|(_, own)| own == std::net::IpAddr::from(address))
    };
    Ok(answers
        .into_iter()
        .filter_map(|answer| match answer {
            RouteNetlinkMessage::NewAddress(message) if held(&message) => {
                Some(message.header.index)
            }
            _ => None,
        })
        .collect())
}

fn interface(link: &LinkMessage) -> Interface {
    let mut interface = Interface {
        ifindex: link.header.index,
        name: String::new(),
        mac: None,
        link: None,
        master: None,
        hairpin: false,
        has_address: false,
    };
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::IfName(name) => interface.name.clone_from(name),
            LinkAttribute::Address(bytes) => {
                interface.mac = <[u8; 6]>::try_from(bytes.as_slice()).ok().map(Mac);
            }
            LinkAttribute::Link(ifindex) => interface.link = Some(*ifindex),
            LinkAttribute::LinkInfo(infos) => interface.hairpin = infos.iter().any(is_hairpin),
            _ => {}
        }
    }
    interface
}

fn is_hairpin(info: &LinkInfo) -> bool {
    let LinkInfo::PortData(InfoPortData::BridgePort(port)) = info else {
        return false;
    };
    port.iter()
        .any(|value| matches!(value, InfoBridgePort::HairpinMode(true)))
}

fn master(link: &LinkMessage) -> Option<u32> {
    link.attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::Controller(ifindex) => Some(*ifindex),
            _ => None,
        })
}
