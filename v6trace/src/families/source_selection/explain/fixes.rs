//! What gives packets the source that they should have.

use std::{borrow::Cow, net::Ipv4Addr};

use super::{Domain, Story, Unfit};
use crate::{
    explain::{Diagnosis, Fix, quoted},
    families::source_selection::{Extent, L3mdev, Route, SourceSelection},
};

/// What a reader puts in for an address of theirs.
const ADDRESS: &str = "ADDRESS";
/// Of setting up an interface that is for addresses alone.
const DOWN: &str = "it is down: routing daemons do not announce what it has";

/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;

/// `RTPROT_BOOT`: made by hand, as `ip route` marks what nobody else claims.
const BOOT: u8 = 3;
/// `RTPROT_STATIC`: of the administrator, to be left alone by daemons.
const STATIC: u8 = 4;

impl Story<'_> {
    pub(super) fn missing_fixes(&self, diagnosis: Diagnosis) -> Diagnosis {
        let add = self.add_address(ADDRESS, self.first_asked());
        if let Domain::VrfOrBeyond { .. } = self.domain {
            let add = add.remark(
                "one that others route back to here; counts since Linux 6.11 and backports",
            );
            let diagnosis = diagnosis.fix(add);
            if self.is_leaked() {
                return diagnosis;
            }
            let before = "on other kernels: it stays the source as long as the route does";
            return diagnosis.fix(self.name_source(ADDRESS, before));
        }
        let diagnosis = diagnosis.fix(add.remark("ADDRESS: one that others route back to here"));
        if self.leaves_vrf() {
            return diagnosis;
        }
        if self.is_leaked() {
            return self.accepting_from_vrfs(diagnosis);
        }
        diagnosis.fix(self.name_source(
            ADDRESS,
            "then: it stays the source as long as the route does",
        ))
    }

    pub(super) fn borrowed_fixes(&self, diagnosis: Diagnosis, source: Ipv4Addr) -> Diagnosis {
        if self.is_leaked() && !self.leaves_vrf() {
            // It may be the right one, but no route can be made to name it.
            let own = self.add_address(ADDRESS, &self.selection.interface);
            let diagnosis = diagnosis.fix(
                own.remark("if it is the wrong one: ADDRESS is chosen then, others must route it"),
            );
            return self.accepting_from_vrfs(diagnosis);
        }
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
            self.add_address(ADDRESS, self.first_asked())
                .remark("if it is not: ADDRESS is chosen then, others must route it"),
        )
    }

    /// Where the borrowed source does not do: the host's proper address, at the
    /// place that is asked first.
    pub(super) fn unfit_fixes(&self, diagnosis: Diagnosis, unfit: Unfit) -> Diagnosis {
        let place = self.first_asked();
        if self.source_interface() == Some(place) {
            return self.unfit_at_first_fixes(diagnosis, unfit, place);
        }
        let proper = self.proper();
        let remark = match (&self.domain, &proper) {
            (Domain::VrfOrBeyond { .. }, _) => {
                "one that others route back to here; counts since Linux 6.11 and backports"
            }
            (_, Some(_)) => {
                "this host has it: new connections take it then; others must route it back to here"
            }
            (_, None) => {
                "ADDRESS: one that others route back to here; new connections take it then"
            }
        };
        let proper = proper.as_deref().unwrap_or(ADDRESS);
        let mut diagnosis = diagnosis.fix(self.add_address(proper, place).remark(remark));
        if self.places.is_down(place) {
            diagnosis = diagnosis.fix(self.set_up(place).remark(DOWN));
        }
        if self.leaves_vrf() {
            return diagnosis;
        }
        if self.is_leaked() {
            return self.accepting_from_vrfs(diagnosis);
        }
        diagnosis.fix(self.name_source(
            proper,
            "then: it stays the source as long as the route does",
        ))
    }

    /// Where that place itself has the source, so that another address there
    /// would not be taken.
    fn unfit_at_first_fixes(&self, diagnosis: Diagnosis, unfit: Unfit, place: &str) -> Diagnosis {
        let proper = self.proper();
        let may_name = !self.leaves_vrf() && !self.is_leaked();
        match unfit {
            Unfit::Down | Unfit::NoCarrier => {
                let diagnosis = diagnosis.fix(self.set_up(place).remark(DOWN));
                if !may_name {
                    return diagnosis;
                }
                let proper = proper.as_deref().unwrap_or(ADDRESS);
                diagnosis.fix(self.name_source(proper, "if another one is meant: it is the source"))
            }
            Unfit::Address(_) if may_name => {
                let then = "it stays the source as long as the route does; others must route it";
                if let Some(proper) = proper {
                    return diagnosis.fix(self.name_source(&proper, then));
                }
                let add = self.add_address(ADDRESS, place);
                diagnosis
                    .fix(add.remark("ADDRESS: one that others route back to here; and then"))
                    .fix(self.name_source(ADDRESS, then))
            }
            Unfit::Address(_) if self.leaves_vrf() => {
                let only = format!("let {} have the address that is meant first", quoted(place));
                diagnosis.fix(
                    Fix::new(only).remark("the first is taken; the route's src does not count"),
                )
            }
            Unfit::Address(_) => {
                let proper = proper.as_deref().unwrap_or(ADDRESS);
                let own = self.add_address(proper, &self.selection.interface);
                let diagnosis =
                    diagnosis.fix(own.remark("taken before all others; others must route it"));
                self.accepting_from_vrfs(diagnosis)
            }
        }
    }

    /// An address that this host has and that does.
    fn proper(&self) -> Option<String> {
        let proper = self.places.proper(self.selection.destination, &self.domain);
        proper.map(|proper| proper.to_string())
    }

    fn set_up(&self, interface: &str) -> Fix {
        let interface = quoted(interface);
        self.site.command(&format!("ip link set {interface} up"))
    }

    pub(super) fn by_gateway_bits_fixes(
        &self,
        diagnosis: Diagnosis,
        source: Ipv4Addr,
    ) -> Diagnosis {
        if self.is_leaked() {
            let only = format!(
                "leave {} no address but the one that is meant",
                quoted(&self.selection.interface)
            );
            return diagnosis
                .fix(Fix::new(only).remark("the route's src cannot be an address of the VRF"));
        }
        let named = self.name_source(
            &source.to_string(),
            "if it is the right one: it stays the source, whatever the next hop",
        );
        let other = self.name_source(ADDRESS, "if it is not: the one that is meant");
        diagnosis.fix(named).fix(other)
    }

    /// Whether the route leads into a VRF from another table than the VRF's. No
    /// such route may name an address of the VRF (`fib_valid_prefsrc`).
    fn is_leaked(&self) -> bool {
        let SourceSelection { ifindex, route, .. } = self.selection;
        self.places.is_in_vrf_beside(*ifindex, route.table)
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

    /// With what lets a socket outside VRFs have packets that come in by one.
    fn accepting_from_vrfs(&self, diagnosis: Diagnosis) -> Diagnosis {
        let SourceSelection { l3mdev, oif, .. } = self.selection;
        if oif.is_some() || matches!(l3mdev, L3mdev::In(_)) {
            return diagnosis;
        }
        let accept = "sysctl -w net.ipv4.tcp_l3mdev_accept=1 net.ipv4.udp_l3mdev_accept=1";
        diagnosis.fix(
            self.site
                .command(accept)
                .remark("or answers, which come in by the VRF, reach no socket outside it"),
        )
    }

    fn add_address(&self, address: &str, place: &str) -> Fix {
        let place = quoted(place);
        self.site
            .command(&format!("ip address add {address}/32 dev {place}"))
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
        let to = prefix(route).filter(|_| route.extent != Extent::SeveralNextHops);
        let Some(to) = to else {
            return Fix::new(format!(
                "give the route via {} the source {source} (src)",
                route.next_hop
            ))
            .remark(remark);
        };
        if route.extent == Extent::More {
            return self
                .site
                .command(&format!("ip -4 route show exact {to}"))
                .remark(
                    "one: `ip -4 route change`, all of it and src; several: make all anew, in their order",
                );
        }
        let command = change(&to, route, interface, source);
        self.site.command(&command).remark(remark)
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

/// Where the route leads, and in which table that is, as `ip route` has it;
/// `None` where that, or who made it, is not known.
fn prefix(route: &Route) -> Option<String> {
    let (to, length) = route.prefix?;
    route.protocol?;
    Some(match route.table? {
        MAIN => format!("{to}/{length}"),
        table => format!("{to}/{length} table {table}"),
    })
}

/// The command that changes nothing of the route but its source, if it has one
/// next hop and no options.
fn change(to: &str, route: &Route, interface: &str, source: &str) -> String {
    let mut command = format!("ip route change {to}");
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
    if route.protocol == Some(STATIC) {
        command += " proto static";
    }
    command + " src " + source
}
