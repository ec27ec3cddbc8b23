//! Looks which routes there are beside one that was refused, which default routes are left
//! where one went, and which next hops where routes lost one.
//!
//! A router has very many routes: they are listed once for all the records of a
//! namespace that came out together.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    slice,
};

use super::{
    GoneRoute, Hop, Interface, Known, Paths, Reason, RouteRefused, RoutesGone,
    explain::INVALID_GATEWAY,
};
use crate::{
    errno::Errno,
    event::Event,
    families::{Payload, outgoing::lookup::own},
    observe::{
        Looks,
        batch::Batch,
        enter,
        inside::{self, Inside},
        links::{self, Link},
        routes::{self, Route},
    },
    record::{Lookup, Record},
};

/// Routes that are listed, of each sort.
const LISTED: usize = 16;
/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;

/// Looks at the namespaces in which routes are refused, or go.
pub(crate) struct Routes;

impl Looks for Routes {
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let mut asked: BTreeMap<u32, Vec<Asked<'_>>> = BTreeMap::new();
        for (index, record) in records.iter().enumerate() {
            let Some(event) = record.event() else {
                continue;
            };
            let found = match &event.payload {
                Payload::RouteRefused(refused) => Asked::refused(index, event, refused),
                Payload::RoutesGone(gone) => Asked::gone(index, event, gone),
                _ => None,
            };
            if let Some(found) = found {
                asked.entry(event.netns).or_default().push(found);
            }
        }
        let found = asked.into_values().flat_map(|asked| look(&asked, batch));
        found.collect()
    }
}

/// What is to be looked up for a record.
struct Asked<'r> {
    index: usize,
    event: &'r Event,
    /// The table that matters most.
    table: u32,
    gateways: Vec<Ipv6Addr>,
    /// Whether routes to the gateways matter.
    to_gateways: bool,
    /// Prefixes, where routes with these matter.
    prefixes: Vec<(Ipv6Addr, u8)>,
    prefsrc: Option<IpAddr>,
    /// Interfaces, by index.
    interfaces: Vec<u32>,
}

impl<'r> Asked<'r> {
    fn refused(index: usize, event: &'r Event, refused: &RouteRefused) -> Option<Self> {
        // What is found at the session's end says nothing about what was there.
        let request = refused.request.as_ref().filter(|_| !refused.is_held)?;
        let gateways: Vec<_> = request.hops.iter().filter_map(Hop::gateway6).collect();
        // Routes of IPv4 are not listed.
        let prefix = match request.destination {
            IpAddr::V6(destination) => Some((destination, request.prefix_len)),
            IpAddr::V4(_) => None,
        };
        let is_answer = matches!(refused.errno, Errno::EEXIST | Errno::ESRCH | Errno::ENOENT);
        Some(Self {
            index,
            event,
            table: request.table,
            to_gateways: !gateways.is_empty() && depends_on_gateway(refused),
            gateways,
            prefixes: prefix.filter(|_| is_answer).into_iter().collect(),
            prefsrc: request.prefsrc,
            interfaces: request.hops.iter().filter_map(|hop| hop.ifindex).collect(),
        })
    }

    /// Of routes that are no default routes it does not matter which are left; of all that
    /// lost a next hop, whether the others are left.
    fn gone(index: usize, event: &'r Event, gone: &RoutesGone) -> Option<Self> {
        let routes = match gone.reason {
            Reason::Hop(_) => &gone.routes[..],
            _ if gone.went() => gone.default_route().map(slice::from_ref)?,
            _ => return None,
        };
        let route = routes.first()?;
        // Routes of IPv4 are not listed.
        let prefix = |it: &GoneRoute| match it.destination {
            IpAddr::V6(destination) => Some((destination, u8::try_from(it.prefix_len).ok()?)),
            IpAddr::V4(_) => None,
        };
        let prefixes: Option<Vec<_>> = routes.iter().map(prefix).collect();
        Some(Self {
            index,
            event,
            table: route.table.unwrap_or(MAIN),
            gateways: Vec::new(),
            to_gateways: false,
            prefixes: prefixes?,
            prefsrc: None,
            interfaces: vec![gone.ifindex],
        })
    }

    fn leads_to_gateway(&self, route: &Route) -> bool {
        // The kernel looks for a gateway without a source.
        self.to_gateways
            && route.source.is_none()
            && self.gateways.iter().any(|&gateway| route.has(gateway))
    }

    fn has_prefix(&self, route: &Route) -> bool {
        self.prefixes.contains(&(route.prefix, route.prefix_len))
    }

    fn wants(&self, route: &Route) -> bool {
        self.leads_to_gateway(route) || self.has_prefix(route)
    }
}

/// Whether what leads to a gateway decides.
fn depends_on_gateway(refused: &RouteRefused) -> bool {
    let said = refused.said.as_deref().unwrap_or_default();
    refused.errno == Errno::EHOSTUNREACH
        || refused.errno == Errno::EINVAL && said.starts_with(INVALID_GATEWAY)
}

/// Looks for all of one namespace.
fn look(asked: &[Asked<'_>], batch: &mut Batch) -> Vec<(usize, Lookup)> {
    let Some(first) = asked.first() else {
        return Vec::new();
    };
    let netns = first.event.netns;
    let routes = if asked
        .iter()
        .any(|one| one.to_gateways || !one.prefixes.is_empty())
    {
        let paths = batch.paths_for(first.event);
        let wanted = |route: &Route| asked.iter().any(|one| one.wants(route));
        inside::known(
            "routes",
            enter::within(netns, &paths, || routes::list(wanted)),
        )
    } else {
        None
    };
    let Some(inside) = batch.inside_of(first.event) else {
        return Vec::new();
    };
    let found = asked.iter().map(|one| {
        let paths = paths(one, routes.as_deref(), inside);
        (one.index, paths.into())
    });
    found.collect()
}

fn paths(asked: &Asked<'_>, routes: Option<&[Route]>, inside: &Inside) -> Paths {
    let Inside {
        boot_ns,
        links,
        addresses,
        ..
    } = inside;
    let table = asked.table;
    let listed = |wanted: bool, is_it: &dyn Fn(&Route) -> bool| {
        let routes = routes.filter(|_| wanted)?;
        let mut found: Vec<_> = routes.iter().filter(|route| is_it(route)).collect();
        // Of very many, those of the tables that the kernel looks into are kept.
        let is_beside = |route: &Route| ![table, MAIN].contains(&route.table);
        found.sort_by_key(|route| {
            let length = u8::MAX - route.prefix_len;
            (is_beside(route), length, route.metric)
        });
        found.truncate(LISTED);
        found.sort_by_key(|route| (u8::MAX - route.prefix_len, route.metric));
        Some(found.iter().map(|route| known(route, links)).collect())
    };
    let is_asked_for = |address: Ipv6Addr| {
        asked.gateways.contains(&address) || asked.prefsrc == Some(IpAddr::V6(address))
    };
    let own = addresses.iter().filter_map(|held| own(held, links));
    let interfaces = asked.interfaces.iter();
    let interfaces = interfaces.filter_map(|&ifindex| links::by_index(links, ifindex));
    Paths {
        boot_ns: *boot_ns,
        netns: asked.event.netns,
        to_gateways: listed(asked.to_gateways, &|route| asked.leads_to_gateway(route)),
        same_prefix: listed(!asked.prefixes.is_empty(), &|route| asked.has_prefix(route)),
        addresses: own.filter(|own| is_asked_for(own.address)).collect(),
        interfaces: interfaces.map(|link| interface(link, links)).collect(),
    }
}

fn interface(link: &Link, links: &[Link]) -> Interface {
    let master = link.master.and_then(|it| links::by_index(links, it));
    Interface {
        ifindex: link.ifindex,
        name: link.name.clone(),
        is_up: link.is_up,
        vrf_table: master.unwrap_or(link).vrf_table,
    }
}

fn known(route: &Route, links: &[Link]) -> Known {
    Known {
        prefix: route.prefix,
        prefix_len: route.prefix_len,
        source: route.source,
        table: route.table,
        kind: route.kind,
        protocol: route.protocol,
        metric: route.metric,
        gateway: route.gateway,
        interface: route
            .ifindex
            .and_then(|ifindex| links::by_index(links, ifindex))
            .map(|link| link.name.clone()),
        prefsrc: route.prefsrc,
        nexthop_id: route.nexthop_id,
        hops: route.hops,
        is_dead: route.is_dead,
        is_linkdown: route.is_linkdown,
    }
}
