//! Routes whose lifetime ran out, and why nobody renewed it.

use super::{NAMED, Story, words};
use crate::{
    explain::Diagnosis,
    families::route::{Cause, GoneRoute},
};
use words::is_advertised;

/// How much higher the metric of a route is that gives way to an advertised one.
const BEHIND_ADVERTISED: u32 = 1024;

impl Story<'_> {
    pub(super) fn expired(&self) -> Diagnosis {
        let interface = &self.gone.interface;
        let (whose, went) = match self.gone.count {
            1 => ("the lifetime", "it was"),
            _ => ("the lifetimes", "they were"),
        };
        let advertised = self.gone.routes.iter().any(is_advertised);
        let by = if !advertised {
            format!("Whoever set {} did not renew that in time", self.it())
        } else if !self.gone.routes.iter().all(is_advertised) {
            "Neither an advertisement nor whoever set them renewed that in time".to_owned()
        } else if let Some(why) = self.ignores() {
            format!(
                "No advertisement renews {} by now, as {interface} {why}",
                self.it()
            )
        } else {
            let lifetime = self
                .lifetime()
                .map_or_else(String::new, |lifetime| format!(" (they say {lifetime} s)"));
            let router = self.router();
            format!(
                "No advertisement of {router} that {interface} heeds has renewed that in time{lifetime}"
            )
        };
        let summary = format!(
            "On {interface} {whose} of {} ran out, and {went} removed. {by}.{}",
            self.routes(),
            self.outlook()
        );
        let diagnosis = self.told(Cause::Expired, summary);
        let diagnosis = match (advertised, self.ignores()) {
            (true, Some(_)) => self.heed(diagnosis),
            _ => diagnosis,
        };
        self.again(diagnosis)
    }

    /// Why the interface ignores advertisements, where it does (`ipv6_accept_ra`).
    fn ignores(&self) -> Option<String> {
        match (self.gone.forwarding?, self.gone.accept_ra?) {
            (0, 0) => Some("ignores them (accept_ra = 0)".to_owned()),
            (forwarding, accept_ra) if forwarding != 0 && accept_ra != 2 => Some(format!(
                "ignores them (it forwards, and accept_ra = {accept_ra}, not 2)"
            )),
            _ if self.gives_no_default_route() => {
                Some("takes no default routes of them (accept_ra_defrtr = 0)".to_owned())
            }
            _ => None,
        }
    }

    /// Whether the interface heeds advertisements, but for default routes.
    fn gives_no_default_route(&self) -> bool {
        self.gone.accept_ra_defrtr == Some(0) && self.gone.default_count == self.gone.count
    }

    /// Has the interface heed advertisements.
    fn heed(&self, diagnosis: Diagnosis) -> Diagnosis {
        let interface = &self.gone.interface;
        let set = match (self.gone.forwarding, self.gone.accept_ra) {
            (Some(0), Some(0)) => self.subject.set(interface, "accept_ra", 1),
            (Some(1..), accept_ra) if accept_ra != Some(2) => {
                self.subject.set(interface, "accept_ra", 2)
            }
            _ => self.subject.set(interface, "accept_ra_defrtr", 1),
        };
        diagnosis.fix(set.remark(
            "the next advertisement then brings it back; not where a program takes advertisements \
             itself",
        ))
    }

    /// The commands that add the same again, as far as they are known.
    fn again(&self, diagnosis: Diagnosis) -> Diagnosis {
        let routes = self.lost().filter(|it| it.nexthop_id.is_none());
        routes.take(NAMED).fold(diagnosis, |diagnosis, route| {
            let (metric, remark) = if is_advertised(route) {
                // With the metric of an advertised one it would keep that out.
                (
                    route.metric.saturating_add(BEHIND_ADVERTISED),
                    "where the router still is there; gives way to an advertised one, and stays \
                     when the router goes",
                )
            } else {
                (route.metric, "without a lifetime")
            };
            let route = GoneRoute {
                metric,
                ..route.clone()
            };
            let add = format!(
                "ip -6 route add {}",
                words::words(&route, &self.way(&route))
            );
            diagnosis.fix(self.subject.command(&add).remark(remark))
        })
    }

    /// "it" or "them"
    fn it(&self) -> &'static str {
        if self.gone.count == 1 { "it" } else { "them" }
    }
}
