//! Routes by way of IPv6 gateways, of IPv6 and of IPv4, in the calling thread's
//! network namespace, over netlink.

use std::{
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteVia},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::netlink;

/// A next hop: the interface's index, and the gateway.
pub(crate) type Hop = (u32, Ipv6Addr);

/// Shows each route with its IPv6 gateways; where an interface is given, only those
/// that leave by it. Whether all could be shown: some are not where a route names a
/// nexthop object alone, as `net.ipv4.nexthop_compat_mode=0` makes it.
pub(crate) fn each(
    ifindex: Option<u32>,
    mut show: impl FnMut(&RouteMessage, &[Hop]),
) -> io::Result<bool> {
    let mut whole = true;
    for family in [AddressFamily::Inet6, AddressFamily::Inet] {
        let mut request = RouteMessage::default();
        request.header.address_family = family;
        request.attributes.extend(ifindex.map(RouteAttribute::Oif));
        let request = RouteNetlinkMessage::GetRoute(request);
        netlink::dump_filtered(NETLINK_ROUTE, &request, |answer| {
            if let RouteNetlinkMessage::NewRoute(route) = answer {
                whole &= !is_only_an_object(&route);
                show(&route, &hops(&route));
            }
            None::<()>
        })?;
    }
    Ok(whole)
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

/// The IPv6 gateways of a route.
fn hops(route: &RouteMessage) -> Vec<Hop> {
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

/// "fd00:7::/64"
pub(crate) fn destination(route: &RouteMessage) -> String {
    let length = route.header.destination_prefix_length;
    let destination = route
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Destination(RouteAddress::Inet6(to)) => Some(IpAddr::V6(*to)),
            RouteAttribute::Destination(RouteAddress::Inet(to)) => Some(IpAddr::V4(*to)),
            _ => None,
        });
    match (destination, route.header.address_family) {
        (Some(to), _) => format!("{to}/{length}"),
        (None, AddressFamily::Inet) => "0.0.0.0/0".to_owned(),
        (None, _) => format!("{}/0", Ipv6Addr::UNSPECIFIED),
    }
}
