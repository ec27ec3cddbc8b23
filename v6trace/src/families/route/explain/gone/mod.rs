//! Why the kernel removed routes by itself.
//!
//! A lifetime is read, and a nexthop object's interface is looked at, where the route
//! goes: that is certain. Whether a default route is left is looked up a moment later,
//! and so is whether the one that went is back.
//!
//! ```text
//! expired, withdrawn, with_object,
//! source, hop                       by the reason
//! left                              which default routes are left, and what follows
//! words                             routes in words and as commands
//! ```

mod expired;
mod hop;
mod left;
mod source;
mod with_object;
mod withdrawn;
mod words;

use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Subject, Value, quoted},
    families::route::{Cause, GoneRoute, Known, Paths, Reason, RoutesGone},
};
use words::{inet6, named, prefix};

/// Routes that are named in a sentence, and for which fixes are listed.
const NAMED: usize = 3;
/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;
/// `ICMPv6` type.
const ROUTER_ADVERTISEMENT: u32 = 134;

/// Explains routes that went.
pub(in crate::families::route) fn gone(
    gone: &RoutesGone,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let paths = subject.session.found::<Paths>().next();
    let shares;
    let gone = if matches!(gone.reason, Reason::Hop(_)) {
        let found = paths.and_then(|paths| paths.same_prefix.as_deref());
        shares = hop::shares(gone, found)?;
        &shares
    } else {
        gone
    };
    let story = Story {
        gone,
        subject,
        first: gone.routes.first()?,
        left: paths.and_then(|paths| paths.same_prefix.as_deref()),
    };
    let diagnosis = match &gone.reason {
        Reason::Expired => story.expired(),
        Reason::Message {
            kind,
            router_lifetime,
            ifindex,
            interface,
        } => {
            let elsewhere = ifindex.is_some_and(|ifindex| ifindex != gone.ifindex);
            let by = if elsewhere {
                interface
            } else {
                &gone.interface
            };
            story.withdrawn(*kind, *router_lifetime, elsewhere, by)?
        }
        Reason::Carrier | Reason::Down => story.with_object(),
        Reason::Source(source) => story.source(*source),
        Reason::Hop(ignored) => story.hops(*ignored),
        Reason::Unknown => return None,
    };
    let diagnosis = story.evidence(diagnosis);
    Some(match gone.suppressed {
        0 => diagnosis,
        suppressed => diagnosis.with("suppressed", suppressed),
    })
}

struct Story<'a> {
    gone: &'a RoutesGone,
    subject: Subject<'a>,
    first: &'a GoneRoute,
    /// The default routes that there are a moment later, of any table.
    left: Option<&'a [Known]>,
}

impl Story<'_> {
    fn told(&self, cause: Cause, summary: String) -> Diagnosis {
        let operation = if self.gone.went() {
            "route-removal"
        } else {
            "route-change"
        };
        let mut diagnosis = Diagnosis::new(self.subject.event, cause, operation, summary);
        diagnosis.severity = self.severity();
        diagnosis.address = Some(self.first.destination);
        if self.gone.reason == Reason::Expired {
            // Whoever has the kernel look for such routes did not do it.
            diagnosis.task = None;
        }
        diagnosis
    }

    /// A hazard where the way out is gone, unless somebody wants that. What is not known is
    /// one as well.
    fn severity(&self) -> Severity {
        let is_default = self.gone.default_route().is_some();
        let is_lost = self.gone.went()
            && self.gone.reason != Reason::Down
            && self.others().is_none_or(|left| left.is_empty());
        if is_default && (is_lost || self.is_used_in_vain()) {
            Severity::Hazard
        } else {
            Severity::Notice
        }
    }

    fn is_of_ipv4(&self) -> bool {
        self.first.destination.is_ipv4()
    }

    /// "ip -4 route add", "ip -6 route replace"
    fn ip(&self, verb: &str) -> String {
        // Without it a default route by an IPv6 gateway is taken for one of IPv6.
        let protocol = if self.is_of_ipv4() { "-4" } else { "-6" };
        format!("ip {protocol} route {verb}")
    }

    /// What the router of a default route advertised, as far as that was seen.
    fn lifetime(&self) -> Option<u32> {
        let router = self.gone.default_route()?.gateway?;
        let advertisements = self.subject.session.advertisements();
        advertisements.lifetime(self.subject.event.netns, self.gone.ifindex, router)
    }

    /// The router, which all of a list have that have no nexthop object.
    fn router(&self) -> String {
        match self.first.gateway {
            Some(gateway) => gateway.to_string(),
            None => "a router".to_owned(),
        }
    }

    /// "the default route via fe80::1 and 2 more routes"
    fn routes(&self) -> String {
        let gone = self.gone;
        let mut named: Vec<_> = gone.routes.iter().take(NAMED).map(named).collect();
        let more = (gone.count as usize).saturating_sub(named.len());
        if more > 0 {
            named.push(format!("{more} more"));
        }
        let last = named.pop().unwrap_or_default();
        let what = match named.len() {
            0 => last,
            _ => format!("{} and {last}", named.join(", ")),
        };
        if gone.count == 1 {
            format!("the route {what}")
        } else {
            format!("{} routes ({what})", gone.count)
        }
    }

    /// " via fe80::1 dev eth0"
    fn way(&self, route: &GoneRoute) -> String {
        let device = quoted(&self.gone.interface);
        match route.gateway {
            Some(gateway) => format!(" via {}{gateway} dev {device}", inet6(route)),
            None => format!(" dev {device}"),
        }
    }

    fn evidence(&self, diagnosis: Diagnosis) -> Diagnosis {
        let gone = self.gone;
        let routes = gone.routes.iter().map(|it| {
            Value::Group(vec![
                ("destination", prefix(it).into()),
                ("gateway", it.gateway.map(|to| to.to_string()).into()),
                ("protocol", u32::from(it.protocol).into()),
                ("table", it.table.into()),
                ("metric", it.metric.into()),
                ("nexthop_id", it.nexthop_id.into()),
                ("member_id", it.member_id.into()),
            ])
        });
        let left = self.others().map_or(Value::Unknown, |left| {
            Value::List(left.iter().map(|it| it.words().into()).collect())
        });
        let diagnosis = diagnosis
            .with("count", gone.count)
            .with("default_routes", gone.default_count)
            .with("lost_routes", Value::List(routes.collect()));
        let diagnosis = match gone.default_route() {
            Some(_) if gone.went() => diagnosis.with("default_routes_left", left),
            _ => diagnosis,
        };
        match &gone.reason {
            Reason::Expired => diagnosis
                .with("forwarding", gone.forwarding)
                .with("accept_ra", gone.accept_ra)
                .with("accept_ra_defrtr", gone.accept_ra_defrtr)
                .with("lifetime", self.lifetime()),
            Reason::Message {
                kind,
                router_lifetime,
                interface,
                ..
            } => {
                let is_router = *kind == ROUTER_ADVERTISEMENT;
                let by = Some(interface.as_str()).filter(|by| !by.is_empty());
                diagnosis
                    .with("message", *kind)
                    .with("message_interface", by)
                    .with("router_lifetime", is_router.then_some(*router_lifetime))
            }
            Reason::Source(source) => diagnosis.with("source", source.to_string()),
            Reason::Hop(ignored) => diagnosis.with("ignore_linkdown", *ignored),
            _ => diagnosis,
        }
    }
}
