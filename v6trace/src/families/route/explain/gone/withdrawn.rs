//! Routes that a message of neighbour discovery took away.

use super::{ROUTER_ADVERTISEMENT, Story};
use crate::{
    explain::{Diagnosis, Fix},
    families::route::Cause,
};

/// `ICMPv6` type.
const NEIGHBOUR_ADVERTISEMENT: u32 = 136;

impl Story<'_> {
    /// `None` where the kernel only made the route anew, with another metric. `by`: the
    /// interface of the message.
    pub(super) fn withdrawn(
        &self,
        message: u32,
        router_lifetime: u32,
        elsewhere: bool,
        by: &str,
    ) -> Option<Diagnosis> {
        let gone = self.gone;
        if router_lifetime != 0 && gone.count == 1 && self.is_back() {
            return None;
        }
        let router = self.router();
        let what = self.routes();
        let interface = &gone.interface;
        let is_farewell = router_lifetime == 0 && gone.default_count > 0;
        let why = match message {
            ROUTER_ADVERTISEMENT if is_farewell => format!(
                "{router} advertised on {by} that it is no default router any more (router \
                 lifetime 0), and the kernel removed {what}"
            ),
            ROUTER_ADVERTISEMENT => format!(
                "An advertisement of {router} on {by} took back {what}, and the kernel removed \
                 what it had learnt"
            ),
            NEIGHBOUR_ADVERTISEMENT if elsewhere => format!(
                "A neighbour advertisement of {router} on {by} says that it is no router (it lacks \
                 the flag R), and the kernel removed {what} on {interface}: it goes by the address \
                 alone, whichever link has the router"
            ),
            NEIGHBOUR_ADVERTISEMENT => format!(
                "A neighbour advertisement of {router} on {by} says that it is no router (it lacks \
                 the flag R), and the kernel removed {what}"
            ),
            _ => format!("A message of neighbour discovery took away {what} on {interface}"),
        };
        let summary = format!("{why}.{}", self.outlook());
        let mut diagnosis = self.told(Cause::Withdrawn, summary);
        diagnosis.task = None;
        let mend = match message {
            _ if self.is_back() => return Some(diagnosis),
            ROUTER_ADVERTISEMENT => format!(
                "where it still leads there, have {router} advertise a lifetime (radvd: \
                 AdvDefaultLifetime, AdvRouteLifetime)"
            ),
            NEIGHBOUR_ADVERTISEMENT if elsewhere => format!(
                "see who has {router} on {by}; the next advertisement on {interface} brings the \
                 route back"
            ),
            _ => format!(
                "where it still is a router, let {router} forward again (its \
                 net.ipv6.conf.all.forwarding); its next advertisement then brings the route"
            ),
        };
        Some(diagnosis.fix(Fix::new(mend)))
    }
}
