//! Whether an interface misses what it does not heed.

use std::fmt::Write as _;

use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Subject, Value},
    families::advertisement::{DefaultRoute, RouterAdvertisement, Standing},
    route_protocol,
};

/// What an interface lacks, or has from others.
pub(super) struct Missed<'a> {
    standing: Option<&'a Standing>,
    /// How many sockets were given the advertisement.
    takers: u32,
    /// The same as sentences, with a blank ahead.
    pub(super) text: String,
    /// Whether it has nothing, from nobody.
    is_all: bool,
}

impl<'a> Missed<'a> {
    /// What the interface of an advertisement lacks.
    pub(super) fn of(advertisement: &RouterAdvertisement, subject: Subject<'a>) -> Self {
        let found = find(subject, advertisement.ifindex);
        Self::new(&advertisement.interface, found, advertisement.takers)
    }

    /// What an interface lacks that is looked at without an advertisement at hand.
    pub(super) fn on(interface: &str, ifindex: u32, subject: Subject<'a>) -> Self {
        Self::new(interface, find(subject, ifindex), 0)
    }

    pub(super) fn new(interface: &str, standing: Option<&'a Standing>, takers: u32) -> Self {
        let mut text = String::new();
        let any = standing.and_then(Standing::has_any);
        match (standing, any) {
            (_, Some(false)) => {
                let _ = write!(
                    text,
                    " {interface} has no IPv6 address but its link-local one, and no IPv6 default \
                     route, from anybody."
                );
            }
            (Some(standing), Some(true)) => {
                let _ = write!(text, " {interface} has {}.", has(standing));
            }
            (_, None) | (None, Some(true)) => {
                let _ = write!(
                    text,
                    " What {interface} has from others could not be looked up."
                );
            }
        }
        if takers > 0 {
            let who = standing.and_then(|standing| standing.taker.as_ref());
            let who = who.map_or_else(
                || "A program with a raw ICMPv6 socket".to_owned(),
                |taker| format!("{}[{}]", taker.comm, taker.pid),
            );
            let _ = write!(
                text,
                " {who} was given the advertisement as well, and may act on it itself."
            );
        }
        Self {
            standing,
            takers,
            text,
            is_all: any == Some(false) && takers == 0,
        }
    }

    /// A failure where nothing is left, or no address if that is what is missed; what
    /// is not known is none.
    pub(super) fn severity(&self, address: bool) -> Severity {
        let standing = self.standing.filter(|_| address && self.takers == 0);
        if self.is_all || standing.is_some_and(|standing| standing.addresses.is_empty()) {
            Severity::Failure
        } else {
            Severity::Notice
        }
    }

    pub(super) fn evidence(&self, diagnosis: Diagnosis) -> Diagnosis {
        let addresses = self.standing.map(|standing| {
            let addresses = standing.addresses.iter();
            Value::List(
                addresses
                    .map(|(address, length)| format!("{address}/{length}").into())
                    .collect(),
            )
        });
        let routes = self.standing.and_then(|standing| {
            let routes = standing.default_routes.as_ref()?.iter();
            Some(Value::List(
                routes.map(|route| describe(route).into()).collect(),
            ))
        });
        let taker = self.standing.and_then(|standing| standing.taker.as_ref());
        diagnosis
            .with("addresses", addresses.unwrap_or(Value::Unknown))
            .with("default_routes", routes.unwrap_or(Value::Unknown))
            .with("takers", self.takers)
            .with("taker", taker.map(|taker| taker.comm.as_str()))
    }
}

/// What was looked up of an interface of the event's namespace.
pub(super) fn find(subject: Subject<'_>, ifindex: u32) -> Option<&Standing> {
    let mut found = subject.session.found::<Standing>();
    found.find(|found| (found.netns, found.ifindex) == (subject.event.netns, ifindex))
}

/// "2001:db8::5/64 and a default route via fe80::1 (static)"
fn has(standing: &Standing) -> String {
    let mut parts = Vec::new();
    if let Some((address, length)) = standing.addresses.first() {
        let more = standing.addresses.len() - 1;
        parts.push(match more {
            0 => format!("{address}/{length}"),
            _ => format!("{address}/{length} and {more} more"),
        });
    }
    if let Some(route) = standing.default_routes.iter().flatten().next() {
        parts.push(format!("a default route {}", describe(route)));
    }
    parts.join(" and ")
}

/// "via fe80::1 (static)"
fn describe(route: &DefaultRoute) -> String {
    let by = route_protocol::name(route.protocol);
    match route.gateway {
        Some(gateway) => format!("via {gateway} ({by})"),
        None => format!("without a gateway ({by})"),
    }
}
