//! Looks what an interface has, from whomever, and who takes advertisements in
//! its namespace.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteVia},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::{DefaultRoute, Standing, Taker};
use crate::{
    event::Event,
    families::Payload,
    observe::{Looks, batch::Batch, enter, inside::Inside, links, netlink, owners},
    record::{Lookup, Record},
};

/// Addresses that are listed.
const LISTED: usize = 16;

/// Looks at the interfaces that ignore something.
pub(crate) struct Interfaces;

impl Looks for Interfaces {
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let found = records.iter().enumerate().filter_map(|(index, record)| {
            let event = record.event()?;
            let (ifindex, taker) = concerned(event)?;
            if !event.occurrence().is_remarkable() {
                return None;
            }
            Some((index, standing(event, ifindex, taker, batch)?.into()))
        });
        found.collect()
    }
}

/// The interface that an event is about, and the socket that was given its packet.
fn concerned(event: &Event) -> Option<(u32, Option<u64>)> {
    match &event.payload {
        Payload::RouterAdvertisement(advertisement) => {
            Some((advertisement.ifindex, advertisement.taker))
        }
        Payload::RouterMessageIgnored(ignored) => Some((ignored.ifindex, None)),
        Payload::AdvertisedAddressRefused(refused) => Some((refused.ifindex, None)),
        Payload::SolicitationsUnanswered(unanswered) => Some((unanswered.ifindex, None)),
        _ => None,
    }
}

fn standing(
    event: &Event,
    ifindex: u32,
    taker: Option<u64>,
    batch: &mut Batch,
) -> Option<Standing> {
    let paths = batch.paths_for(event);
    let Inside {
        boot_ns,
        links,
        addresses,
        ..
    } = batch.inside_of(event)?;
    let link = links::by_index(links, ifindex)?;
    let master = links::master_of(links, link).filter(|master| !master.is_vrf);
    let own = addresses.iter().filter(|held| held.ifindex == ifindex);
    let own = own.filter_map(|held| match held.address {
        IpAddr::V6(address) if !address.is_unicast_link_local() => Some((address, held.prefix_len)),
        IpAddr::V6(_) | IpAddr::V4(_) => None,
    });
    Some(Standing {
        boot_ns: *boot_ns,
        netns: event.netns,
        ifindex,
        addresses: own.take(LISTED).collect(),
        default_routes: enter::within(event.netns, &paths, || default_routes(ifindex))
            .inspect_err(|error| log::debug!("default routes: {error}"))
            .ok(),
        master: master.map(|master| master.name.clone()),
        taker: taker.and_then(owner),
    })
}

/// The process that has the socket open.
fn owner(socket: u64) -> Option<Taker> {
    let socket = u32::try_from(socket).ok()?;
    let owners = owners::of(&HashSet::from([socket]));
    let owner = owners.into_values().next()?;
    Some(Taker {
        pid: owner.pid,
        comm: owner.comm,
    })
}

/// The IPv6 default routes by way of an interface in the namespace of the calling
/// thread.
fn default_routes(ifindex: u32) -> io::Result<Vec<DefaultRoute>> {
    let mut request = RouteMessage::default();
    request.header.address_family = AddressFamily::Inet6;
    // The kernel then sends no others; hosts may have many.
    request.attributes.push(RouteAttribute::Oif(ifindex));
    let request = RouteNetlinkMessage::GetRoute(request);
    netlink::dump_filtered(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewRoute(route) => default_route(&route, ifindex),
        _ => None,
    })
}

fn default_route(route: &RouteMessage, ifindex: u32) -> Option<DefaultRoute> {
    if route.header.destination_prefix_length != 0 {
        return None;
    }
    let mut gateway = None;
    let mut leaves_here = false;
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Oif(index) => leaves_here |= *index == ifindex,
            RouteAttribute::Gateway(RouteAddress::Inet6(address))
            | RouteAttribute::Via(RouteVia::Inet6(address)) => gateway = Some(*address),
            RouteAttribute::MultiPath(hops) => {
                leaves_here |= hops.iter().any(|hop| hop.interface_index == ifindex);
            }
            _ => {}
        }
    }
    leaves_here.then(|| DefaultRoute {
        gateway: gateway.filter(|gateway| *gateway != Ipv6Addr::UNSPECIFIED),
        protocol: route.header.protocol.into(),
    })
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::route::RouteProtocol;

    use super::*;

    #[test]
    fn only_default_routes_of_the_interface_count() {
        let mut route = RouteMessage::default();
        route.header.protocol = RouteProtocol::Static;
        route.attributes = vec![RouteAttribute::Oif(3)];
        let found = default_route(&route, 3).unwrap();
        assert_eq!((found.gateway, found.protocol), (None, 4));
        assert_eq!(default_route(&route, 4), None);
        let gateway: Ipv6Addr = "fe80::1".parse().unwrap();
        let via = RouteAttribute::Gateway(RouteAddress::Inet6(gateway));
        route.attributes.push(via);
        assert_eq!(default_route(&route, 3).unwrap().gateway, Some(gateway));
        route.header.destination_prefix_length = 64;
        assert_eq!(default_route(&route, 3), None);
    }
}
