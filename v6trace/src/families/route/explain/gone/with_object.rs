//! Routes that went with their nexthop object.

use super::{NAMED, Story, words};
use crate::{
    explain::Diagnosis,
    families::route::{Cause, Reason},
    route_protocol,
};
use words::{is_set_by_hand, protocol};

impl Story<'_> {
    pub(super) fn with_object(&self) -> Diagnosis {
        let interface = &self.gone.interface;
        let (why, when) = if self.gone.reason == Reason::Down {
            let who = self.subject.who("The kernel");
            (
                format!("{who} set {interface} down"),
                "when it is up again; with its other options, if it had any",
            )
        } else {
            (
                format!("{interface} has lost its carrier"),
                "when it has a carrier again; with its other options, if it had any",
            )
        };
        let daemon = self.gone.routes.iter().find(|it| !is_set_by_hand(it));
        let again = match daemon {
            None => "The kernel does not make them again".to_owned(),
            Some(route) => format!(
                "The kernel does not make them again; of its own (proto {}) the daemon may",
                route_protocol::name(route.protocol)
            ),
        };
        let summary = format!(
            "{why}, and the kernel deleted the nexthop objects that leave by it and with them {}. \
             {again}.{}",
            self.routes(),
            self.outlook()
        );
        let mut diagnosis = self.told(Cause::WithNexthop, summary);
        if self.gone.reason == Reason::Carrier {
            // It may be any task in whose context the kernel sees to that.
            diagnosis.task = None;
        }
        let mut added = Vec::new();
        let routes = self.lost().filter(|it| is_set_by_hand(it)).take(NAMED);
        for route in routes {
            let Some(id) = route.nexthop_id else {
                continue;
            };
            if !added.contains(&id) {
                added.push(id);
                let add = format!("ip nexthop add id {id}{}", self.way(route));
                diagnosis = diagnosis.fix(self.subject.command(&add).remark(when));
            }
            let add = format!(
                "ip -6 route add {}{}",
                words::words(route, &format!(" nhid {id}")),
                protocol(route)
            );
            diagnosis = diagnosis.fix(self.subject.command(&add).remark("then"));
        }
        diagnosis
    }
}
