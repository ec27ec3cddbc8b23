//! Routes by way of the addresses.

use std::{
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteVia},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::{Found, Taken, each, used};
use crate::{families::anycast::UseKind, observe::netlink};

/// Looks through the routes of the calling thread's namespace. They are not all
/// where a route names a nexthop object alone, as
/// `net.ipv4.nexthop_compat_mode=0` makes it.
pub(super) fn find(all: &[Taken<'_>]) -> io::Result<Found> {
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
