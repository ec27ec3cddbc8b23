//! What took addresses and routes away from interfaces.

use v6trace_common::families::forwarding::ROUTE_DELETE;

use super::{add, counted};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix, IPV6_MIN_MTU, Subject, Value, quoted},
    families::address::{AddressesLost, Cause, LostAddress, LostRoute, Trigger},
    ifa,
};

/// Addresses and routes, each, for which fixes are listed.
const LISTED: usize = 3;
/// Programs that switch IPv6 off and on have set it again by the time that somebody reads.
const UNLESS_AGAIN: &str = "unless whoever had set it does so itself";
/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;

/// Explains addresses that went.
pub(in super::super) fn lost(lost: &AddressesLost, subject: Subject<'_>) -> Option<Diagnosis> {
    let coverage = &subject.session.info().coverage;
    let story = Story {
        lost,
        subject,
        routes: (!coverage.lacks(ROUTE_DELETE)).then_some(lost.route_count),
    };
    let diagnosis = match lost.trigger {
        Trigger::Disabled(wrote) => {
            let whose = wrote.map(|wrote| wrote.of(&lost.interface));
            story.disabled(whose)
        }
        Trigger::Mtu { mtu, without_ipv6 } => story.mtu(mtu, without_ipv6),
        Trigger::Down => story.down(),
        Trigger::VrfEntered => story.vrf(true),
        Trigger::VrfLeft => story.vrf(false),
        Trigger::Unknown => return None,
    };
    Some(story.again(story.evidence(diagnosis)))
}

struct Story<'a> {
    lost: &'a AddressesLost,
    subject: Subject<'a>,
    /// How many routes went that somebody had set, where they were counted.
    routes: Option<u32>,
}

impl Story<'_> {
    /// `whose`: `all`, or the interface whose sysctl was written.
    fn disabled(&self, whose: Option<&str>) -> Diagnosis {
        let lost = self.lost;
        let sysctl = whose.map_or_else(
            || "a disable_ipv6".to_owned(),
            |whose| format!("net/ipv6/conf/{whose}/disable_ipv6"),
        );
        let summary = format!(
            "{} wrote {sysctl} and switched IPv6 off {}: {}. {}",
            self.subject.who("Somebody"),
            self.where_(),
            self.what(),
            self.outlook("When it is switched on again"),
        );
        let mut diagnosis = self.told(Cause::Disabled, "disable-ipv6", summary);
        if lost.is_kernels_own() && self.routes.is_some() {
            // Whoever switches IPv6 off means that.
            diagnosis.severity = Severity::Notice;
        }
        let diagnosis = diagnosis.with("written", whose);
        match whose {
            Some(whose) => diagnosis.fix(self.subject.set(whose, "disable_ipv6", 0)),
            None => diagnosis,
        }
    }

    fn mtu(&self, mtu: u32, without_ipv6: bool) -> Diagnosis {
        let lost = self.lost;
        let name = &lost.interface;
        let gone = if without_ipv6 {
            format!(
                "the kernel took IPv6 off it, which needs {IPV6_MIN_MTU}: {}, and the sysctls \
                 net.ipv6.conf.{name}.*",
                self.what()
            )
        } else {
            format!("IPv6 needs {IPV6_MIN_MTU}: {}", self.what())
        };
        let summary = format!(
            "{} set the MTU of {name} to {mtu}, and {gone}. {}{}",
            self.subject.who("The kernel"),
            self.outlook(&format!("With an MTU of {IPV6_MIN_MTU} or more")),
            if without_ipv6 {
                " The sysctls then begin as those of default."
            } else {
                ""
            },
        );
        let mut diagnosis = self.told(Cause::MtuTookIpv6, "mtu-change", summary);
        if lost.is_kernels_own() {
            diagnosis.severity = Severity::Hazard;
        }
        diagnosis.with("mtu", mtu).fix(self.subject.raise_mtu(name))
    }

    fn down(&self) -> Diagnosis {
        let lost = self.lost;
        let name = &lost.interface;
        let summary = format!(
            "{} set {name} down: {}. {}{}",
            self.subject.who("The kernel"),
            self.what(),
            self.outlook("When it is set up again"),
            self.kept(),
        );
        self.keep(self.told(Cause::LostOnDown, "interface-down", summary))
    }

    /// Nobody has asked for the interface to be set down.
    fn vrf(&self, entered: bool) -> Diagnosis {
        let lost = self.lost;
        let (name, vrf) = (&lost.interface, &lost.vrf);
        let moved = if entered {
            format!("put {name} into the VRF {vrf}")
        } else {
            format!("took {name} out of the VRF {vrf}")
        };
        let summary = format!(
            "{} {moved}, which IPv6 takes for setting it down: {}. {}{}",
            self.subject.who("The kernel"),
            self.what(),
            self.outlook("As long as it is up"),
            self.kept(),
        );
        let diagnosis = self
            .told(Cause::LostByVrf, "vrf-change", summary)
            .with("vrf", vrf.as_str())
            .with("entered", entered);
        self.keep(diagnosis)
    }

    /// What keeps addresses; a sentence with a blank ahead.
    fn kept(&self) -> &'static str {
        if self.lost.set_count > 0 {
            " With keep_addr_on_down = 1 the addresses that were set would have stayed."
        } else {
            ""
        }
    }

    /// Has addresses kept from now on. Where some went that would have been, they are
    /// not yet.
    fn keep(&self, diagnosis: Diagnosis) -> Diagnosis {
        if self.lost.set_count == 0 {
            return diagnosis;
        }
        let set = self
            .subject
            .set(&self.lost.interface, "keep_addr_on_down", 1);
        diagnosis.fix(set.remark("from now on; routes go nevertheless"))
    }

    /// Whether it was set down, after which what the kernel makes itself comes back.
    fn is_down(&self) -> bool {
        matches!(
            self.lost.trigger,
            Trigger::Down | Trigger::VrfEntered | Trigger::VrfLeft
        )
    }

    /// In which table a route belongs from now on, as `ip` wants it: a VRF has a table
    /// of its own for what is in it. Whether another one was that is not known.
    fn table(&self, route: &LostRoute) -> String {
        match (self.lost.trigger, other_table(route)) {
            (Trigger::VrfEntered, None) => format!(" vrf {}", quoted(&self.lost.vrf)),
            (_, None) => String::new(),
            (_, Some(table)) => format!(" table {table}"),
        }
    }

    /// What is set again by whoever manages the interface needs no command.
    fn address_remark(&self) -> Option<&'static str> {
        matches!(self.lost.trigger, Trigger::Disabled(_)).then_some(UNLESS_AGAIN)
    }

    /// When, and in which table, a route can be set again.
    fn route_remark(&self, route: &LostRoute) -> Option<&'static str> {
        match (self.lost.trigger, other_table(route)) {
            (Trigger::VrfLeft, Some(_)) => Some(
                "once it is up; if that table was the VRF's: without it, or with that of the VRF \
                 that it is in by now",
            ),
            (Trigger::Down | Trigger::VrfEntered | Trigger::VrfLeft, _) => Some("once it is up"),
            (Trigger::Disabled(_), _) => Some(UNLESS_AGAIN),
            _ => None,
        }
    }

    fn told(&self, cause: Cause, operation: &'static str, summary: String) -> Diagnosis {
        Diagnosis::new(self.subject.event, cause, operation, summary)
    }

    /// "on eth0", "on 3 interfaces"
    fn where_(&self) -> String {
        match self.lost.interfaces {
            0 | 1 => format!("on {}", self.lost.interface),
            several => format!("on {several} interfaces"),
        }
    }

    /// "fd00::1/64 and 2 more addresses are gone, and 1 route that was set
    /// (fd00:9::/64 via fd00::9)"
    fn what(&self) -> String {
        let lost = self.lost;
        let worth = self.worth();
        let (set, learned) = (lost.set_count, lost.learned_count);
        let own = lost
            .address_count
            .saturating_sub(set)
            .saturating_sub(learned);
        let mut parts = Vec::new();
        if set > 0 {
            let named: Vec<_> = worth.iter().map(|lost| address(lost)).collect();
            parts.push(format!(
                "{} ({})",
                counted(set, "address that was set", "addresses that were set"),
                shortened(&named, set)
            ));
        }
        if learned > 0 {
            parts.push(counted(
                learned,
                "address with a lifetime",
                "addresses with a lifetime",
            ));
        }
        if lost.route_count > 0 {
            let named: Vec<_> = lost.routes.iter().map(route).collect();
            parts.push(format!(
                "{} ({})",
                counted(
                    lost.route_count,
                    "route that was set",
                    "routes that were set"
                ),
                shortened(&named, lost.route_count)
            ));
        }
        if own > 0 && !self.is_down() {
            parts.push(counted(
                own,
                "address of the kernel's own",
                "addresses of the kernel's own",
            ));
        }
        let one = [set, learned, lost.route_count, own].iter().max() == Some(&1);
        let verb = if one && parts.len() == 1 { "is" } else { "are" };
        let end = parts.pop().unwrap_or_default();
        let rest = parts.join(", ");
        let and = if rest.is_empty() { "" } else { " and " };
        format!("{rest}{and}{end} {verb} gone")
    }

    /// What comes back by itself.
    fn outlook(&self, when: &str) -> String {
        if self.lost.is_kernels_own() && self.routes.is_some() {
            return format!("{when}, all of that comes back by itself.");
        }
        // Programs also make addresses with a lifetime: of DHCPv6, or of advertisements.
        let unknown = if self.routes.is_some() {
            ""
        } else {
            " Whether routes went that were set is not known."
        };
        format!(
            "{when}, fe80:: and what the kernel takes from advertisements come back by themselves, \
             the rest only if it is set again.{unknown}"
        )
    }

    /// Addresses that were set for good, as far as they are known.
    fn worth(&self) -> Vec<&LostAddress> {
        let addresses = self.lost.addresses.iter();
        addresses.filter(|lost| lost.was_set()).collect()
    }

    fn evidence(&self, diagnosis: Diagnosis) -> Diagnosis {
        let lost = self.lost;
        let addresses = lost.addresses.iter().map(|lost| {
            Value::Group(vec![
                ("address", lost.address.to_string().into()),
                ("prefix_len", lost.prefix_len.into()),
                ("interface", lost.interface.as_str().into()),
                ("flags", lost.flags.into()),
                ("proto", lost.made_by.into()),
            ])
        });
        let routes = lost.routes.iter().map(|lost| {
            Value::Group(vec![
                ("destination", destination(lost).into()),
                ("gateway", lost.gateway.map(|to| to.to_string()).into()),
                ("interface", lost.interface.as_str().into()),
                ("protocol", lost.protocol.into()),
                ("table", lost.table.into()),
            ])
        });
        let diagnosis = diagnosis
            .with("addresses", lost.address_count)
            .with("addresses_set", lost.set_count)
            .with("addresses_learned", lost.learned_count)
            .with("routes", self.routes)
            .with("interfaces", lost.interfaces)
            .with("lost_addresses", Value::List(addresses.collect()))
            .with(
                "lost_routes",
                self.routes.map(|_| Value::List(routes.collect())),
            );
        if lost.suppressed > 0 {
            diagnosis.with("suppressed", lost.suppressed)
        } else {
            diagnosis
        }
    }

    /// The commands that bring back what was set: addresses, then the routes,
    /// which may lead by them.
    fn again(&self, mut diagnosis: Diagnosis) -> Diagnosis {
        for lost in self.worth().into_iter().take(LISTED) {
            let LostAddress {
                address,
                prefix_len,
                flags,
                interface,
                ..
            } = lost;
            let command = add(
                self.subject.site(),
                *address,
                *prefix_len,
                *flags,
                interface,
            );
            let fix = Fix::new(command);
            diagnosis = diagnosis.fix(match self.address_remark() {
                Some(remark) => fix.remark(remark),
                None => fix,
            });
        }
        let routes = self.lost.routes.iter();
        let known = routes.filter(|lost| !lost.interface.is_empty());
        for lost in known.take(LISTED) {
            let mut command = format!("ip -6 route add {}", destination(lost));
            if let Some(gateway) = lost.gateway {
                command += &format!(" via {gateway}");
            }
            command += &format!(" dev {}", quoted(&lost.interface));
            command += &self.table(lost);
            let fix = self.subject.command(&command);
            diagnosis = diagnosis.fix(match self.route_remark(lost) {
                Some(remark) => fix.remark(remark),
                None => fix,
            });
        }
        diagnosis
    }
}

impl LostAddress {
    /// Whether somebody had set it for good: neither the kernel for itself, nor
    /// by what a router or DHCPv6 said.
    fn was_set(&self) -> bool {
        let own = self.address.is_unicast_link_local() || self.address.is_loopback();
        self.flags & ifa::PERMANENT != 0 && !own
    }
}

/// "fd00::1/64"
fn address(lost: &LostAddress) -> String {
    format!("{}/{}", lost.address, lost.prefix_len)
}

/// "default", "fd00:9::/64"
fn destination(lost: &LostRoute) -> String {
    if lost.prefix_len == 0 {
        "default".to_owned()
    } else {
        format!("{}/{}", lost.destination, lost.prefix_len)
    }
}

/// The table of a route, unless that is the main one.
fn other_table(route: &LostRoute) -> Option<u32> {
    route.table.filter(|&table| table != MAIN)
}

/// "fd00:9::/64 via fd00::9"
fn route(lost: &LostRoute) -> String {
    let destination = destination(lost);
    match lost.gateway {
        Some(gateway) => format!("{destination} via {gateway}"),
        None => destination,
    }
}

/// The first of them by name, and how many more there are.
fn shortened(named: &[String], count: u32) -> String {
    let shown = named.len().min(LISTED);
    let more = (count as usize).saturating_sub(shown);
    let listed = named[..shown].join(", ");
    match more {
        0 => listed,
        _ if shown == 0 => format!("{more} that the record had no room for"),
        _ => format!("{listed} and {more} more"),
    }
}
