//! Who uses an address that this host has just taken as anycast.
//!
//! All of it outlives the change for a while: neighbour entries stay valid,
//! sockets stay open and routes stay in place, only what is sent to the address
//! goes astray.

use std::{
    collections::HashMap,
    fs, io,
    net::{IpAddr, Ipv6Addr},
    os::unix::ffi::OsStrExt as _,
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage},
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteNextHop, RouteVia},
};
use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET6, IPPROTO_TCP},
    inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags},
};
use netlink_sys::protocols::{NETLINK_ROUTE, NETLINK_SOCK_DIAG};

use super::{enter::within, netlink};
use crate::{
    clock,
    decode::{AnycastChange, Event},
    record::anycast_use::{AnycastUse, Use, UseKind},
};

const ESTABLISHED: u8 = 1;

/// Uses of one kind that are listed; a host may have thousands of routes by
/// way of one router.
const LISTED: usize = 8;

/// Looks everything up in the namespace of the event.
pub(super) fn uses(event: &Event, change: &AnycastChange) -> io::Result<AnycastUse> {
    let mut found = within(event.netns, event.task.pid, || look(change))?;
    found.of = event.boot_ns;
    name_processes(&mut found.uses);
    found.boot_ns = clock::boot_ns();
    Ok(found)
}

/// What is found in the namespace of the calling thread. What one look-up does
/// not find out, the others still may.
fn look(change: &AnycastChange) -> io::Result<AnycastUse> {
    let vrf = vrf_of(change.ifindex)?;
    let neighbours = neighbours(change);
    let connections = connections(change, vrf.as_ref().map(|(ifindex, _)| *ifindex));
    let gateways = gateways(change);
    let complete = neighbours.is_ok() && connections.is_ok() && gateways.is_ok();
    let mut uses = Vec::new();
    for found in [neighbours, connections, gateways] {
        match found {
            Ok(found) => uses.extend(shortened(found)),
            Err(error) => log::debug!("uses of {}: {error}", change.address),
        }
    }
    Ok(AnycastUse {
        boot_ns: 0,
        of: 0,
        uses,
        complete,
        vrf: vrf.map(|(_, name)| name),
    })
}

/// At most [`LISTED`], the last of which then tells how many more there are.
fn shortened(mut uses: Vec<Use>) -> Vec<Use> {
    let more = uses.len().saturating_sub(LISTED);
    uses.truncate(LISTED);
    if more > 0
        && let Some(last) = uses.last_mut()
    {
        last.detail.push_str(&format!(", and {more} more"));
    }
    uses
}

/// The VRF that the interface belongs to: index and name.
fn vrf_of(ifindex: u32) -> io::Result<Option<(u32, String)>> {
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    let links: Vec<LinkMessage> = netlink::dump(NETLINK_ROUTE, request)?
        .into_iter()
        .filter_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(link) => Some(link),
            _ => None,
        })
        .collect();
    let by_index = |index: u32| links.iter().find(|link| link.header.index == index);
    let master = |link: &LinkMessage| {
        link.attributes
            .iter()
            .find_map(|attribute| match attribute {
                LinkAttribute::Controller(master) => Some(*master),
                _ => None,
            })
    };
    let is_vrf = |link: &LinkMessage| {
        link.attributes.iter().any(|attribute| match attribute {
            LinkAttribute::LinkInfo(info) => info
                .iter()
                .any(|info| matches!(info, LinkInfo::Kind(InfoKind::Vrf))),
            _ => false,
        })
    };
    let name = |link: &LinkMessage| {
        link.attributes
            .iter()
            .find_map(|attribute| match attribute {
                LinkAttribute::IfName(name) => Some(name.clone()),
                _ => None,
            })
    };
    // Its neighbours went with it: that none is found would say nothing.
    let interface = by_index(ifindex).ok_or(io::ErrorKind::NotFound)?;
    Ok(master(interface)
        .and_then(by_index)
        .filter(|link| is_vrf(link))
        .and_then(|link| Some((link.header.index, name(link)?))))
}

/// The neighbour that has, or had, the address on the interface.
fn neighbours(change: &AnycastChange) -> io::Result<Vec<Use>> {
    let mut request = NeighbourMessage::default();
    request.header.family = AddressFamily::Inet6;
    let request = RouteNetlinkMessage::GetNeighbour(request);
    let answers = netlink::dump(NETLINK_ROUTE, request)?;
    let uses = answers.iter().filter_map(|answer| match answer {
        RouteNetlinkMessage::NewNeighbour(entry) => neighbour(entry, change),
        _ => None,
    });
    Ok(uses.collect())
}

fn neighbour(entry: &NeighbourMessage, change: &AnycastChange) -> Option<Use> {
    let wanted = NeighbourAddress::Inet6(change.address);
    let is_wanted = entry.header.ifindex == change.ifindex
        && entry
            .attributes
            .contains(&NeighbourAttribute::Destination(wanted));
    let state = match entry.header.state {
        NeighbourState::Reachable => "REACHABLE",
        NeighbourState::Stale => "STALE",
        NeighbourState::Delay => "DELAY",
        NeighbourState::Probe => "PROBE",
        NeighbourState::Permanent => "PERMANENT",
        // The others know no neighbour: none answered, or none was asked.
        _ => return None,
    };
    if !is_wanted {
        return None;
    }
    let bytes = entry
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::LinkLayerAddress(bytes) => Some(bytes.as_slice()),
            _ => None,
        });
    let bytes: Vec<_> = bytes
        .unwrap_or_default()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Some(Use {
        kind: UseKind::Neighbour,
        detail: format!("{} on {} ({state})", bytes.join(":"), change.interface),
        process: None,
        inode: None,
    })
}

/// TCP connections to the address.
fn connections(change: &AnycastChange, vrf: Option<u32>) -> io::Result<Vec<Use>> {
    let request = SockDiagMessage::InetRequest(InetRequest {
        family: AF_INET6,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::ESTABLISHED | StateFlags::SYN_SENT,
        socket_id: SocketId::new_v6(),
    });
    let answers = netlink::dump(NETLINK_SOCK_DIAG, request)?;
    let uses = answers.iter().filter_map(|answer| match answer {
        SockDiagMessage::InetResponse(response) => connection(response, change, vrf),
        _ => None,
    });
    Ok(uses.collect())
}

fn connection(response: &InetResponse, change: &AnycastChange, vrf: Option<u32>) -> Option<Use> {
    let header = &response.header;
    let socket = &header.socket_id;
    // An address means something within its VRF only, and so does a socket.
    let bound = socket.interface_id;
    let same_domain = match vrf {
        Some(vrf) => bound == vrf || bound == change.ifindex,
        None => bound == 0 || bound == change.ifindex,
    };
    if socket.destination_address != IpAddr::V6(change.address) || !same_domain {
        return None;
    }
    let state = if header.state == ESTABLISHED {
        "ESTABLISHED"
    } else {
        "SYN_SENT"
    };
    let (from, from_port) = (socket.source_address, socket.source_port);
    let to_port = socket.destination_port;
    Some(Use {
        kind: UseKind::Tcp,
        detail: format!("[{from}]:{from_port} to port {to_port} ({state})"),
        process: None,
        inode: (header.inode != 0).then_some(header.inode),
    })
}

/// Routes by way of the address.
fn gateways(change: &AnycastChange) -> io::Result<Vec<Use>> {
    let mut uses = Vec::new();
    for family in [AddressFamily::Inet6, AddressFamily::Inet] {
        let mut request = RouteMessage::default();
        request.header.address_family = family;
        // The kernel then sends only what leaves by this interface.
        request.attributes.push(RouteAttribute::Oif(change.ifindex));
        let request = RouteNetlinkMessage::GetRoute(request);
        for answer in netlink::dump_filtered(NETLINK_ROUTE, request)? {
            if let RouteNetlinkMessage::NewRoute(route) = answer
                && leads_by_way_of(&route, change)
            {
                uses.push(Use {
                    kind: UseKind::Gateway,
                    detail: describe(&route, change),
                    process: None,
                    inode: None,
                });
            }
        }
    }
    Ok(uses)
}

fn leads_by_way_of(route: &RouteMessage, change: &AnycastChange) -> bool {
    let hop = |attributes: &[RouteAttribute]| {
        attributes.iter().any(|attribute| match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet6(gateway))
            | RouteAttribute::Via(RouteVia::Inet6(gateway)) => *gateway == change.address,
            _ => false,
        })
    };
    let oif = route
        .attributes
        .contains(&RouteAttribute::Oif(change.ifindex));
    let several = route.attributes.iter().any(|attribute| match attribute {
        RouteAttribute::MultiPath(hops) => hops.iter().any(|next: &RouteNextHop| {
            next.interface_index == change.ifindex && hop(&next.attributes)
        }),
        _ => false,
    });
    (oif && hop(&route.attributes)) || several
}

/// "fd00:7::/64 dev eth0"
fn describe(route: &RouteMessage, change: &AnycastChange) -> String {
    let length = route.header.destination_prefix_length;
    let destination = route
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Destination(RouteAddress::Inet6(to)) => Some(IpAddr::V6(*to)),
            RouteAttribute::Destination(RouteAddress::Inet(to)) => Some(IpAddr::V4(*to)),
            _ => None,
        });
    let destination = match (destination, route.header.address_family) {
        (Some(to), _) => format!("{to}/{length}"),
        (None, AddressFamily::Inet) => "0.0.0.0/0".to_owned(),
        (None, _) => format!("{}/0", Ipv6Addr::UNSPECIFIED),
    };
    format!("{destination} dev {}", change.interface)
}

/// Puts the names of processes to the sockets among the uses.
fn name_processes(uses: &mut [Use]) {
    if uses.iter().all(|found| found.inode.is_none()) {
        return;
    }
    let owners = owners(uses);
    for found in uses {
        let owner = found.inode.and_then(|inode| owners.get(&inode));
        if let Some((pid, comm)) = owner {
            found.detail = format!("{comm}[{pid}] {}", found.detail);
            found.process = Some(format!("{comm}[{pid}]"));
        }
    }
}

/// Which process has each socket open: the first that is found.
fn owners(uses: &[Use]) -> HashMap<u32, (u32, String)> {
    let mut owners = HashMap::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        let descriptors = fs::read_dir(process.path().join("fd"));
        for descriptor in descriptors.into_iter().flatten().flatten() {
            let Some(inode) = fs::read_link(descriptor.path())
                .ok()
                .and_then(|target| socket_inode(target.as_os_str().as_bytes()))
            else {
                continue;
            };
            if uses.iter().any(|found| found.inode == Some(inode)) && !owners.contains_key(&inode) {
                let comm = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
                owners.insert(inode, (pid, printable(comm.trim_end_matches('\n'))));
            }
        }
    }
    owners
}

/// The inode number in "socket:[12345]".
fn socket_inode(target: &[u8]) -> Option<u32> {
    let digits = target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    str::from_utf8(digits).ok()?.parse().ok()
}

/// A name that cannot carry escape sequences to a terminal.
fn printable(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_are_sockets() {
        assert_eq!(socket_inode(b"socket:[12345]"), Some(12345));
        assert_eq!(socket_inode(b"socket:[]"), None);
        assert_eq!(socket_inode(b"pipe:[12345]"), None);
        assert_eq!(socket_inode(b"/dev/null"), None);
    }

    #[test]
    fn a_long_list_tells_what_it_leaves_out() {
        let gateway = |n: u32| Use {
            kind: UseKind::Gateway,
            detail: format!("fd00:{n:x}::/32 dev v0"),
            process: None,
            inode: None,
        };
        let shown = shortened((0..20).map(gateway).collect());
        assert_eq!(shown.len(), LISTED);
        assert_eq!(shown[0].detail, "fd00:0::/32 dev v0");
        assert_eq!(shown[7].detail, "fd00:7::/32 dev v0, and 12 more");
        assert_eq!(
            shortened((0..8).map(gateway).collect())[7].detail,
            "fd00:7::/32 dev v0"
        );
    }
}
