//! What interfaces have from router advertisements, and would lose without them.

use std::{
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::{LISTED, Taken};
use crate::{
    families::Payload,
    observe::{inside::Inside, netlink},
    record::Record,
};

/// `IFA_F_PERMANENT`: of an address whose lifetime does not end. Those that
/// advertisements bring lack it, also where they are to last forever.
const PERMANENT: u8 = 0x80;

/// The interfaces whose default routes went among `records`, by namespace and
/// index.
pub(super) fn purged(records: &[Record]) -> impl Iterator<Item = (u32, u32)> {
    let events = records.iter().filter_map(Record::event);
    let purges = events.filter_map(|event| match &event.payload {
        Payload::DefaultRoutesPurged(purged) => Some((event.netns, purged)),
        _ => None,
    });
    purges.flat_map(|(netns, purged)| {
        let routes = purged.routes.iter();
        routes.map(move |route| (netns, route.ifindex))
    })
}

/// The addresses of an interface whose lifetimes end unless somebody renews
/// them: an advertisement, or a DHCPv6 client.
pub(super) fn addresses(inside: &Inside, ifindex: u32) -> Vec<(Ipv6Addr, u8)> {
    let held = inside
        .addresses
        .iter()
        .filter(|held| held.ifindex == ifindex);
    let leased = held.filter_map(|held| match held.address {
        IpAddr::V6(address) if held.flags & PERMANENT == 0 => Some((address, held.prefix_len)),
        IpAddr::V6(_) | IpAddr::V4(_) => None,
    });
    leased.take(LISTED).collect()
}

/// Routes that came with advertisements in the namespace of the calling thread,
/// each with the index of whose interface it leaves by.
pub(super) fn routes(all: &[Taken<'_>]) -> io::Result<Vec<(usize, String)>> {
    let mut found = Vec::new();
    for protocol in [RouteProtocol::Ra, RouteProtocol::Kernel] {
        let mut request = RouteMessage::default();
        request.header.address_family = AddressFamily::Inet6;
        // The kernel then sends no others; hosts may have many.
        request.header.protocol = protocol;
        let request = RouteNetlinkMessage::GetRoute(request);
        let routes = netlink::dump_filtered(NETLINK_ROUTE, &request, |answer| match answer {
            RouteNetlinkMessage::NewRoute(route) if is_advertised(&route) => {
                Some((interface(&route)?, describe(&route)))
            }
            _ => None,
        })?;
        for (ifindex, route) in routes {
            let taken = all.iter().enumerate();
            let taken = taken.filter(|(_, taken)| taken.change.ifindex == ifindex);
            found.extend(taken.map(|(index, _)| (index, route.clone())));
        }
    }
    Ok(found)
}

/// The interface that a route leaves by.
fn interface(route: &RouteMessage) -> Option<u32> {
    let mut attributes = route.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        RouteAttribute::Oif(ifindex) => Some(*ifindex),
        _ => None,
    })
}

/// Whether a route came with an advertisement: those that the kernel makes for
/// prefixes on the link bear its own name, but end.
fn is_advertised(route: &RouteMessage) -> bool {
    match route.header.protocol {
        RouteProtocol::Ra => true,
        RouteProtocol::Kernel => route.attributes.iter().any(
            |attribute| matches!(attribute, RouteAttribute::CacheInfo(info) if info.expires != 0),
        ),
        _ => false,
    }
}

/// "default via fe80::1"
fn describe(route: &RouteMessage) -> String {
    let find =
        |wanted: fn(&RouteAttribute) -> Option<Ipv6Addr>| route.attributes.iter().find_map(wanted);
    let to = find(|attribute| match attribute {
        RouteAttribute::Destination(RouteAddress::Inet6(to)) => Some(*to),
        _ => None,
    });
    let via = find(|attribute| match attribute {
        RouteAttribute::Gateway(RouteAddress::Inet6(gateway)) => Some(*gateway),
        _ => None,
    });
    let to = match to {
        Some(to) => format!("{to}/{}", route.header.destination_prefix_length),
        None => "default".to_owned(),
    };
    match via {
        Some(via) => format!("{to} via {via}"),
        None => to,
    }
}
