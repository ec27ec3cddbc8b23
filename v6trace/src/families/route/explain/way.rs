//! Which way the kernel finds to a gateway.

use super::Story;
use crate::families::route::{Hop, Known};

/// `RTN_UNICAST`
const UNICAST: u8 = 1;
/// `RT_TABLE_MAIN` and `RT_TABLE_LOCAL`
const MAIN: u32 = 254;
const LOCAL: u32 = 255;

/// What the kernel has for a gateway, among routes that have its address.
pub(super) enum Way<'p> {
    /// Its link is that of another interface than was asked for.
    Elsewhere(&'p Known, &'p str),
    /// It is behind another gateway.
    Behind(&'p Known),
    /// A route rejects it.
    Rejected(&'p Known),
    /// It is on the link now.
    There(&'p Known),
    Nowhere,
    Unknown,
}

impl Story<'_> {
    /// What the kernel found for a gateway: it looks into the table that the route is
    /// for, and then where the rules say.
    pub(super) fn way(&self, hop: &Hop) -> Way<'_> {
        match self.request {
            Some(request) => self.way_in(&[request.table, MAIN, LOCAL], hop),
            None => Way::Unknown,
        }
    }

    /// The same of a neighbour (`onlink`): the kernel looks into the table of the
    /// interface's VRF alone, or into main.
    pub(super) fn way_of_neighbour(&self, hop: &Hop) -> Way<'_> {
        let vrf = hop.ifindex.and_then(|ifindex| self.paths?.vrf(ifindex));
        self.way_in(&[vrf.unwrap_or(MAIN)], hop)
    }

    fn way_in(&self, tables: &[u32], hop: &Hop) -> Way<'_> {
        let Some(gateway) = hop.gateway6() else {
            return Way::Unknown;
        };
        let Some(routes) = self.paths.and_then(|paths| paths.to_gateways.as_ref()) else {
            return Way::Unknown;
        };
        let asked = hop.ifindex.and_then(|ifindex| self.name(ifindex));
        let looked_at = routes.iter().filter(|route| {
            let is_there = tables.contains(&route.table);
            // By an interface that is named it finds no route that rejects.
            is_there
                && !route.is_dead
                && route.source.is_none()
                && route.has(gateway)
                && (asked.is_none() || route.kind == UNICAST)
        });
        let looked_at: Vec<_> = looked_at.collect();
        let direct = |route: &&&Known| route.kind == UNICAST && route.gateway.is_none();
        let is_asked =
            |route: &&&Known| asked.is_none() || route.interface.as_deref() == asked.as_deref();
        if let Some(route) = looked_at.iter().filter(direct).find(|it| !is_asked(it))
            && let Some(interface) = route.interface.as_deref()
            && !looked_at.iter().filter(direct).any(|it| is_asked(&it))
        {
            return Way::Elsewhere(route, interface);
        }
        match looked_at.iter().find(is_asked).or(looked_at.first()) {
            None => Way::Nowhere,
            Some(route) if route.kind != UNICAST => Way::Rejected(route),
            Some(route) if route.gateway.is_some() || route.hops > 1 => Way::Behind(route),
            Some(route) => Way::There(route),
        }
    }
}
