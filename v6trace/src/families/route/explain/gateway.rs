//! Gateways that the kernel does not take.

use std::net::{IpAddr, Ipv6Addr};

use super::{Story, about, way::Way};
use crate::{
    explain::{Diagnosis, Fix, Value, quoted},
    families::{
        outgoing::Own,
        route::{Cause, Hop, Known, Request, asked::host},
    },
};

/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;
/// The loopback interface of every namespace: a route by it rejects.
const LOOPBACK: &str = "lo";
/// What a reader puts in for the interface that is meant.
const INTERFACE: &str = "IFNAME";

/// Whether a gateway is link-local, and no interface is named.
pub(super) fn needs_interface(hop: &Hop) -> bool {
    hop.ifindex.is_none() && hop.gateway6().is_some_and(|it| it.is_unicast_link_local())
}

/// Whether a gateway is no address of one node.
pub(super) fn is_invalid(hop: &Hop) -> bool {
    hop.gateway6()
        .is_some_and(|it| it.is_unspecified() || it.is_multicast() || it.is_loopback())
}

impl Story<'_> {
    /// The one next hop of which that holds, where there is one.
    fn only(&self, holds: impl Fn(&Hop) -> bool) -> Option<&Hop> {
        let mut hops = self.request?.hops.iter().filter(|hop| holds(hop));
        match (hops.next(), hops.next()) {
            (Some(hop), None) => Some(hop),
            _ => None,
        }
    }

    pub(super) fn not_on_link(&self) -> Diagnosis {
        let candidates = |hop: &Hop| {
            hop.gateway6().is_some_and(|it| !it.is_unicast_link_local())
                && !matches!(self.way(hop), Way::There(_))
        };
        let Some(hop) = self
            .only(candidates)
            .or(self.only(|hop| hop.gateway.is_some()))
        else {
            let why = "the kernel finds one of its gateways on no link; which, it does not say";
            return self
                .told(Cause::NotOnLink, why)
                .with("gateway_route", Value::Unknown);
        };
        let gateway = hop.gateway6().unwrap_or(Ipv6Addr::UNSPECIFIED);
        let asked = hop.ifindex.and_then(|ifindex| self.name(ifindex));
        let way = self.way(hop);
        let (found, route) = match &way {
            Way::Elsewhere(route, interface) => (
                format!(
                    "the route {} has it on the link of {interface}, not of {}",
                    route.words(),
                    asked.as_deref().unwrap_or("the interface that is named")
                ),
                Some(*route),
            ),
            Way::Behind(route) => (
                format!(
                    "only {} leads to it, by way of another gateway",
                    route.words()
                ),
                Some(*route),
            ),
            Way::Rejected(route) => (
                format!("the route {} rejects it", route.words()),
                Some(*route),
            ),
            Way::There(route) => (
                format!(
                    "{} has it on the link now: most likely that came a moment later",
                    route.words()
                ),
                Some(*route),
            ),
            Way::Nowhere => ("no route leads to it".to_owned(), None),
            Way::Unknown => (
                "which route there is to it could not be looked up".to_owned(),
                None,
            ),
        };
        let found = match &self.off()[..] {
            [] => found,
            off => {
                let off: Vec<_> = off.iter().map(|(why, _)| why.as_str()).collect();
                format!(
                    "{}, and there are no routes by it as long as that is so; {found}",
                    off.join(", ")
                )
            }
        };
        let mut diagnosis = self
            .told(
                Cause::NotOnLink,
                &format!(
                    "its gateway {gateway} is on the link of no interface that may be meant, as far \
                     as the routes say: {found}"
                ),
            )
            .with("gateway", gateway.to_string())
            .with("gateway_route", route.map(Known::words))
            .with("flags", self.flags())
            .with("disable_ipv6", self.disable_ipv6());
        // A rule may ask other tables than were looked at.
        let has_others = matches!(way, Way::Nowhere)
            && self
                .paths
                .is_some_and(|paths| paths.to_gateways.iter().flatten().any(|it| it.has(gateway)));
        let is_of_several = self.request.and_then(Request::only_hop).is_none();
        if is_of_several || has_others || matches!(way, Way::There(_)) {
            diagnosis = diagnosis.likely();
        }
        diagnosis = self.link_fixes(diagnosis, hop, gateway, &way, asked.as_deref());
        about(diagnosis, Some(IpAddr::V6(gateway)))
    }

    fn link_fixes(
        &self,
        mut diagnosis: Diagnosis,
        hop: &Hop,
        gateway: Ipv6Addr,
        way: &Way<'_>,
        asked: Option<&str>,
    ) -> Diagnosis {
        let off = self.off();
        let is_off = !off.is_empty();
        for (_, fix) in off {
            diagnosis = diagnosis.fix(fix);
        }
        let mut by = asked;
        match way {
            Way::There(_) if !is_off => return self.once_more(diagnosis),
            // The kernel before 7.2 takes no onlink against such a route, and a route to the
            // gateway alone would take what is for a neighbour to another link.
            Way::Elsewhere(_, interface) => {
                let again = self.again_by(hop, interface).map(Fix::new);
                return match again {
                    Some(again) => {
                        diagnosis.fix(again.remark("by the interface on whose link the gateway is"))
                    }
                    None => diagnosis,
                };
            }
            // Neither onlink nor a route to the gateway is taken by an interface that is off.
            _ if is_off => return self.once_more_with_prefix(diagnosis),
            Way::Behind(route) if by.is_none() => by = route.interface.as_deref(),
            Way::Behind(route) if route.prefix_len > 0 && route.interface.as_deref() != by => {
                return diagnosis;
            }
            _ => {}
        }
        let by = by.unwrap_or(INTERFACE);
        let onlink = Hop {
            onlink: true,
            ..*hop
        };
        match (self.again_by(&onlink, by), self.again_by(hop, by)) {
            (Some(onlink), Some(plain)) => {
                let table = self
                    .request
                    .map(|request| request.table)
                    .filter(|&table| table != MAIN)
                    .map_or_else(String::new, |table| format!(" table {table}"));
                let to_host = self.subject.in_netns(&format!(
                    "ip -6 route add {} dev {}{table}",
                    host(gateway),
                    quoted(by)
                ));
                let diagnosis = diagnosis.fix(
                    Fix::new(onlink).remark("if the gateway is a neighbour on that interface"),
                );
                if matches!(way, Way::Rejected(_)) {
                    return diagnosis;
                }
                diagnosis.fix(Fix::new(format!("{to_host} && {plain}")).remark(
                    "if the gateway is a neighbour on that interface: by a route to it, which \
                     others may use too",
                ))
            }
            _ => diagnosis.fix(Fix::new(
                "say onlink in the request, if the gateway is a neighbour on that interface",
            )),
        }
    }

    /// The address of this host that a next hop has as its gateway.
    pub(super) fn own(&self, hop: &Hop) -> Option<&Own> {
        let gateway = hop.gateway6()?;
        let mut own = self.paths?.addresses.iter();
        own.find(|own| {
            own.address == gateway
                && (!gateway.is_unicast_link_local() || hop.ifindex == Some(own.ifindex))
        })
    }

    pub(super) fn own_gateway(&self) -> Diagnosis {
        let hop = self
            .only(|hop| self.own(hop).is_some())
            .or(self.only(|hop| hop.gateway.is_some()));
        let own = hop.and_then(|hop| self.own(hop));
        let why = match (hop, own) {
            (_, Some(own)) => format!(
                "its gateway {} is this host's own address, on {}: the gateway is another node on \
                 the link",
                own.address, own.interface
            ),
            (Some(hop), None) => format!(
                "its gateway {} is an address of this host",
                hop.gateway6().unwrap_or(Ipv6Addr::UNSPECIFIED)
            ),
            (None, None) => "one of its gateways is an address of this host".to_owned(),
        };
        let gateway = hop.and_then(|hop| hop.gateway);
        let mut diagnosis = self
            .told(Cause::OwnGateway, &why)
            .with("gateway", gateway.map(|it| it.to_string()))
            .with("own_interface", own.map(|own| own.interface.as_str()));
        if let (Some(hop), Some(own)) = (hop, own) {
            let direct = Hop {
                gateway: None,
                ..*hop
            };
            if let Some(again) = self
                .again_by(&direct, &own.interface)
                .filter(|_| self.may_be_direct(hop, own))
            {
                diagnosis = diagnosis.fix(
                    Fix::new(again).remark("if the destination itself is on the link, behind none"),
                );
            }
        }
        about(diagnosis, gateway)
    }

    /// Whether the same without a gateway may be what was meant: by the interface that has
    /// the address, and not for the whole world, nor where it would be thrown away.
    fn may_be_direct(&self, hop: &Hop, own: &Own) -> bool {
        let is_of_ipv6 = self
            .request
            .is_some_and(|request| !request.is_ipv4() && request.prefix_len > 0);
        is_of_ipv6 && own.interface != LOOPBACK && hop.ifindex.is_none_or(|it| it == own.ifindex)
    }

    pub(super) fn gateway_without_interface(&self) -> Diagnosis {
        let hop = self.only(needs_interface);
        let gateway = hop.and_then(|hop| hop.gateway);
        let named = gateway.map_or_else(|| "a gateway of it".to_owned(), |it| it.to_string());
        let mut diagnosis = self
            .told(
                Cause::GatewayWithoutInterface,
                &format!(
                    "{named} is link-local, which means another node on each link, and no interface \
                     is named"
                ),
            )
            .with("gateway", gateway.map(|it| it.to_string()));
        if let Some(again) = hop.and_then(|hop| self.again_by(hop, INTERFACE)) {
            diagnosis =
                diagnosis.fix(Fix::new(again).remark("IFNAME: the interface on whose link it is"));
        }
        about(diagnosis, gateway)
    }

    pub(super) fn gateway_invalid(&self) -> Diagnosis {
        let hop = self
            .only(is_invalid)
            .or(self.only(|hop| hop.gateway.is_some()));
        let gateway = hop.and_then(Hop::gateway6);
        let why = match gateway {
            Some(gateway) if gateway.is_multicast() => {
                format!("its gateway {gateway} is a multicast group, no node")
            }
            Some(gateway) if gateway.is_unspecified() => {
                "its gateway is ::, which stands for no address; a route without a gateway has none \
                 in the request"
                    .to_owned()
            }
            Some(gateway) => format!("its gateway {gateway} is no address of another node"),
            None => "one of its gateways is no address of another node".to_owned(),
        };
        let diagnosis = self
            .told(Cause::GatewayInvalid, &why)
            .with("gateway", gateway.map(|it| it.to_string()));
        about(diagnosis, gateway.map(IpAddr::V6))
    }

    pub(super) fn by_loopback(&self) -> Diagnosis {
        let interface = self.interface().unwrap_or("its interface");
        let gateway = self.only(|hop| hop.gateway.is_some());
        let gateway = gateway.and_then(|hop| hop.gateway);
        let mut diagnosis = self
            .told(
                Cause::ByLoopback,
                &format!(
                    "{interface} is a loopback interface, on which no gateway can be; to throw \
                     packets away there are the types blackhole and unreachable"
                ),
            )
            .with("gateway", gateway.map(|it| it.to_string()));
        if let Some(request) = self.request.filter(|request| !request.is_ipv4())
            && let Some(words) = request.without_hop()
        {
            let again = self.command(request, &format!("blackhole {words}"));
            diagnosis =
                diagnosis.fix(Fix::new(again).remark("if packets for there are to be dropped"));
        }
        about(diagnosis, gateway)
    }

    pub(super) fn onlink_mismatch(&self) -> Diagnosis {
        let hop = self.only(|hop| hop.gateway6().is_some());
        let gateway = hop.and_then(|hop| hop.gateway);
        let by = hop.and_then(|hop| self.name(hop.ifindex?));
        let said = self.refused.said.as_deref().unwrap_or_default();
        let way = match hop {
            // Kernels that say less do not look which interface it is.
            Some(hop) if said.contains("device mismatch") => self.way_of_neighbour(hop),
            _ => Way::Unknown,
        };
        let named = gateway.map_or_else(|| "one of its gateways".to_owned(), |it| it.to_string());
        let (why, route) = match way {
            Way::Elsewhere(route, interface) => (
                format!(
                    "{named} is on the link of {interface}, by the route {}; onlink overrules the \
                     default route alone",
                    route.words()
                ),
                Some(route),
            ),
            Way::Behind(route) if route.prefix_len > 0 && route.interface != by => (
                format!(
                    "{named} is taken for a neighbour (onlink), but {} leads to it another way, and \
                     onlink overrules the default route alone",
                    route.words()
                ),
                Some(route),
            ),
            _ => (
                format!(
                    "{named} is taken for a neighbour (onlink), and by the kernel's routes it is \
                     none on this interface: it is no address of another node, or is behind \
                     another interface; which route says so was not found"
                ),
                None,
            ),
        };
        let mut diagnosis = self
            .told(Cause::OnlinkMismatch, &why)
            .with("gateway", gateway.map(|it| it.to_string()))
            .with("gateway_route", route.map(Known::words));
        if let (Some(hop), Way::Elsewhere(_, interface)) = (hop, way) {
            let plain = Hop {
                onlink: false,
                ..*hop
            };
            if let Some(again) = self.again_by(&plain, interface) {
                diagnosis = diagnosis
                    .fix(Fix::new(again).remark("by the interface on whose link the gateway is"));
            }
        }
        about(diagnosis, gateway)
    }
}
