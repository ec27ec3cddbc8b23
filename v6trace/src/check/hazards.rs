//! Settings that make trouble sooner or later.

use std::net::{IpAddr, Ipv6Addr};

use super::{Cause, Interface, Route, host::Place};
use crate::{
    explain::{Diagnosis, Fix, Value, quoted},
    families::anycast,
    frame::Mac,
};

/// Routes that are named.
const NAMED: usize = 4;

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let interfaces = place.snapshot.interfaces.iter();
    interfaces
        .filter_map(move |interface| forgetful(place, interface))
        .chain(same_mac(place))
        .chain(own_gateways(place))
}

/// An interface that takes its own solicitation for another node's, behind a port that
/// sends it back. Either of `conf.all` and its own setting has it recognised (RFC 7527);
/// where nothing reflects, it makes no difference.
fn forgetful(place: Place<'_>, interface: &Interface) -> Option<Diagnosis> {
    let ipv6 = interface.ipv6?;
    let all = place.snapshot.all.enhanced_dad?;
    let is_off = ipv6.enhanced_dad == 0 && all == 0 && ipv6.disable_ipv6 == 0;
    if !is_off || !interface.is_ethernet() || !interface.is_up() || place.is_port(interface) {
        return None;
    }
    let (at, port) = place.hairpin(interface)?;
    let name = &interface.name;
    let summary = format!(
        "{name} does not recognise its own solicitations (enhanced_dad = 0, of {name} and of all), \
         and {} of {}, its other end, is in hairpin mode and may send them back: a new address is \
         then taken for a duplicate and never used.",
        port.name,
        at.host.session.place(at.snapshot.netns)
    );
    Some(
        place
            .finding(interface, Cause::EnhancedDadOff, summary)
            .with("enhanced_dad", ipv6.enhanced_dad)
            .with("all_enhanced_dad", all)
            .with("hairpin", port.name.as_str())
            .fix(place.site().set(name, "enhanced_dad", 1))
            .fix(at.hairpin_off(port)),
    )
}

/// Two interfaces behind ports of one bridge that have one MAC: the bridge sends what is
/// for it to whichever was heard last. Only the other ends of ports are looked at: what is
/// stacked on an interface has its MAC by right, and so have ports of one bond. Whether
/// the bridge's ports are in one VLAN is not looked at.
fn same_mac(place: Place<'_>) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    let ports = place.snapshot.interfaces.iter();
    let bridged = ports.filter_map(|port| {
        let bridge = place.snapshot.interface(port.master?)?;
        let (at, end) = place.other_end(port)?;
        let is_veth = port.kind.as_deref() == Some("veth");
        (is_veth && bridge.kind.as_deref() == Some("bridge") && end.is_up())
            .then_some((bridge, at, end))
    });
    let mut seen: Vec<(u32, Mac, Place<'_>, &Interface)> = Vec::new();
    for (bridge, at, end) in bridged {
        let Some(mac) = end.mac else {
            continue;
        };
        let same =
            |one: &&(u32, Mac, Place<'_>, &Interface)| (one.0, one.1) == (bridge.ifindex, mac);
        match seen.iter().find(same) {
            Some(&(_, _, first, other))
                if end.master.is_some()
                    && (first.snapshot.netns, other.master) == (at.snapshot.netns, end.master) => {}
            Some(&(_, _, first, other)) => {
                found.push(twice(at, end, mac, (first, other), &bridge.name));
            }
            None => seen.push((bridge.ifindex, mac, at, end)),
        }
    }
    found
}

fn twice(
    at: Place<'_>,
    end: &Interface,
    mac: Mac,
    (first, other): (Place<'_>, &Interface),
    bridge: &str,
) -> Diagnosis {
    let other_name = format!(
        "{} of {}",
        other.name,
        first.host.session.place(first.snapshot.netns)
    );
    let summary = format!(
        "{} and {other_name} have one MAC, {mac}, behind ports of the bridge {bridge}: as far \
         as these are in one VLAN, it sends what is for that MAC to whichever was heard last.",
        end.name
    );
    at.finding(end, Cause::MacTwice, summary)
        .with("mac", mac.to_string())
        .with("other", other_name)
        .with("bridge", bridge)
        .likely()
        .fix(
            at.site()
                .command(&format!(
                    "ip link set dev {} address MAC",
                    quoted(&end.name)
                ))
                .remark("another one, also where the interface is configured"),
        )
}

/// Gateways of this host's routes that are an anycast address of this host itself: that
/// of a forwarding router's own prefix (`prefix::`). What is for the address itself, and
/// every session to it, stays here; routes by way of it go on.
fn own_gateways(place: Place<'_>) -> Vec<Diagnosis> {
    let anycast = place.snapshot.anycast.iter().flatten();
    let used = anycast.filter_map(|&(ifindex, address)| {
        let routes = gateway_of(place, ifindex, address);
        let interface = place.snapshot.interface(ifindex)?;
        (!routes.is_empty()).then(|| own_gateway(place, interface, address, &routes))
    });
    used.collect()
}

/// The destinations of routes by way of an address on an interface.
pub(super) fn gateway_of(place: Place<'_>, ifindex: u32, address: Ipv6Addr) -> Vec<String> {
    let routes = place.snapshot.routes.iter().flatten();
    let by_it = |route: &&Route| {
        route.gateway == Some(address) && route.ifindex.is_none_or(|by| by == ifindex)
    };
    routes
        .filter(by_it)
        .take(NAMED)
        .map(|route| format!("{}/{}", route.prefix, route.prefix_len))
        .collect()
}

fn own_gateway(
    place: Place<'_>,
    interface: &Interface,
    address: Ipv6Addr,
    routes: &[String],
) -> Diagnosis {
    let name = &interface.name;
    let summary = format!(
        "This host owns {address} on {name} as an anycast address, as every router does for the \
         first address of each of its prefixes, and {} goes by way of it: a neighbour has that \
         address as its own. {}",
        routes[0],
        kept(address)
    );
    let found = place
        .finding(interface, anycast::Cause::SubnetRouterAnycast, summary)
        .with("forwarding", interface.ipv6.map(|ipv6| ipv6.forwarding));
    let mut found = avoid(found, address, routes);
    found.address = Some(IpAddr::V6(address));
    found
}

/// What becomes of what is for such an address.
pub(super) fn kept(address: Ipv6Addr) -> String {
    format!(
        "Such routes keep forwarding, but what is for {address} itself, a BGP session say, stays on \
         this host."
    )
}

/// What routes go by it, and what to do about that.
pub(super) fn avoid(found: Diagnosis, address: Ipv6Addr, routes: &[String]) -> Diagnosis {
    let routes = routes.iter().take(NAMED).map(|route| route.as_str().into());
    found
        .with("gateway_of", Value::List(routes.collect()))
        .fix(
            Fix::new(format!("give the neighbour another address than {address}"))
                .remark("the clean way; its sessions break once"),
        )
        .fix(
            Fix::new("use /127 on both ends of a point-to-point link")
                .remark("has no anycast address (RFC 6164); sessions break once"),
        )
}
