//! What gives packets the source that they should have.

use std::{borrow::Cow, net::Ipv4Addr};

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

/// `RTPROT_BOOT`: made by hand, as `ip route` marks what nobody else claims.
const BOOT: u8 = 3;
/// `RTPROT_STATIC`: of the administrator, to be left alone by daemons.
const STATIC: u8 = 4;

impl Story<'_> {
    pub(super) fn missing_fixes(&self, diagnosis: Diagnosis) -> Diagnosis {
        let diagnosis = diagnosis.fix(
            self.add_address()
                .remark("ADDRESS: one that others route back to here"),
        );
        if self.leaves_vrf() {
            return diagnosis;
        }
        diagnosis.fix(self.name_source(
            "ADDRESS",
            "then: it stays the source as long as the route does",
        ))
    }

    pub(super) fn borrowed_fixes(&self, diagnosis: Diagnosis, source: Ipv4Addr) -> Diagnosis {
        let diagnosis = if self.leaves_vrf() {
            diagnosis
        } else {
            diagnosis.fix(self.name_source(
                &source.to_string(),
                "if it is the right one: it stays the source",
            ))
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

    pub(super) fn by_gateway_bits_fixes(
        &self,
        diagnosis: Diagnosis,
        source: Ipv4Addr,
    ) -> Diagnosis {
        let named = self.name_source(
            &source.to_string(),
            "if it is the right one: it stays the source, whatever the next hop",
        );
        let other = self.name_source("ADDRESS", "if it is not: the one that is meant");
        diagnosis.fix(named).fix(other)
    }

    /// Whether the VRF that the packet leaves was asked, and the route was not.
    pub(super) fn leaves_vrf(&self) -> bool {
        matches!(self.domain, Domain::Vrf { left: true, .. })
    }

    /// The interface that is asked first after the one of the next hop.
    fn first_asked(&self) -> &str {
        match &self.domain {
            Domain::Vrf { name, .. } | Domain::VrfOrBeyond { name } => name,
            Domain::NoVrf | Domain::Unknown => "lo",
        }
    }

    fn add_address(&self) -> Fix {
        let place = quoted(self.first_asked());
        self.command(&format!("ip address add ADDRESS/32 dev {place}"))
    }

    /// The route again, with a source; `remark` says what for. Whoever else
    /// made it would take it for a stranger's, or put its own in its place.
    fn name_source(&self, source: &str, remark: &'static str) -> Fix {
        let interface = &self.selection.interface;
        let route = &self.selection.route;
        if let Some(maker) = route
            .protocol
            .filter(|&proto| ![BOOT, STATIC].contains(&proto))
        {
            let what = format!(
                "set the source {source} in the routing daemon that made the route via {} (proto \
                 {})",
                route.next_hop,
                protocol_name(maker)
            );
            return Fix::new(what).remark(
                "FRR: `set src` in a route-map; BIRD: krt_prefsrc; by hand it would not last",
            );
        }
        match change(route, interface, source) {
            Some(command) => self.command(&command).remark(remark),
            None => Fix::new(format!(
                "give the route via {} the source {source} (src)",
                route.next_hop
            ))
            .remark(remark),
        }
    }

    fn command(&self, command: &str) -> Fix {
        Fix::new(advice::in_netns(self.session, self.event.netns, command))
    }
}

/// What `ip route` calls a maker of routes, where it has a name for it.
fn protocol_name(protocol: u8) -> Cow<'static, str> {
    Cow::Borrowed(match protocol {
        11 => "zebra",
        12 => "bird",
        16 => "dhcp",
        42 => "babel",
        84 => "openr",
        186 => "bgp",
        187 => "isis",
        188 => "ospf",
        189 => "rip",
        192 => "eigrp",
        other => return Cow::Owned(other.to_string()),
    })
}

/// The command that changes nothing of the route but its source, where one
/// next hop is all that it has, and it is known who made it.
fn change(route: &Route, interface: &str, source: &str) -> Option<String> {
    if route.several_next_hops {
        return None;
    }
    let (to, length) = route.prefix?;
    let protocol = route.protocol?;
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
    if protocol == STATIC {
        command += " proto static";
    }
    Some(command + " src " + source)
}
