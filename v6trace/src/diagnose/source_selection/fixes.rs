//! What gives packets the source that they should have.

use std::net::Ipv4Addr;

use super::{Domain, Story};
use crate::{
    decode::source_selection::Route,
    diagnose::{
        Diagnosis, Fix,
        advice::{self, quoted},
    },
};

/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;

impl Story<'_> {
    pub(super) fn missing_fixes(&self, diagnosis: Diagnosis) -> Diagnosis {
        let diagnosis = diagnosis.fix(
            self.add_address()
                .remark("ADDRESS: one that others route back to here"),
        );
        if self.leaves_vrf() {
            return diagnosis;
        }
        diagnosis.fix(
            self.name_source("ADDRESS")
                .remark("then: nothing else is chosen any more"),
        )
    }

    pub(super) fn borrowed_fixes(&self, diagnosis: Diagnosis, source: Ipv4Addr) -> Diagnosis {
        let diagnosis = if self.leaves_vrf() {
            diagnosis
        } else {
            diagnosis.fix(
                self.name_source(&source.to_string())
                    .remark("if it is the right one: it stays the source"),
            )
        };
        // The first address there is taken already, a second one would not be.
        if self.source_interface() == Some(self.first_asked()) {
            return diagnosis;
        }
        diagnosis.fix(
            self.add_address()
                .remark("if it is not: ADDRESS is chosen then, others must route it"),
        )
    }

    fn leaves_vrf(&self) -> bool {
        matches!(self.domain, Domain::Vrf { left: true, .. })
    }

    /// The interface that is asked first after the one of the next hop.
    fn first_asked(&self) -> &str {
        match &self.domain {
            Domain::Vrf { name, .. } => name,
            Domain::NoVrf | Domain::Unknown => "lo",
        }
    }

    fn add_address(&self) -> Fix {
        let place = quoted(self.first_asked());
        self.command(&format!("ip address add ADDRESS/32 dev {place}"))
    }

    /// The route again, with a source.
    fn name_source(&self, source: &str) -> Fix {
        let interface = &self.selection.interface;
        let route = &self.selection.route;
        match change(route, interface, source) {
            Some(command) => self.command(&command),
            None => Fix::new(format!(
                "give the route via {} the source {source} (src)",
                route.next_hop
            )),
        }
    }

    fn command(&self, command: &str) -> Fix {
        Fix::new(advice::in_netns(self.session, self.event.netns, command))
    }
}

/// The command that changes nothing of the route but its source, where one
/// next hop is all that it has.
fn change(route: &Route, interface: &str, source: &str) -> Option<String> {
    if route.several_next_hops {
        return None;
    }
    let (to, length) = route.prefix?;
    let mut command = format!("ip route change {to}/{length}");
    if route.table? != MAIN {
        command += &format!(" table {}", route.table?);
    }
    if route.metric != 0 {
        command += &format!(" metric {}", route.metric);
    }
    match route.nexthop_id {
        Some(id) => command += &format!(" nhid {id}"),
        None => command += &format!(" via inet6 {} dev {}", route.next_hop, quoted(interface)),
    }
    if route.nexthop_id.is_none() && route.onlink {
        command += " onlink";
    }
    Some(command + " src " + source)
}
