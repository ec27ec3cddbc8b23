//! Routes that went with their nexthop object.

use super::{NAMED, Story, words};
use crate::{
    explain::Diagnosis,
    families::route::{Cause, Reason},
    route_protocol,
};
use words::{is_set_by_hand, protocol};

impl Story<'_> {
    /// Who may do so for some of them; a clause.
    pub(super) fn of_daemon(&self) -> String {
        let mut routes = self.gone.routes.iter();
        routes
            .find(|it| !is_set_by_hand(it))
            .map_or_else(String::new, |route| {
                let name = route_protocol::name(route.protocol);
                format!("; of its own (proto {name}) the daemon may")
            })
    }

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
        let again = format!("The kernel does not make them again{}", self.of_daemon());
        let mut members = self.gone.routes.iter().map(|it| it.member_id);
        let groups = if members.any(|it| it.is_some()) {
            ", with them the groups that had no other left,"
        } else {
            ""
        };
        let summary = format!(
            "{why}, and the kernel deleted the nexthop objects that leave by it{groups} and with them \
             {}. {again}.{}",
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
            let single = route.member_id.unwrap_or(id);
            if !added.contains(&single) {
                added.push(single);
                let add = format!("ip nexthop add id {single}{}", self.way(route));
                diagnosis = diagnosis.fix(self.subject.command(&add).remark(when));
            }
            if single != id && !added.contains(&id) {
                added.push(id);
                let add = format!("ip nexthop add id {id} group {single}");
                let remark = "then; with its type and weights, if it had any, and the others that it had \
                              before, once they are there again";
                diagnosis = diagnosis.fix(self.subject.command(&add).remark(remark));
            }
            let add = format!(
                "{} {}{}",
                self.ip("add"),
                words::words(route, &format!(" nhid {id}")),
                protocol(route)
            );
            diagnosis = diagnosis.fix(self.subject.command(&add).remark("then"));
        }
        diagnosis
    }
}
