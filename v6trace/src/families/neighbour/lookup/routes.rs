//! Looks which routes go by way of gateways, and whether any goes ahead of them.

use std::{
    collections::{HashMap, HashSet},
    io,
};

use netlink_packet_route::route::{RouteAttribute, RouteFlags, RouteMessage};

use super::LISTED;
use crate::{
    families::neighbour::Route,
    observe::{
        gateways::{self, Hop},
        links::{self, Link},
    },
};

/// Routes like those by way of a gateway that are compared.
const LIKE: usize = 64;

/// Routes by way of gateways.
#[derive(Default)]
pub(super) struct Routes {
    /// Those of the gateways that were asked for, each with its other next hops.
    by: Vec<(Hop, Found, Vec<Hop>)>,
    /// Others that are like them, by way of another gateway.
    like: Vec<(Hop, Found)>,
    /// The least metric of any route to the same destination in the same table.
    best: HashMap<(String, u32), u32>,
    /// Whether all could be looked at.
    whole: bool,
}

/// A route.
#[derive(Clone, PartialEq, Eq)]
struct Found {
    destination: String,
    table: u32,
    metric: u32,
}

/// Looks through the routes of the calling thread's namespace, once more where any is by
/// way of the gateways: for those that lead to the same.
pub(super) fn list(asked: &[Hop]) -> io::Result<Routes> {
    let mut routes = Routes::default();
    let mut lengths = HashSet::new();
    routes.whole = gateways::each(None, |message, hops| {
        if message.header.flags.contains(RouteFlags::Dead) {
            return;
        }
        for &hop in hops {
            if asked.contains(&hop) {
                let others = hops.iter().copied().filter(|other| *other != hop);
                let route = found(message);
                lengths.insert(message.header.destination_prefix_length);
                routes.best.insert(route.place(), route.metric);
                routes.by.push((hop, route, others.collect()));
            }
        }
    })?;
    if routes.by.is_empty() {
        return Ok(routes);
    }
    gateways::each(None, |message, hops| {
        let header = &message.header;
        if header.flags.contains(RouteFlags::Dead)
            || !lengths.contains(&header.destination_prefix_length)
        {
            return;
        }
        let route = found(message);
        let Some(best) = routes.best.get_mut(&route.place()) else {
            return;
        };
        *best = route.metric.min(*best);
        if let Some(&hop) = hops.first()
            && routes.like.len() < LIKE
        {
            routes.like.push((hop, route));
        }
    })?;
    Ok(routes)
}

impl Found {
    /// Where it leads to, in which table.
    fn place(&self) -> (String, u32) {
        (self.destination.clone(), self.table)
    }
}

impl Routes {
    /// Those by way of a gateway, with the others that each has; `None` where there may be
    /// some that were not seen.
    pub(super) fn by(&self, hop: Hop, links: &[Link]) -> Option<Vec<Route>> {
        let mut by: Vec<_> = self.by.iter().filter(|(by, ..)| *by == hop).collect();
        if by.is_empty() && !self.whole {
            return None;
        }
        by.sort_by_key(|(_, route, _)| (route.table, route.metric));
        let routes = by.into_iter().map(|(_, route, hops)| {
            let same = self.like.iter();
            let same = same.filter(|(by, other)| other == route && *by != hop);
            let same: Vec<Hop> = same.map(|(by, _)| *by).collect();
            let named = hops.iter().chain(&same).filter_map(|(ifindex, gateway)| {
                let link = links::by_index(links, *ifindex)?;
                Some(format!("{gateway} on {}", link.name))
            });
            let best = self.best.get(&route.place());
            Route {
                destination: route.destination.clone(),
                table: route.table,
                metric: route.metric,
                others: named.take(LISTED).collect(),
                is_second: best.is_some_and(|best| *best < route.metric),
            }
        });
        Some(routes.collect())
    }
}

fn found(message: &RouteMessage) -> Found {
    let mut route = Found {
        destination: gateways::destination(message),
        table: message.header.table.into(),
        metric: 0,
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(table) => route.table = *table,
            RouteAttribute::Priority(metric) => route.metric = *metric,
            _ => {}
        }
    }
    route
}
