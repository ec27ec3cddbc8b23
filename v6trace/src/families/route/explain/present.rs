//! A route that is there already, and one that is not.

use std::net::IpAddr;

use super::Story;
use crate::{
    explain::{Diagnosis, Fix, Value},
    families::route::{Cause, Known, Request},
    route_protocol,
    rtnetlink::EXCLUSIVE,
};

/// The metric of a route for which none is asked (`IP6_RT_PRIO_USER`).
const METRIC: u32 = 1024;
/// `RT_TABLE_MAIN`, which `ip` takes where none is given.
const MAIN: u32 = 254;
/// `RTPROT_REDIRECT`, `RTPROT_KERNEL` and `RTPROT_RA`: routes of the kernel's own.
const REDIRECT: u8 = 1;
const KERNEL: u8 = 2;
const RA: u8 = 9;
/// Routes that are named in a sentence.
const NAMED: usize = 3;

impl Story<'_> {
    fn same_prefix(&self) -> Option<&[Known]> {
        self.paths?.same_prefix.as_deref()
    }

    pub(super) fn exists(&self) -> Diagnosis {
        let existing = self
            .request
            .and_then(|request| self.existing(request, &self.alike(request)));
        let (Some(request), Some(existing)) = (self.request, existing) else {
            let why = if self.refused.is_held {
                "there is one with its prefix and metric, by the errno"
            } else {
                "there is one with its prefix and metric, by the errno; which, was not found when \
                 looked for"
            };
            return self
                .told(Cause::Exists, why)
                .likely()
                .with("existing", Value::Unknown);
        };
        let is_same = self.is_same(request, existing);
        let metric = existing.metric;
        let why = match is_same {
            Some(true) => format!("it is there already, made by {}", maker(existing.protocol)),
            Some(false) => format!(
                "there is one with its prefix and the same metric {metric}, which leads elsewhere: \
                 {}",
                existing.words()
            ),
            None => format!(
                "there is one with its prefix and the same metric {metric}: {}",
                existing.words()
            ),
        };
        let diagnosis = self
            .told(Cause::Exists, &why)
            .with("existing", existing.words())
            .with("metric", metric)
            .with("fib_protocol", u32::from(existing.protocol))
            .with("table", existing.table);
        if is_same == Some(false) {
            self.beside(diagnosis, request, existing)
        } else {
            diagnosis
        }
    }

    /// The routes that the kernel compares the one that was asked for with.
    fn alike(&self, request: &Request) -> Vec<&Known> {
        let metric = request.metric.unwrap_or(METRIC);
        let found = self.same_prefix().unwrap_or_default().iter();
        found
            .filter(|it| {
                it.table == request.table && it.metric == metric && has_source(request, it)
            })
            .collect()
    }

    /// The one that it is about: without `NLM_F_EXCL` only the same is in the way.
    fn existing<'k>(&self, request: &Request, alike: &[&'k Known]) -> Option<&'k Known> {
        let is = |same| {
            let mut alike = alike.iter();
            alike.find(move |known| self.is_same(request, known) == same)
        };
        let found = is(Some(true)).or_else(|| is(None)).or_else(|| {
            let is_exclusive = self.refused.flags & EXCLUSIVE != 0;
            alike.first().filter(|_| is_exclusive)
        });
        found.copied()
    }

    /// Whether the route that is there leads where the one that was asked for would;
    /// `None` where they are not compared.
    fn is_same(&self, request: &Request, known: &Known) -> Option<bool> {
        if known.kind != request.kind {
            return Some(false);
        }
        if request.nexthop_id.is_some() {
            let is_same = request.nexthop_id == known.nexthop_id;
            return (is_same && !self.has_other_source(known)).then_some(true);
        }
        // Of several their order does not count, and one with several has no gateway here.
        let hop = request.only_hop()?;
        if known.hops != 1 || known.gateway != hop.gateway6() {
            return Some(false);
        }
        if let Some(ifindex) = hop.ifindex
            && self.name(ifindex)? != *known.interface.as_ref()?
        {
            return Some(false);
        }
        (!self.has_other_source(known)).then_some(true)
    }

    fn has_other_source(&self, known: &Known) -> bool {
        let source = self.request.and_then(|request| request.prefsrc);
        source != known.prefsrc.map(IpAddr::V6)
    }

    /// With another metric there may be both; what is not the kernel's own may be
    /// replaced, where there is nothing else that the kernel may replace.
    fn beside(&self, mut diagnosis: Diagnosis, request: &Request, known: &Known) -> Diagnosis {
        let taken = self.same_prefix().unwrap_or_default();
        let mut metrics = (known.metric..=u32::MAX).skip(1).filter(|metric| {
            let has = |it: &Known| it.table == request.table && it.metric == *metric;
            !taken.iter().any(has)
        });
        let Some(hop) = request.only_hop() else {
            return diagnosis;
        };
        let names = |ifindex| self.name(ifindex);
        if let Some(metric) = metrics.next() {
            let beside = Request {
                metric: Some(metric),
                ..request.clone()
            };
            if let Some(words) = beside.by(hop, &names) {
                diagnosis = diagnosis.fix(
                    Fix::new(self.command(request, &words))
                        .remark("beside it: used once that one goes"),
                );
            }
        }
        if !is_kernels(known.protocol)
            && known.hops == 1
            && self.alike(request).len() == 1
            && let Some(words) = request.by(hop, &names)
        {
            let replace = format!("{} route replace {words}", request.ip());
            diagnosis = diagnosis.fix(
                self.subject
                    .command(&replace)
                    .remark("in its place, if nobody wants that one"),
            );
        }
        diagnosis
    }

    pub(super) fn absent(&self) -> Diagnosis {
        let said = self.refused.said.as_deref().unwrap_or_default();
        let found = self.same_prefix();
        let (why, others) = match (self.request, found) {
            (Some(request), _) if said.starts_with("FIB table does not exist") => (
                format!("there is no table {}", request.table),
                found.unwrap_or_default(),
            ),
            (Some(request), _) if request.is_ipv4() => ("there is none such".to_owned(), &[][..]),
            (_, None) if self.refused.is_held => ("there is none such".to_owned(), &[][..]),
            (_, None) => (
                "there is none such; which there are could not be looked up".to_owned(),
                &[][..],
            ),
            (_, Some([])) => ("no table has a route with this prefix".to_owned(), &[][..]),
            (_, Some(others)) => ("there is none such".to_owned(), others),
        };
        let mut why = why;
        if !others.is_empty() {
            why += ". With its prefix there is ";
            let named: Vec<_> = others.iter().take(NAMED).map(|it| self.other(it)).collect();
            why += &named.join("; ");
            if others.len() > NAMED {
                why += &format!("; and {} more", others.len() - NAMED);
            }
        }
        let listed = found.map_or(Value::Unknown, |found| {
            Value::List(found.iter().map(|known| known.words().into()).collect())
        });
        let diagnosis = self.told(Cause::Absent, &why).with("same_prefix", listed);
        match (self.verb(), others) {
            ("del", [only]) if self.may_be_meant(only) => diagnosis.fix(
                self.subject
                    .command(&format!("ip -6 route del {}", only.to_delete()))
                    .remark("if that one is meant"),
            ),
            ("change", _) => {
                let again = self.request.and_then(|request| {
                    let hop = request.only_hop()?;
                    let words = request.by(hop, &|ifindex| self.name(ifindex))?;
                    Some(format!("{} route replace {words}", request.ip()))
                });
                match again {
                    Some(again) => diagnosis.fix(
                        self.subject
                            .command(&again)
                            .remark("adds it where there is none"),
                    ),
                    None => diagnosis,
                }
            }
            _ => diagnosis,
        }
    }

    /// Whether it is safe to offer that a route is deleted instead: not a default route of
    /// another table, which is another network's.
    fn may_be_meant(&self, known: &Known) -> bool {
        self.request.is_some_and(|request| {
            let is_near = request.table == MAIN && request.prefix_len > 0;
            !is_kernels(known.protocol)
                && known.hops == 1
                && has_source(request, known)
                && (known.table == request.table || is_near)
        })
    }

    /// A route with the prefix, and what of it is not as asked for.
    fn other(&self, known: &Known) -> String {
        let mut differs = Vec::new();
        if let Some(request) = self.request {
            if known.table != request.table {
                differs.push("table");
            }
            if !has_source(request, known) {
                differs.push("source");
            }
            if request.metric.is_some_and(|metric| metric != known.metric) {
                differs.push("metric");
            }
            if let Some(hop) = request.only_hop() {
                if hop.gateway.is_some() && hop.gateway6() != known.gateway {
                    differs.push("gateway");
                }
                let interface = hop.ifindex.and_then(|ifindex| self.name(ifindex));
                if interface.is_some() && interface != known.interface {
                    differs.push("interface");
                }
            }
            // `ip` asks for a protocol only where it is told to.
            if self.verb() == "del" && request.protocol != 0 && request.protocol != known.protocol {
                differs.push("proto");
            }
        }
        let words = known.words();
        match differs[..] {
            [] => words,
            [one] => format!("{words} (another {one})"),
            _ => format!("{words} (another {})", differs.join(", ")),
        }
    }
}

/// Whether a route is for the sources that are asked for.
fn has_source(request: &Request, known: &Known) -> bool {
    let source = known.source.map(|(it, bits)| (IpAddr::V6(it), bits));
    request.source == source
}

fn is_kernels(protocol: u8) -> bool {
    matches!(protocol, REDIRECT | KERNEL | RA)
}

/// Who made a route, in words.
fn maker(protocol: u8) -> String {
    match protocol {
        KERNEL => "the kernel".to_owned(),
        RA => "a router advertisement".to_owned(),
        _ => format!("proto {}", route_protocol::name(protocol)),
    }
}
