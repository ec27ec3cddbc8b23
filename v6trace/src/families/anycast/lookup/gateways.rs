//! Routes by way of the addresses.

use std::io;

use super::{Found, Taken, each, used};
use crate::{families::anycast::UseKind, observe::gateways};

/// Looks through the routes of the calling thread's namespace.
pub(super) fn find(all: &[Taken<'_>]) -> io::Result<Found> {
    let interface = match all {
        [only] => Some(only.change.ifindex),
        _ => None,
    };
    let mut found = Vec::new();
    let whole = gateways::each(interface, |route, hops| {
        let used_by = each(all, |taken| {
            hops.contains(&(taken.change.ifindex, taken.change.address))
        });
        found.extend(used_by.map(|(index, taken)| {
            let destination = gateways::destination(route);
            let detail = format!("{destination} dev {}", taken.change.interface);
            (index, used(UseKind::Gateway, detail))
        }));
    })?;
    Ok((found, whole))
}
