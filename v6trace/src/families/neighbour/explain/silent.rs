//! A neighbour that does not answer: what was asked is read, what goes by it is looked
//! up, and why it may be silent is in [`reason`](super::reason).

use std::net::IpAddr;

use super::number;
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Subject, Value},
    families::neighbour::{Beside, Cause, Holder, NeighbourSilent, Others, Route},
};

/// Routes that the text names.
const NAMED: usize = 3;

/// Explains it; nothing where it is there after all, or nobody wanted it.
pub(in super::super) fn silent(
    silent: &NeighbourSilent,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let beside = subject.session.found::<Beside>().next();
    if beside.is_some_and(|beside| beside.is_there == Some(true)) {
        return None;
    }
    let story = Story {
        silent,
        subject,
        beside,
    };
    let is_gateway = story.routes().is_some_and(|routes| !routes.is_empty());
    if !silent.was_wanted() && !is_gateway {
        return None;
    }
    let mut diagnosis = story.told();
    if !story.is_missed() {
        diagnosis.severity = Severity::Notice;
    }
    // Of what waited, only the last is known.
    let is_told_by_last = story.could_ask() == Some(false) && silent.waiting > 0;
    // Whether a bridge floods for the moment is not told, nor whether the node is there.
    let is_inferred = is_told_by_last || story.keeps_away().is_some();
    if story.routes().is_none() || story.could_ask().is_none() || is_inferred {
        diagnosis = diagnosis.likely();
    }
    Some(diagnosis)
}

/// A neighbour with what is known beside it.
pub(super) struct Story<'a> {
    pub(super) silent: &'a NeighbourSilent,
    pub(super) subject: Subject<'a>,
    pub(super) beside: Option<&'a Beside>,
}

impl<'a> Story<'a> {
    fn routes(&self) -> Option<&'a [Route]> {
        self.beside?.routes.as_deref()
    }

    pub(super) fn others(&self) -> Option<&'a Others> {
        self.beside?.others.as_ref()
    }

    pub(super) fn holders(&self) -> &'a [Holder] {
        self.beside.map_or(&[], |beside| &beside.holders)
    }

    pub(super) fn has_carrier(&self) -> Option<bool> {
        Some(self.beside?.link.as_ref()?.has_carrier)
    }

    /// Whether anything is lost beside the neighbour itself: a packet for somebody else
    /// waited, or it is the gateway of a route that is in use, as far as routes tell.
    fn is_missed(&self) -> bool {
        let is_needed = self.beside.is_some_and(|beside| beside.needed > 0);
        self.silent.beyond().is_some() || self.silent.was_wanted() && is_needed
    }

    /// Whether a solicitation could leave; `None` where that is not known.
    pub(super) fn could_ask(&self) -> Option<bool> {
        let sources = self.beside?.sources.as_ref()?;
        let has_link_local = sources.iter().any(|source| match source {
            IpAddr::V6(source) => source.is_unicast_link_local(),
            IpAddr::V4(_) => false,
        });
        let from = self.silent.last_waiting.map(|(from, _)| from);
        Some(has_link_local || from.is_some_and(|from| sources.contains(&from)))
    }

    /// For how long nothing had confirmed a neighbour that was known, as it was given up;
    /// of others the entry begins with a number that means nothing.
    fn unconfirmed_ms(&self) -> Option<u64> {
        let beside = self.beside.filter(|_| self.silent.was_known)?;
        let since = beside.boot_ns.saturating_sub(self.subject.event.boot_ns) / 1_000_000;
        Some(beside.unconfirmed_ms?.saturating_sub(since))
    }

    fn told(&self) -> Diagnosis {
        let silent = self.silent;
        let summary = [self.asked(), self.carries(), self.why()].concat();
        let others = self.others();
        let diagnosis = Diagnosis::new(
            self.subject.event,
            Cause::Unreachable,
            "neighbour-discovery",
            summary,
        )
        .with("nud_state", silent.state())
        .with("solicitations", silent.sent)
        .with("waiting", silent.waiting)
        .with(
            "waiting_for",
            silent.last_waiting.map(|(_, to)| to.to_string()),
        )
        .with("could_ask", self.could_ask())
        .with("router", silent.is_router)
        .with("lladdr", silent.mac.map(|mac| mac.to_string()))
        .with("unconfirmed_ms", self.unconfirmed_ms())
        .with("carrier", self.has_carrier())
        .with("routes", self.route_list())
        .with(
            "route_count",
            self.routes().and(self.beside).map(|it| it.route_count),
        )
        .with("reachable", others.map(|others| others.reachable))
        .with("unanswered", others.map(|others| others.unanswered))
        .with(
            "same_mac",
            others.map_or(Value::Unknown, |others| texts(&others.same_mac)),
        )
        .with(
            "other_gateways",
            self.routes()
                .map_or(Value::Unknown, |_| texts(&self.other_gateways())),
        )
        .with("holders", self.holder_list())
        .with("answer_dropped", self.dropped().map(|dropped| dropped.what))
        .with("suppressed", silent.suppressed);
        let diagnosis = self.snooping(diagnosis);
        let mut diagnosis = self.fixes().into_iter().fold(diagnosis, Diagnosis::fix);
        diagnosis.task = None;
        diagnosis.address = Some(silent.address.into());
        diagnosis
    }

    /// What was asked, in a sentence.
    fn asked(&self) -> String {
        let NeighbourSilent {
            address,
            interface,
            sent,
            asked_program,
            waiting,
            ..
        } = self.silent;
        let mut text = format!("{address} on {interface} does not answer: ");
        let solicitations = number(*sent, "solicitation");
        let went = if *sent == 1 { "was" } else { "were" };
        let known = if self.silent.was_known {
            "it was there before, and "
        } else {
            ""
        };
        text.push_str(&if self.could_ask() == Some(false) {
            format!("{known}no solicitation could be sent")
        } else if self.silent.was_known {
            format!("{known}{solicitations} since then {went} left unanswered")
        } else {
            format!("{solicitations} by multicast {went} left unanswered")
        });
        if *asked_program > 0 {
            text.push_str(&format!(
                ", and a program that is to find neighbours (app_solicit) was asked {}",
                number(*asked_program, "time")
            ));
        }
        if *waiting > 0 {
            let were = if *waiting == 1 { "was" } else { "were" };
            let beyond = self.silent.beyond();
            let to = beyond.map_or_else(String::new, |to| format!(", the last for {to},"));
            text.push_str(&format!(
                "; {} that waited for it{to} {were} dropped (a local sender may get EHOSTUNREACH)",
                number(*waiting, "packet")
            ));
        }
        text.push('.');
        text
    }

    /// What goes by it.
    fn carries(&self) -> String {
        let Some(routes) = self.routes() else {
            return " Whether it is the gateway of a route could not be looked up.".to_owned();
        };
        if routes.is_empty() {
            return String::new();
        }
        let count = self.beside.map_or(0, |beside| beside.route_count) as usize;
        let named: Vec<_> = routes.iter().take(NAMED).map(words).collect();
        let more = count.saturating_sub(named.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let mut text = format!(" It is the gateway of {}{more}", named.join(", "));
        let others = self.other_gateways();
        if self.beside.is_some_and(|beside| beside.needed == 0) {
            text.push_str(", which another route goes ahead of by its metric.");
        } else if others.is_empty() {
            text.push_str(": what goes there is lost.");
        } else {
            text.push_str(&format!(
                ": what goes by it is lost. Others have such a route as well: {}.",
                others.join(", ")
            ));
        }
        text
    }

    /// Other gateways of its routes, each once.
    fn other_gateways(&self) -> Vec<String> {
        let routes = self.routes().unwrap_or_default();
        let others = routes.iter().flat_map(|route| &route.others);
        let mut others: Vec<_> = others.cloned().collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    fn route_list(&self) -> Value {
        let Some(routes) = self.routes() else {
            return Value::Unknown;
        };
        Value::List(routes.iter().map(|route| words(route).into()).collect())
    }
}

/// "::/0", with its table where that is not main.
fn words(route: &Route) -> String {
    /// `RT_TABLE_MAIN`
    const MAIN: u32 = 254;
    if route.table == MAIN {
        route.destination.clone()
    } else {
        format!("{} (table {})", route.destination, route.table)
    }
}

fn texts(all: &[String]) -> Value {
    Value::List(all.iter().map(|one| one.as_str().into()).collect())
}
