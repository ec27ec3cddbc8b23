//! What is in the network namespace of the calling thread.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::{
    routes::{self, Prefix},
    settings, sources,
};
use crate::{
    check::{Address, Gateway, Interface, Ipv6, Route, Snapshot, Stray, snapshot::LISTED},
    clock,
    families::neighbour::Counts,
    observe::{
        answers,
        inside::{held, known},
        links::{self, Link},
        neighbours::{self, Neighbour},
        netlink,
        sockets::{self, InetSocket},
    },
    prefix,
};

/// Sockets whose processes are looked for.
const STRAYS: usize = 64;

/// Looks; and gives the interfaces whose other end is in another namespace, with the
/// number that this one has for that. Sockets are looked at first: an address that comes
/// meanwhile is none that has gone.
pub(super) fn look(netns: u32) -> io::Result<(Snapshot, Vec<(u32, i32)>)> {
    let listening = known("listeners", sockets::listening());
    let (routes, own) = known("routes", routes::look()).unzip();
    let mut snapshot = Snapshot {
        boot_ns: clock::boot_ns(),
        netns,
        addresses: addresses()?,
        routes,
        anycast: known("anycast addresses", answers::anycast()),
        proxied: known("proxied addresses", answers::proxied()),
        all: settings::of_all(),
        raw_icmpv6: known("raw sockets", settings::raw_icmpv6()),
        ..Snapshot::default()
    };
    let links = links::list()?;
    let elsewhere = links.iter().filter(|link| link.other_end.is_some());
    let elsewhere = elsewhere.filter_map(|link| Some((link.ifindex, link.other_end_nsid?)));
    let elsewhere = elsewhere.collect();
    snapshot.interfaces = links.iter().map(interface).collect();
    snapshot.sources = known("IPv4 routes", sources::look(netns, &links)).map(Box::new);
    let strays = listening.zip(own);
    snapshot.strays = strays.map(|(all, own)| strays_of(all, &snapshot.addresses, &own));
    if let Some((gateways, counts)) = known("neighbours", gateways(snapshot.routes.as_deref())) {
        snapshot.gateways = Some(gateways);
        snapshot.neighbours = Some(counts);
    }
    bound(&mut snapshot);
    snapshot.sort();
    routes::choose(&mut snapshot, &links);
    Ok((snapshot, elsewhere))
}

fn interface(link: &Link) -> Interface {
    let [advertisements, solicitations] = match link.settings {
        Some(_) => settings::routers(&link.name),
        None => [None; 2],
    };
    Interface {
        ifindex: link.ifindex,
        name: link.name.clone(),
        mac: link.mac,
        device_type: link.device_type,
        kind: link.kind.clone(),
        flags: link.flags,
        mtu: link.mtu,
        other_end: link.other_end,
        other_netns: None,
        other_is_elsewhere: link.other_end_nsid.is_some(),
        master: link.master,
        hairpin: link.hairpin,
        ipv6: link.settings.as_ref().map(|set| Ipv6 {
            forwarding: set.forwarding,
            accept_ra: set.accept_ra,
            disable_ipv6: set.disable_ipv6,
            enhanced_dad: set.enhanced_dad,
            proxy_ndp: set.proxy_ndp,
            addr_gen_mode: set.addr_gen_mode,
            use_tempaddr: set.use_tempaddr,
            regen_max_retry: set.regen_max_retry,
            accept_ra_defrtr: set.accept_ra_defrtr,
            ignore_linkdown: set.ignore_routes_with_linkdown,
            advertisements,
            solicitations,
        }),
    }
}

fn addresses() -> io::Result<Vec<Address>> {
    let mut request = AddressMessage::default();
    request.header.family = AddressFamily::Inet6;
    let request = RouteNetlinkMessage::GetAddress(request);
    netlink::dump(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewAddress(message) => address(&message),
        _ => None,
    })
}

fn address(message: &AddressMessage) -> Option<Address> {
    let held = held(message)?;
    let IpAddr::V6(address) = held.address else {
        return None;
    };
    let mut flags = held.flags.into();
    let mut has_peer = false;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Flags(all) => flags = all.bits(),
            AddressAttribute::Address(other) => has_peer = *other != held.address,
            _ => {}
        }
    }
    Some(Address {
        ifindex: held.ifindex,
        address,
        has_peer,
        prefix_len: held.prefix_len,
        flags,
    })
}

/// The neighbours that are gateways, and how many there are of all sorts.
fn gateways(routes: Option<&[Route]>) -> io::Result<(Vec<Gateway>, Counts)> {
    let routes = routes.unwrap_or_default().iter();
    let hops: HashSet<_> = routes
        .filter_map(|route| Some((route.ifindex?, route.gateway?)))
        .collect();
    // Counted behind the list, which may be asked for more than once.
    let all = neighbours::list(|entry| {
        let Neighbour {
            ifindex, address, ..
        } = entry;
        let gateway = hops.contains(&(ifindex, address)).then(|| Gateway {
            ifindex,
            address,
            state: entry.state.into(),
        });
        let count = (!entry.is_exempt).then(|| neighbours::count(entry.state));
        Some((gateway, count.unwrap_or_default()))
    })?;
    let mut counts = Counts::default();
    let gateways = all.into_iter().filter_map(|(gateway, count)| {
        counts += count;
        gateway
    });
    Ok((gateways.collect(), counts))
}

/// Sockets that wait for TCP connections at an address that neither an interface nor a
/// route has for this host's own. A link-local address is one of a single interface,
/// which is not listed. Whose they are is looked for later.
fn strays_of(listening: Vec<InetSocket>, addresses: &[Address], own: &[Prefix]) -> Vec<Stray> {
    let held: HashSet<Ipv6Addr> = addresses.iter().map(|one| one.address).collect();
    let strays = listening.into_iter().filter_map(|socket| {
        let IpAddr::V6(address) = socket.from else {
            return None;
        };
        let is_own = own
            .iter()
            .any(|&(prefix, bits)| prefix::has(prefix, bits, address));
        let is_stray = is_of_an_interface(address) && !held.contains(&address) && !is_own;
        is_stray.then_some(Stray {
            address,
            port: socket.from_port,
            inode: socket.inode,
            owner: None,
        })
    });
    strays.take(STRAYS).collect()
}

fn is_of_an_interface(address: Ipv6Addr) -> bool {
    let is_none = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    !is_none && !address.is_unicast_link_local() && address.to_ipv4_mapped().is_none()
}

/// Cuts what is too long.
fn bound(snapshot: &mut Snapshot) {
    fn cut<T>(list: &mut Vec<T>) -> bool {
        let is_cut = list.len() > LISTED;
        list.truncate(LISTED);
        is_cut
    }
    let mut is_cut = cut(&mut snapshot.interfaces) | cut(&mut snapshot.addresses);
    is_cut |= snapshot.routes.as_mut().is_some_and(cut);
    is_cut |= snapshot.anycast.as_mut().is_some_and(cut);
    is_cut |= snapshot.gateways.as_mut().is_some_and(cut);
    is_cut |= snapshot.proxied.as_mut().is_some_and(cut);
    if let Some(sources) = &mut snapshot.sources {
        let addresses = &mut sources.addresses;
        is_cut |= cut(&mut addresses.interfaces) | cut(&mut addresses.addresses);
    }
    snapshot.cut = is_cut;
}
