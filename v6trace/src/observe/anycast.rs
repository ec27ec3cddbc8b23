//! Who uses an address that this host has just taken as anycast.
//!
//! All of it outlives the change for a while: neighbour entries stay valid,
//! sockets stay open and routes stay in place, only what is sent to the address
//! goes astray.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteVia},
};
use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET6, IPPROTO_TCP},
    inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags},
};
use netlink_sys::protocols::{NETLINK_ROUTE, NETLINK_SOCK_DIAG};

use super::{
    batch::Batch,
    enter,
    links::{self, Link},
    netlink, owners,
};
use crate::{
    clock,
    decode::{AnycastChange, Event, Payload},
    record::{
        KernelRecord,
        anycast_use::{AnycastUse, Use, UseKind},
    },
};

const ESTABLISHED: u8 = 1;

/// Uses of one kind that are listed; a host may have thousands of routes by
/// way of one router.
const LISTED: usize = 8;

/// An address that was taken, with what is found of it.
#[derive(Debug)]
struct Taken<'r> {
    /// Which of the records says so.
    record: usize,
    event: &'r Event,
    change: &'r AnycastChange,
    /// The VRF of the interface: index and name.
    vrf: Option<(u32, String)>,
    uses: Vec<Use>,
}

/// Looks everything up for the addresses that were taken among `records`: once
/// for each namespace, since forwarding is mostly enabled on all interfaces of
/// one at once. The results are by index of the record.
pub(super) fn uses(records: &[KernelRecord], batch: &mut Batch) -> BTreeMap<usize, AnycastUse> {
    let mut by_namespace: BTreeMap<u32, Vec<Taken<'_>>> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        if let Ok(event) = &record.event
            && let Payload::AnycastChange(change) = &event.payload
            && change.joined
        {
            by_namespace.entry(event.netns).or_default().push(Taken {
                record: index,
                event,
                change,
                vrf: None,
                uses: Vec::new(),
            });
        }
    }
    let mut found = BTreeMap::new();
    for (netns, taken) in by_namespace {
        match look(taken, batch) {
            Ok(uses) => found.extend(uses),
            Err(error) => log::debug!("uses of anycast addresses in {netns}: {error}"),
        }
    }
    found
}

/// The uses of some addresses, all of one namespace.
fn look(mut all: Vec<Taken<'_>>, batch: &mut Batch) -> io::Result<Vec<(usize, AnycastUse)>> {
    let Some(first) = all.first().map(|taken| taken.event) else {
        return Ok(Vec::new());
    };
    let links = &batch.inside_of(first).ok_or(io::ErrorKind::NotFound)?.links;
    // The neighbours of an interface went with it: that none is found would say
    // nothing.
    all.retain(|taken| links::by_index(links, taken.change.ifindex).is_some());
    for taken in &mut all {
        taken.vrf = vrf_of(links, taken.change.ifindex);
    }
    let paths = batch.paths_for(first);
    let complete = enter::within(first.netns, &paths, || Ok(fill(&mut all)))?;
    name_processes(&mut all);
    let boot_ns = clock::boot_ns();
    Ok(all
        .into_iter()
        .map(|taken| {
            let found = AnycastUse {
                boot_ns,
                of: taken.event.boot_ns,
                uses: taken.uses,
                complete,
                vrf: taken.vrf.map(|(_, name)| name),
            };
            (taken.record, found)
        })
        .collect())
}

/// The VRF that an interface belongs to: index and name.
fn vrf_of(links: &[Link], ifindex: u32) -> Option<(u32, String)> {
    let link = links::by_index(links, ifindex)?;
    let vrf = links::master_of(links, link).filter(|master| master.is_vrf)?;
    Some((vrf.ifindex, vrf.name.clone()))
}

/// Adds what is found in the namespace of the calling thread, and says whether
/// that is all. What one look-up does not find out, the others still may.
fn fill(all: &mut [Taken<'_>]) -> bool {
    let mut complete = true;
    for look in [neighbours, connections, gateways] {
        match look(all) {
            Ok((found, whole)) => {
                complete &= whole;
                let mut by_taken: BTreeMap<usize, Vec<Use>> = BTreeMap::new();
                for (index, used) in found {
                    by_taken.entry(index).or_default().push(used);
                }
                for (index, uses) in by_taken {
                    all[index].uses.extend(shortened(uses));
                }
            }
            Err(error) => {
                log::debug!("uses of anycast addresses: {error}");
                complete = false;
            }
        }
    }
    complete
}

/// Uses with the index of what they use, and whether they are all.
type Found = (Vec<(usize, Use)>, bool);

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

/// The neighbours that have, or had, the addresses.
fn neighbours(all: &[Taken<'_>]) -> io::Result<Found> {
    let mut request = NeighbourMessage::default();
    request.header.family = AddressFamily::Inet6;
    let request = RouteNetlinkMessage::GetNeighbour(request);
    let mut found = Vec::new();
    netlink::dump(NETLINK_ROUTE, &request, |answer| {
        if let RouteNetlinkMessage::NewNeighbour(entry) = answer {
            found.extend(neighbour(&entry, all));
        }
        None::<()>
    })?;
    Ok((found, true))
}

fn neighbour(entry: &NeighbourMessage, all: &[Taken<'_>]) -> Vec<(usize, Use)> {
    let address = entry
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => Some(*address),
            _ => None,
        });
    let state = match entry.header.state {
        NeighbourState::Reachable => "REACHABLE",
        NeighbourState::Stale => "STALE",
        NeighbourState::Delay => "DELAY",
        NeighbourState::Probe => "PROBE",
        NeighbourState::Permanent => "PERMANENT",
        // The others know no neighbour: none answered, or none was asked.
        _ => return Vec::new(),
    };
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
    each(all, |taken| {
        taken.change.ifindex == entry.header.ifindex && Some(taken.change.address) == address
    })
    .map(|(index, taken)| {
        let detail = format!(
            "{} on {} ({state})",
            bytes.join(":"),
            taken.change.interface
        );
        (index, used(UseKind::Neighbour, detail))
    })
    .collect()
}

fn each<'a, 'r>(
    all: &'a [Taken<'r>],
    is_used: impl Fn(&Taken<'r>) -> bool,
) -> impl Iterator<Item = (usize, &'a Taken<'r>)> {
    all.iter()
        .enumerate()
        .filter(move |(_, taken)| is_used(taken))
}

fn used(kind: UseKind, detail: String) -> Use {
    Use {
        kind,
        detail,
        process: None,
        inode: None,
    }
}

/// TCP connections to the addresses.
fn connections(all: &[Taken<'_>]) -> io::Result<Found> {
    let request = SockDiagMessage::InetRequest(InetRequest {
        family: AF_INET6,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::ESTABLISHED | StateFlags::SYN_SENT,
        socket_id: SocketId::new_v6(),
    });
    let addresses: HashSet<IpAddr> = all
        .iter()
        .map(|taken| taken.change.address.into())
        .collect();
    let mut found = Vec::new();
    netlink::dump(NETLINK_SOCK_DIAG, &request, |answer| {
        if let SockDiagMessage::InetResponse(response) = answer
            && addresses.contains(&response.header.socket_id.destination_address)
        {
            found.extend(connection(&response, all));
        }
        None::<()>
    })?;
    Ok((found, true))
}

fn connection(response: &InetResponse, all: &[Taken<'_>]) -> Vec<(usize, Use)> {
    let header = &response.header;
    let socket = &header.socket_id;
    let state = if header.state == ESTABLISHED {
        "ESTABLISHED"
    } else {
        "SYN_SENT"
    };
    let (from, from_port) = (socket.source_address, socket.source_port);
    let to_port = socket.destination_port;
    each(all, |taken| {
        // An address means something within its VRF only, and so does a socket.
        let bound = socket.interface_id;
        let same_domain = match taken.vrf {
            Some((vrf, _)) => bound == vrf || bound == taken.change.ifindex,
            None => bound == 0 || bound == taken.change.ifindex,
        };
        same_domain && socket.destination_address == IpAddr::V6(taken.change.address)
    })
    .map(|(index, _)| {
        let detail = format!("[{from}]:{from_port} to port {to_port} ({state})");
        let mut used = used(UseKind::Tcp, detail);
        used.inode = (header.inode != 0).then_some(header.inode);
        (index, used)
    })
    .collect()
}

/// Routes by way of the addresses. They are not all where a route names a
/// nexthop object alone, as `net.ipv4.nexthop_compat_mode=0` makes it.
fn gateways(all: &[Taken<'_>]) -> io::Result<Found> {
    let mut found = Vec::new();
    let mut whole = true;
    for family in [AddressFamily::Inet6, AddressFamily::Inet] {
        let mut request = RouteMessage::default();
        request.header.address_family = family;
        if let [only] = all {
            // The kernel then sends only what leaves by this interface.
            request
                .attributes
                .push(RouteAttribute::Oif(only.change.ifindex));
        }
        let request = RouteNetlinkMessage::GetRoute(request);
        netlink::dump_filtered(NETLINK_ROUTE, &request, |answer| {
            if let RouteNetlinkMessage::NewRoute(route) = answer {
                whole &= !is_only_an_object(&route);
                let hops = hops(&route);
                let used_by = each(all, |taken| {
                    hops.contains(&(taken.change.ifindex, taken.change.address))
                });
                found.extend(used_by.map(|(index, taken)| {
                    (index, used(UseKind::Gateway, describe(&route, taken)))
                }));
            }
            None::<()>
        })?;
    }
    Ok((found, whole))
}

/// Whether the route has a nexthop object, and does not say what that is.
fn is_only_an_object(route: &RouteMessage) -> bool {
    let has = |wanted: fn(&RouteAttribute) -> bool| route.attributes.iter().any(wanted);
    has(|attribute| matches!(attribute, RouteAttribute::NhId(_)))
        && !has(|attribute| {
            matches!(
                attribute,
                RouteAttribute::Oif(_) | RouteAttribute::MultiPath(_)
            )
        })
}

/// The IPv6 gateways of a route: interface and address.
fn hops(route: &RouteMessage) -> Vec<(u32, Ipv6Addr)> {
    let gateway = |attributes: &[RouteAttribute]| {
        attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet6(gateway))
            | RouteAttribute::Via(RouteVia::Inet6(gateway)) => Some(*gateway),
            _ => None,
        })
    };
    let mut oif = None;
    let mut hops = Vec::new();
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Oif(ifindex) => oif = Some(*ifindex),
            RouteAttribute::MultiPath(several) => hops.extend(
                several
                    .iter()
                    .filter_map(|hop| Some((hop.interface_index, gateway(&hop.attributes)?))),
            ),
            _ => {}
        }
    }
    hops.extend(oif.zip(gateway(&route.attributes)));
    hops
}

/// "fd00:7::/64 dev eth0"
fn describe(route: &RouteMessage, taken: &Taken<'_>) -> String {
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
    format!("{destination} dev {}", taken.change.interface)
}

/// Puts the names of processes to the sockets among the uses.
fn name_processes(all: &mut [Taken<'_>]) {
    let uses = all.iter().flat_map(|taken| &taken.uses);
    let wanted: HashSet<u32> = uses.filter_map(|found| found.inode).collect();
    if wanted.is_empty() {
        return;
    }
    let owners = owners::of(&wanted);
    for found in all.iter_mut().flat_map(|taken| &mut taken.uses) {
        let owner = found.inode.and_then(|inode| owners.get(&inode));
        if let Some((pid, comm)) = owner {
            found.detail = format!("{comm}[{pid}] {}", found.detail);
            found.process = Some(format!("{comm}[{pid}]"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
