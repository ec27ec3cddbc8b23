//! Next hops whose interface lost its carrier, of routes with several.

use std::net::IpAddr;

use super::{Story, words};
use crate::{
    explain::Diagnosis,
    families::route::{Cause, GoneRoute, Known, Reason, RoutesGone},
};
use words::is_set_by_hand;

/// The same without routes all of whose next hops are among them, or have no carrier a
/// moment later, as those by VLANs of one device: these are lost, as those are that have
/// one. `None` where nothing is left.
pub(super) fn shares(gone: &RoutesGone, found: Option<&[Known]>) -> Option<RoutesGone> {
    let mut left = gone.clone();
    let found = found.unwrap_or_default();
    let is_lost = |it: &GoneRoute| found.iter().any(|known| known.is_linkdown && is(known, it));
    left.routes
        .retain(|it| hops_of(it, gone) <= it.siblings && !is_lost(it));
    if gone
        .default_route()
        .is_some_and(|it| left.routes.first() != Some(it))
    {
        left.default_count = 0;
        left.count = left.count.saturating_sub(gone.default_count);
    }
    let others = |all: &RoutesGone| {
        let others = all.routes.iter().filter(|it| it.prefix_len != 0);
        u32::try_from(others.count()).unwrap_or(u32::MAX)
    };
    let taken = others(gone) - others(&left);
    left.count = left.count.saturating_sub(taken);
    (!left.routes.is_empty()).then_some(left)
}

/// Whether that is the route.
fn is(known: &Known, route: &GoneRoute) -> bool {
    IpAddr::V6(known.prefix) == route.destination
        && u32::from(known.prefix_len) == route.prefix_len
        && route.table.is_none_or(|table| table == known.table)
        && known.metric == route.metric
}

/// How many next hops of a route are among them. Of default routes one alone is described,
/// and all are taken for its own.
fn hops_of(route: &GoneRoute, gone: &RoutesGone) -> u32 {
    if route.prefix_len == 0 {
        return gone.default_count;
    }
    let is_same = |it: &&GoneRoute| {
        (it.destination, it.prefix_len, it.metric)
            == (route.destination, route.prefix_len, route.metric)
    };
    let hops = gone.routes.iter().filter(is_same).count();
    u32::try_from(hops).unwrap_or(u32::MAX)
}

impl Story<'_> {
    /// `ignored`: `ignore_routes_with_linkdown`.
    pub(super) fn hops(&self, ignored: Option<i32>) -> Diagnosis {
        let interface = &self.gone.interface;
        let routes = self.routes();
        let lost =
            format!("{interface} has lost its carrier, and with it one next hop of {routes}");
        let summary = match ignored {
            Some(0) => format!(
                "{lost}. {interface} has ignore_routes_with_linkdown = 0: a share of what goes \
                 there is sent to {interface} all the same, and gets nowhere. A host that forwards \
                 goes on so until the carrier is back, another one until it has found that the \
                 gateway does not answer. The kernel does not take the next hop away{}.",
                self.of_daemon()
            ),
            Some(_) => format!(
                "{lost}. {interface} has ignore_routes_with_linkdown set: what goes there goes by \
                 the other next hops, as far as these can be used, until the carrier is back."
            ),
            None => format!(
                "{lost}. Whether the kernel passes over it until the carrier is back \
                 (ignore_routes_with_linkdown) could not be read."
            ),
        };
        let mut diagnosis = self.told(Cause::HopLost, summary);
        // It may be any task in whose context the kernel sees to that.
        diagnosis.task = None;
        if self.gone.count as usize > self.gone.routes.len() {
            // All next hops of a route may be among those that are only counted.
            diagnosis = diagnosis.likely();
        }
        match ignored {
            Some(0) if self.gone.routes.iter().any(is_set_by_hand) => {
                let set = self
                    .subject
                    .set(interface, "ignore_routes_with_linkdown", 1);
                diagnosis.fix(set.remark(
                    "counts when the carrier goes the next time, or the routes are set anew",
                ))
            }
            _ => diagnosis,
        }
    }

    /// Whether a next hop is used though nothing gets anywhere by it, and no daemon is about
    /// to take it out of the default route.
    pub(super) fn is_used_in_vain(&self) -> bool {
        matches!(self.gone.reason, Reason::Hop(ignored) if ignored.is_none_or(|it| it == 0))
            && self.gone.default_route().is_some_and(is_set_by_hand)
    }
}
