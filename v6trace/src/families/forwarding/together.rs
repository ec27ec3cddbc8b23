//! What a write of a forwarding sysctl took and gave, as one: a router with a thousand
//! interfaces takes an address on each.
//!
//! What somebody uses comes first, in full, then the default routes that went; of what
//! nobody is known to use, a few are named and all are counted.

use std::{cmp::Reverse, collections::HashSet};

use v6trace_common::families::forwarding::{PURGE, ROUTE_DELETE};

use super::{Cause, ForwardingWritten, explain::removal};
use crate::{
    catalogue::Severity,
    event::Event,
    explain::{Confidence, Diagnosis, Fix, Subject, Value, advice, named},
    families::anycast::{self, PURGED, SOMEBODY},
};

/// Addresses in use that are told in full.
const IN_FULL: usize = 3;
/// Further ones that are named, and those that nobody is known to use.
const NAMED_IN_USE: usize = 8;
const NAMED: usize = 3;

/// Tells two parts or more as one.
pub(super) fn together(
    written: &ForwardingWritten,
    subject: Subject<'_>,
    mut parts: Vec<Diagnosis>,
) -> Diagnosis {
    let coverage = &subject.session.info().coverage;
    let are_routes_counted = !coverage.lacks(PURGE) && !coverage.lacks(ROUTE_DELETE);
    parts.sort_by_key(|part| Reverse(weight(part)));
    let parts = Parts::of(written, subject.event, &parts);
    let mut whole = parts.first.clone();
    whole.summary = parts.summary();
    whole.fix = parts.fixes();
    whole.boot_ns = parts.began_ns;
    if !parts.are_of_one_interface {
        whole.ifindex = None;
        whole.interface = None;
    }
    whole.address = None;
    whole
        .with("anycast_addresses", parts.anycast())
        .with("in_use", counted(&parts.in_use))
        .with(
            "default_routes",
            are_routes_counted.then_some(written.purged),
        )
        .with("routers", written.routers)
        .with("hosts", written.hosts)
        .with("also", parts.also())
}

/// How much a part matters.
fn weight(part: &Diagnosis) -> u8 {
    match part.severity {
        Severity::Failure => 3,
        Severity::Hazard if has_connection(part) => 2,
        Severity::Hazard => 1,
        Severity::Notice => 0,
    }
}

/// Whether a connection used the address.
fn has_connection(part: &Diagnosis) -> bool {
    let Some(Value::List(uses)) = part.evidence("used_by") else {
        return false;
    };
    let tcp = ("kind", Value::from(anycast::UseKind::Tcp.name()));
    let mut uses = uses.iter();
    uses.any(|found| matches!(found, Value::Group(values) if values.contains(&tcp)))
}

/// The parts by what they are.
struct Parts<'a> {
    written: &'a ForwardingWritten,
    who: &'a str,
    /// What matters most.
    first: &'a Diagnosis,
    /// Addresses that were taken, and somebody uses.
    in_use: Vec<&'a Diagnosis>,
    /// Those that nobody is known to use.
    unused: Vec<&'a Diagnosis>,
    given_up: Vec<&'a Diagnosis>,
    purges: Vec<&'a Diagnosis>,
    began_ns: u64,
    are_of_one_interface: bool,
}

impl<'a> Parts<'a> {
    /// Of parts in the order of their weight, of which there is one at least.
    fn of(written: &'a ForwardingWritten, event: &'a Event, parts: &'a [Diagnosis]) -> Self {
        let first = &parts[0];
        let of = |cause: crate::catalogue::Cause| {
            let of_cause = parts.iter().filter(move |part| part.cause == cause);
            of_cause.collect::<Vec<_>>()
        };
        let (unused, in_use) = of(anycast::Cause::SubnetRouterAnycast.into())
            .into_iter()
            .partition(|part| part.severity == Severity::Notice);
        let who = event.culprit().map_or(SOMEBODY, |task| &task.comm);
        Self {
            written,
            who,
            first,
            in_use,
            unused,
            given_up: of(anycast::Cause::SubnetRouterAnycastReleased.into()),
            purges: of(Cause::DefaultRoutePurged.into()),
            began_ns: parts.iter().map(|part| part.boot_ns).min().unwrap_or(0),
            are_of_one_interface: parts.iter().all(|part| part.ifindex == first.ifindex),
        }
    }

    fn summary(&self) -> String {
        let taken = anycast::taken(self.who, self.written.written.as_ref());
        let removal = removal(self.who, self.written.written.as_ref());
        let mut said = Vec::new();
        // Who wrote what is said once.
        let mut say = |lead: &str, again: &str, rest: &str| {
            let lead = if said.is_empty() { lead } else { again };
            said.push(format!("{lead}{rest}"));
        };
        for part in self.in_use.iter().take(IN_FULL) {
            let rest = part.summary.strip_prefix(&taken).unwrap_or(&part.summary);
            say(&taken, "This host also owns ", rest);
        }
        let further = self.in_use.get(IN_FULL..).unwrap_or_default();
        if !further.is_empty() {
            let rest = format!(
                "{}. Somebody uses these as well.",
                some(further, NAMED_IN_USE)
            );
            say(&taken, "This host also owns ", &rest);
        }
        for part in &self.purges {
            let rest = part.summary.strip_prefix(&removal).unwrap_or(&part.summary);
            say(&removal, "The kernel ", rest);
        }
        if !self.unused.is_empty() {
            say(&taken, "This host now owns ", &self.about_unused());
        }
        if !self.given_up.is_empty() {
            let given_up = anycast::given_up(self.who, self.written.written.as_ref());
            let rest = format!(
                "{} as subnet-router anycast ({}): neighbours there may have them again.",
                addresses(self.given_up.len()),
                some(&self.given_up, NAMED)
            );
            say(&given_up, "This host no longer owns ", &rest);
        }
        said.extend(self.roles());
        said.extend(self.no_longer_renewed());
        said.join(" ")
    }

    /// Addresses that were taken, and nobody is known to use.
    fn about_unused(&self) -> String {
        let count = self.unused.len();
        let (them, known) = match count {
            1 => ("it", "it is not known"),
            _ => ("them", "none of them is known"),
        };
        let mut text = format!(
            "{} as subnet-router anycast ({}) and answers for {them}; {known} to be in use.",
            addresses(count),
            some(&self.unused, NAMED)
        );
        let likely = |part: &&&Diagnosis| part.confidence == Confidence::Likely;
        let unsure = self.unused.iter().filter(likely).count();
        if unsure > 0 {
            text += &format!(" Of {unsure} it is not known whether this host had them already.");
        }
        let unseen = self.not_looked_up();
        if unseen > 0 {
            text += &format!(" Of {unseen} not all that may use them could be looked up.");
        }
        text
    }

    /// Of how many of these it could not all be looked up who uses them.
    fn not_looked_up(&self) -> usize {
        let is_unseen = |part: &&&Diagnosis| {
            !matches!(part.evidence("used_by"), Some(Value::List(_)))
                || part.evidence("uses_complete") == Some(&Value::from(false))
        };
        self.unused.iter().filter(is_unseen).count()
    }

    /// What became of interfaces.
    fn roles(&self) -> Vec<String> {
        let ForwardingWritten {
            routers,
            deaf,
            hosts,
            hearing,
            ..
        } = *self.written;
        let mut said = Vec::new();
        if routers > 0 {
            let deaf = match deaf {
                0 => String::new(),
                1 if routers == 1 => ", and ignores router advertisements from now on \
                                      (accept_ra = 1)"
                    .to_owned(),
                _ => format!(
                    ", of which {deaf} ignore router advertisements from now on (accept_ra = 1)"
                ),
            };
            said.push(format!("{}{deaf}.", became(routers, "router")));
        }
        if hosts > 0 {
            let hearing = match hearing {
                0 => String::new(),
                1 if hosts == 1 => {
                    ", and heeds router advertisements again (accept_ra = 1)".to_owned()
                }
                _ => {
                    format!(", of which {hearing} heed router advertisements again (accept_ra = 1)")
                }
            };
            said.push(format!("{}{hearing}.", became(hosts, "host")));
        }
        said
    }

    /// Interfaces that have something from advertisements, which they ignore now, and a
    /// part of each.
    fn deaf(&self) -> Vec<(&str, &Diagnosis)> {
        let taken = self.in_use.iter().chain(&self.unused);
        let deaf = taken.filter(|part| {
            let advertised = part.evidence("advertised");
            let has_any = matches!(advertised, Some(Value::List(all))
                if all.iter().any(|one| *one != Value::from(PURGED)));
            has_any && part.evidence("accept_ra") == Some(&Value::from(1))
        });
        let mut seen = HashSet::new();
        deaf.filter_map(|part| Some((part.interface.as_deref()?, *part)))
            .filter(|(name, _)| seen.insert(*name))
            .collect()
    }

    fn no_longer_renewed(&self) -> Option<String> {
        let names = self.deaf().into_iter().map(|(name, _)| name.to_owned());
        let names: Vec<_> = names.collect();
        (!names.is_empty()).then(|| {
            format!(
                "What advertisements gave to {} runs out, unless somebody else renews it.",
                named(&names, NAMED)
            )
        })
    }

    /// All of what matters most, and what is best for the like; what keeps what
    /// advertisements gave; of what nobody uses, that there is nothing to do.
    fn fixes(&self) -> Vec<Fix> {
        let further = self.in_use.iter().take(IN_FULL).skip(1);
        let in_use = self.in_use.iter().take(1).flat_map(|part| &part.fix);
        let in_use = in_use.chain(further.filter_map(|part| part.fix.first()));
        let purges = self.purges.iter().flat_map(|part| &part.fix);
        let mut fixes: Vec<Fix> = Vec::new();
        for fix in in_use.chain(purges) {
            if !fixes.contains(fix) {
                fixes.push(fix.clone());
            }
        }
        let keeping = self.keeping(&fixes);
        if fixes.is_empty() && !self.unused.is_empty() {
            let none = Fix::new("give no neighbour there one of these addresses");
            let is_all = keeping.is_empty() && self.not_looked_up() == 0;
            fixes.push(if is_all {
                none.remark("then there is nothing to do")
            } else {
                none
            });
        }
        fixes.extend(keeping);
        if fixes.is_empty() {
            fixes.clone_from(&self.first.fix);
        }
        fixes
    }

    /// What keeps what advertisements gave, where these do not.
    fn keeping(&self, fixes: &[Fix]) -> Vec<Fix> {
        let heeds = |name: &str| {
            let setting = advice::interface_sysctl(name, "accept_ra", 2);
            move |fix: &&Fix| fix.action.contains(&setting)
        };
        let mut deaf = self.deaf();
        deaf.retain(|(name, _)| !fixes.iter().any(|fix| heeds(name)(&fix)));
        let few = deaf.iter().take(IN_FULL);
        let few = few.filter_map(|(name, part)| part.fix.iter().find(heeds(name)));
        let mut keeping: Vec<_> = few.cloned().collect();
        if deaf.len() > IN_FULL {
            keeping.push(Fix::new(
                "the same on the others that have something from advertisements",
            ));
        }
        keeping
    }

    /// Anycast addresses that were taken, or given up.
    fn anycast(&self) -> u32 {
        let all = [&self.in_use, &self.unused, &self.given_up];
        all.into_iter().map(|parts| counted(parts)).sum()
    }

    /// The codes of the other causes.
    fn also(&self) -> Option<Value> {
        let kinds = [&self.in_use, &self.unused, &self.given_up, &self.purges];
        let causes = kinds
            .into_iter()
            .filter_map(|kind| Some(kind.first()?.cause));
        let mut codes: Vec<Value> = Vec::new();
        for cause in causes.filter(|cause| *cause != self.first.cause) {
            let code = Value::from(cause.code());
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        (!codes.is_empty()).then_some(Value::List(codes))
    }
}

/// "fd00:1:: on eth0, fd00:2:: on eth1 and 3 more"
fn some(parts: &[&Diagnosis], most: usize) -> String {
    let each = parts.iter().map(|part| {
        let address = part.address.map(|address| address.to_string());
        let interface = part.interface.as_deref().unwrap_or("an interface");
        format!("{} on {interface}", address.unwrap_or_default())
    });
    named(&each.collect::<Vec<_>>(), most)
}

fn addresses(count: usize) -> String {
    format!("{count} address{}", if count == 1 { "" } else { "es" })
}

fn became(count: u32, role: &str) -> String {
    match count {
        1 => format!("1 interface that is up became a {role}"),
        _ => format!("{count} interfaces that are up became {role}s"),
    }
}

fn counted(parts: &[&Diagnosis]) -> u32 {
    u32::try_from(parts.len()).unwrap_or(u32::MAX)
}
