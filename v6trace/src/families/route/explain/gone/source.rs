//! Routes whose source went with its address.

use std::net::IpAddr;

use super::{NAMED, Story, words};
use crate::{explain::Diagnosis, families::route::Cause};
use words::{is_set_by_hand, protocol};

impl Story<'_> {
    pub(super) fn source(&self, source: IpAddr) -> Diagnosis {
        let interface = &self.gone.interface;
        let who = self.subject.who("The kernel");
        let routes = self.routes();
        let (what, verb) = if self.gone.went() {
            let them = if self.gone.count == 1 { "it" } else { "them" };
            (
                format!(
                    "the kernel removed {routes} on {interface}, of which it was the source (src). \
                     The kernel does not make {them} again{}.{}",
                    self.of_daemon(),
                    self.outlook()
                ),
                "add",
            )
        } else {
            let they = if self.gone.count == 1 {
                "It stays"
            } else {
                "They stay"
            };
            (
                format!(
                    "the kernel took it from {routes} on {interface}, of which it was the source \
                     (src). {they} without: the source of what leaves there is the kernel's own \
                     choice. It does not give it back when the address is back{}.",
                    self.of_daemon()
                ),
                "replace",
            )
        };
        let summary = format!("{who} removed the address {source}, and {what}");
        let diagnosis = self.told(Cause::SourceLost, summary);
        // To replace one of several next hops would take the others.
        let mut routes = self.gone.routes.iter();
        let routes = routes
            .by_ref()
            .filter(|it| is_set_by_hand(it) && it.is_single);
        routes.take(NAMED).fold(diagnosis, |diagnosis, route| {
            let way = match route.nexthop_id {
                Some(id) => format!(" nhid {id}"),
                None => self.way(route),
            };
            let route = format!(
                "{} {} src {source}{}",
                self.ip(verb),
                words::words(route, &way),
                protocol(route)
            );
            let remark = "when the address is back; with its other options, if it had any";
            diagnosis.fix(self.subject.command(&route).remark(remark))
        })
    }
}
