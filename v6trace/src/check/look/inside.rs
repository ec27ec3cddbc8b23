//! What is in the network namespace of the calling thread.

use std::{
    cell::Cell,
    collections::HashSet,
    io,
    net::{IpAddr, Ipv6Addr},
};

use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::settings;
use crate::{
    check::{Address, Gateway, Interface, Ipv6, Route, Snapshot, Stray, snapshot::LISTED},
    clock,
    families::neighbour::Counts,
    observe::{
        answers,
        inside::{held, known},
        links::{self, Link},
        neighbours::{self, Neighbour},
        netlink, owners, routes, sockets,
    },
};

/// Sockets whose processes are looked for.
const STRAYS: usize = 64;
/// `RTN_UNICAST`
const UNICAST: u8 = 1;

/// Looks; and gives the interfaces whose other end is in another namespace, with the
/// number that this one has for that.
pub(super) fn look(netns: u32) -> io::Result<(Snapshot, Vec<(u32, i32)>)> {
    let mut snapshot = Snapshot {
        boot_ns: clock::boot_ns(),
        netns,
        addresses: addresses()?,
        routes: known("routes", routes()),
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
    snapshot.strays = known("listeners", strays(&snapshot.addresses));
    if let Some((gateways, counts)) = known("neighbours", gateways(snapshot.routes.as_deref())) {
        snapshot.gateways = Some(gateways);
        snapshot.neighbours = Some(counts);
    }
    bound(&mut snapshot);
    Ok((snapshot, elsewhere))
}

fn interface(link: &Link) -> Interface {
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
            accept_dad: set.accept_dad,
            enhanced_dad: set.enhanced_dad,
            proxy_ndp: set.proxy_ndp,
            use_tempaddr: set.use_tempaddr,
            addr_gen_mode: set.addr_gen_mode,
            advertisements: settings::advertisements(&link.name),
        }),
    }
}

fn addresses() -> io::Result<Vec<Address>> {
    let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    netlink::dump(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewAddress(message) => address(&message),
        _ => None,
    })
}

fn address(message: &AddressMessage) -> Option<Address> {
    let held = held(message)?;
    let mut attributes = message.attributes.iter();
    let flags = attributes.find_map(|attribute| match attribute {
        AddressAttribute::Flags(flags) => Some(flags.bits()),
        _ => None,
    });
    Some(Address {
        ifindex: held.ifindex,
        address: held.address,
        prefix_len: held.prefix_len,
        scope: held.scope,
        flags: flags.unwrap_or(held.flags.into()),
    })
}

/// The routes that matter; of default routes all.
fn routes() -> io::Result<Vec<Route>> {
    let left = Cell::new(LISTED + 1);
    let found = routes::list(|route| {
        let matters = route.prefix_len == 0 || route.gateway.is_some() || route.prefsrc.is_some();
        if route.kind != UNICAST || !matters {
            return false;
        }
        left.set(left.get().saturating_sub(1));
        left.get() > 0 || route.prefix_len == 0
    })?;
    let found = found.into_iter().map(|route| Route {
        prefix: route.prefix,
        prefix_len: route.prefix_len,
        table: route.table,
        protocol: route.protocol,
        metric: route.metric,
        gateway: route.gateway.filter(|to| *to != Ipv6Addr::UNSPECIFIED),
        ifindex: route.ifindex,
        prefsrc: route.prefsrc,
        is_dead: route.is_dead,
    });
    Ok(found.collect())
}

/// The neighbours that are gateways, and how many there are of all sorts.
fn gateways(routes: Option<&[Route]>) -> io::Result<(Vec<Gateway>, Counts)> {
    let routes = routes.unwrap_or_default().iter();
    let hops: HashSet<_> = routes
        .filter_map(|route| Some((route.ifindex?, route.gateway?)))
        .collect();
    let mut counts = Counts::default();
    let gateways = neighbours::list(|entry| {
        if !entry.is_exempt {
            counts += neighbours::count(entry.state);
        }
        let Neighbour {
            ifindex, address, ..
        } = entry;
        hops.contains(&(ifindex, address)).then(|| Gateway {
            ifindex,
            address,
            state: entry.state.into(),
        })
    })?;
    Ok((gateways, counts))
}

/// Sockets that wait for TCP connections at an address that no interface has. A
/// link-local address is one of a single interface, which is not listed.
fn strays(addresses: &[Address]) -> io::Result<Vec<Stray>> {
    let held: HashSet<IpAddr> = addresses.iter().map(|one| one.address).collect();
    let mut strays = sockets::listening()?;
    strays.retain(|socket| is_of_an_interface(socket.from) && !held.contains(&socket.from));
    strays.truncate(STRAYS);
    let inodes = strays.iter().map(|socket| socket.inode).collect();
    let owners = owners::of(&inodes);
    let strays = strays.into_iter().filter_map(|socket| {
        let IpAddr::V6(address) = socket.from else {
            return None;
        };
        let owner = owners.get(&socket.inode);
        Some(Stray {
            address,
            port: socket.from_port,
            inode: socket.inode,
            owner: owner.map(|owner| (owner.pid, owner.comm.clone())),
        })
    });
    Ok(strays.collect())
}

fn is_of_an_interface(address: IpAddr) -> bool {
    let IpAddr::V6(address) = address else {
        return false;
    };
    let is_none = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    !is_none && !address.is_unicast_link_local() && address.to_ipv4_mapped().is_none()
}

/// Cuts what is too long. IPv4 addresses go first.
fn bound(snapshot: &mut Snapshot) {
    fn cut<T>(list: &mut Vec<T>) -> bool {
        let is_cut = list.len() > LISTED;
        list.truncate(LISTED);
        is_cut
    }
    let is_v4 = |one: &Address| matches!(one.address, IpAddr::V4(_));
    snapshot.addresses.sort_by_key(is_v4);
    let mut is_cut = cut(&mut snapshot.interfaces) | cut(&mut snapshot.addresses);
    is_cut |= snapshot.routes.as_mut().is_some_and(cut);
    is_cut |= snapshot.anycast.as_mut().is_some_and(cut);
    is_cut |= snapshot.gateways.as_mut().is_some_and(cut);
    is_cut |= snapshot.proxied.as_mut().is_some_and(cut);
    snapshot.cut = is_cut;
}
