//! Which interfaces live on router advertisements: what forwarding takes from them.

use super::{inside::Inside, routes::Route};
use crate::ifa::PERMANENT;

/// `RTPROT_RA`
const ADVERTISED: u8 = 9;

/// Whether a route came from an advertisement.
pub(crate) fn is_advertised(route: &Route) -> bool {
    route.protocol == ADVERTISED
}

/// The names of the interfaces that heed advertisements only while they do not forward
/// (accept_ra = 1, forwarding = 0), and have something from them: one of these routes, or an address that
/// is not permanent.
pub(crate) fn interfaces(inside: &Inside, routes: &[Route]) -> Vec<String> {
    let mut names = Vec::new();
    for link in &inside.links {
        let mut held = inside.addresses.iter();
        let mut routes = routes.iter().filter(|route| is_advertised(route));
        let has_any = routes.any(|route| route.ifindex == Some(link.ifindex))
            || held.any(|held| {
                held.ifindex == link.ifindex
                    && held.address.is_ipv6()
                    && u32::from(held.flags) & PERMANENT == 0
            });
        let heeds = link
            .settings
            .is_some_and(|settings| settings.accept_ra == 1 && settings.forwarding == 0);
        if heeds && has_any {
            names.push(link.name.clone());
        }
    }
    names
}
