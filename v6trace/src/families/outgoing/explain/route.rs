//! No route, or one that rejects.

use std::fmt::Write as _;

use super::{ADDRESS, Story, list};
use crate::{
    errno::Errno,
    explain::{Diagnosis, Value, quoted, seconds_before},
    families::outgoing::{Cause, Route, Rule, Way, reach::is_global},
    route_protocol,
};

/// `RTN_*`
const UNICAST: u8 = 1;
const BLACKHOLE: u32 = 6;
const UNREACHABLE: u32 = 7;
const PROHIBIT: u32 = 8;
const THROW: u32 = 9;
/// `RT_TABLE_MAIN` and `RT_TABLE_LOCAL`
const MAIN: u32 = 254;
const LOCAL: u32 = 255;
/// `RTPROT_KERNEL`, `RTPROT_BOOT` and `RTPROT_STATIC`
const KERNEL: u32 = 2;
const BOOT: u32 = 3;
const STATIC: u32 = 4;

/// How far back a loss of routes is told of, nanoseconds.
const TOLD_OF: u64 = 3_600_000_000_000;

impl Story<'_> {
    pub(super) fn no_route(&self) -> Diagnosis {
        let mut why = format!("no route leads there{}.", self.by_way());
        let mut likely = false;
        if self.lookup.custom_rules.is_none() {
            likely = true;
            why += " Whether there are rules could not be read; one that says unreachable gives the \
                    same errno.";
        }
        let rules = self.reach.and_then(|reach| reach.rules.as_ref());
        let refusing: Vec<_> = rules
            .into_iter()
            .flatten()
            .filter(|rule| rule.action == Rule::UNREACHABLE)
            .collect();
        if self.lookup.custom_rules == Some(true) {
            match (rules, refusing.first()) {
                (Some(_), Some(rule)) => {
                    likely = true;
                    let _ = write!(
                        why,
                        " Or rule {} says unreachable, which gives the same errno: which of the two \
                         it was cannot be told.",
                        rule.priority
                    );
                }
                (None, _) => {
                    likely = true;
                    why += " There are rules, which could not be listed; one that says unreachable \
                            gives the same errno.";
                }
                (Some(_), None) => {}
            }
        }
        let (there_is, guessed) = self.what_there_is();
        why += &there_is;
        likely |= guessed;
        let loss = self.loss();
        why += &loss;
        let mut diagnosis = self
            .told(Cause::NoRoute, &why)
            .with("routes", self.ways())
            .with("rules", self.rules());
        diagnosis = self.no_route_fixes(diagnosis);
        if likely {
            diagnosis.likely()
        } else {
            diagnosis
        }
    }

    /// Routes that have the destination, and why they were none for it; and whether
    /// that is a guess.
    fn what_there_is(&self) -> (String, bool) {
        let Some(ways) = self.reach.and_then(|reach| reach.ways.as_ref()) else {
            return (
                " Which routes there are could not be looked up.".to_owned(),
                false,
            );
        };
        let usable: Vec<_> = ways
            .iter()
            .filter(|way| way.kind == UNICAST && way.table != LOCAL)
            .collect();
        let asked = self.asked_name();
        let in_vrf = self.lookup.l3mdev.is_some();
        // Of several next hops none is named.
        let by_another = |way: &&&Way| {
            asked.is_some()
                && !in_vrf
                && way.interface.is_some()
                && way.interface.as_deref() != asked
        };
        let found = |what: &str, way: &Way| format!(" {} {what}", describe(way));
        if let Some(way) = usable.iter().find(by_another) {
            return (found("leaves by another interface.", way), false);
        }
        if let Some(way) = usable.iter().find(|way| way.table != MAIN) {
            let why = "is in a table in which nothing made it look (see ip -6 rule).";
            return (found(why, way), in_vrf);
        }
        if let Some(way) = usable.iter().find(|way| way.is_dead) {
            let why = "is there, but its interface is down or has no carrier.";
            return (found(why, way), false);
        }
        if let Some(way) = usable.iter().find(|way| way.of_sources) {
            return (found("is for some sources only.", way), true);
        }
        if let Some(way) = usable.first() {
            let why = if in_vrf || self.lookup.custom_rules != Some(false) {
                "is in the main table, in which rules or the VRF may not have made it look."
            } else {
                "is there now: most likely it came a moment later."
            };
            return (found(why, way), true);
        }
        if let Some(way) = ways.iter().find(|way| u32::from(way.kind) == THROW) {
            let why = "sends it on to the next table, and no other has it.";
            return (found(why, way), false);
        }
        (" Not even a default route is there.".to_owned(), false)
    }

    /// How default routes of the namespace went, where that was seen.
    fn loss(&self) -> String {
        let event = self.subject.event;
        let losses = self.subject.session.outgoing();
        let Some(loss) = losses
            .last(event.netns)
            .filter(|loss| event.boot_ns.saturating_sub(loss.boot_ns) < TOLD_OF)
        else {
            return String::new();
        };
        let who = loss.by.as_deref().unwrap_or("somebody");
        let of = loss
            .interface
            .as_ref()
            .map_or_else(String::new, |name| format!(" of {name}"));
        format!(
            " {} before, {who} {}, and routes{of} went (v6trace explain {}).",
            seconds_before(event.boot_ns, loss.boot_ns),
            loss.deed,
            loss.cause
        )
    }

    fn ways(&self) -> Value {
        let ways = self.reach.and_then(|reach| reach.ways.as_ref());
        ways.map_or(Value::Unknown, |ways| {
            list(ways.iter().map(describe).collect())
        })
    }

    fn rules(&self) -> Value {
        let rules = self.reach.and_then(|reach| reach.rules.as_ref());
        rules.map_or(Value::Unknown, |rules| {
            Value::List(rules.iter().map(|rule| rule.priority.into()).collect())
        })
    }

    /// A route by the interface that is meant, where that is certain, and where one
    /// of the main table is what is missing.
    fn no_route_fixes(&self, diagnosis: Diagnosis) -> Diagnosis {
        let ways = self.reach.and_then(|reach| reach.ways.as_ref());
        let elsewhere = self.lookup.l3mdev.is_some()
            || self.lookup.custom_rules == Some(true)
            || ways.into_iter().flatten().any(|way| way.is_dead);
        if elsewhere || self.is_beyond_reach() || self.lookup.destination.is_multicast() {
            return diagnosis;
        }
        let own = self.own().filter(|own| is_global(own.address));
        let mut interfaces: Vec<_> = own.map(|own| own.interface.as_str()).collect();
        interfaces.dedup();
        let interface = match (self.asked_name(), &interfaces[..]) {
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, _) => return diagnosis,
        };
        let interface = quoted(interface);
        diagnosis.fix(
            self.subject
                .command(&format!(
                    "ip -6 route add default via {ADDRESS} dev {interface} metric 2048"
                ))
                .remark("ADDRESS: the router's; an advertised route goes before it"),
        )
    }

    pub(super) fn route_rejects(&self, route: &Route) -> Diagnosis {
        let kind = kind(route.kind);
        let by = route_protocol::name(u8::try_from(route.protocol).unwrap_or_default());
        let table = route.table.map_or_else(
            || "a table that could not be read".to_owned(),
            |table| format!("table {table}"),
        );
        let prefix = format!("{}/{}", route.prefix, route.prefix_len);
        let diagnosis = self
            .told(
                Cause::RouteRejects,
                &format!(
                    "the route {kind} {prefix} of {table} (proto {by}, metric {}) rejects it.",
                    route.metric
                ),
            )
            .with("prefix", prefix.as_str())
            .with("type", kind)
            .with("table", route.table)
            .with("metric", route.metric)
            .with("fib_protocol", route.protocol)
            .with("rule", Value::Unknown);
        let Some(table) = route.table.filter(|_| route.protocol != KERNEL) else {
            return diagnosis;
        };
        let delete = format!(
            "ip -6 route del {kind} {prefix} table {table} metric {}",
            route.metric
        );
        let fix = self.subject.command(&delete);
        diagnosis.fix(if matches!(route.protocol, BOOT | STATIC) {
            fix.remark("if nobody wants it: it may keep traffic from leaving beside a tunnel")
        } else {
            fix.remark("a daemon made it, and may make it again: change its configuration")
        })
    }

    pub(super) fn rule_rejects(&self) -> Diagnosis {
        let rules = self.reach.and_then(|reach| reach.rules.as_ref());
        let (action, kind) = match self.lookup.errno() {
            Some(Errno::EACCES) => (Rule::PROHIBIT, PROHIBIT),
            _ => (Rule::BLACKHOLE, BLACKHOLE),
        };
        let kind = self::kind(kind);
        let rejecting: Vec<_> = rules
            .into_iter()
            .flatten()
            .filter(|rule| rule.action == action)
            .collect();
        let mut diagnosis = match rejecting[..] {
            [rule] => self
                .told(
                    Cause::RouteRejects,
                    &format!("rule {} rejects it, not a route.", rule.priority),
                )
                .fix(
                    self.subject
                        .command(&format!("ip -6 rule del priority {} {kind}", rule.priority))
                        .remark(
                            "if nobody wants it: it may keep traffic from leaving beside a tunnel",
                        ),
                ),
            _ => self.told(Cause::RouteRejects, "a rule rejects it, not a route."),
        };
        let priority = match rejecting[..] {
            [rule] => Some(rule.priority),
            _ => None,
        };
        for name in ["prefix", "type", "table", "metric", "fib_protocol"] {
            diagnosis = diagnosis.with(name, Value::Unknown);
        }
        diagnosis.with("rule", priority).fix(
            self.subject
                .command("ip -6 rule")
                .remark("the rules, in the order in which they are asked"),
        )
    }
}

/// `RTN_*`, as `ip route` names it.
fn kind(number: u32) -> &'static str {
    match number {
        BLACKHOLE => "blackhole",
        UNREACHABLE => "unreachable",
        PROHIBIT => "prohibit",
        _ => "unicast",
    }
}

/// "2001:db8::/32 via fe80::1 dev eth0 table 100"
fn describe(way: &Way) -> String {
    let mut text = match u32::from(way.kind) {
        BLACKHOLE => "blackhole ",
        UNREACHABLE => "unreachable ",
        PROHIBIT => "prohibit ",
        THROW => "throw ",
        _ => "",
    }
    .to_owned();
    let _ = write!(text, "{}/{}", way.prefix, way.prefix_len);
    if let Some(gateway) = way.gateway {
        let _ = write!(text, " via {gateway}");
    }
    if let Some(interface) = &way.interface {
        let _ = write!(text, " dev {interface}");
    }
    let _ = write!(text, " table {}", way.table);
    text
}
