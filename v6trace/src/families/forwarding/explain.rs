//! Which default routes went because somebody wrote a forwarding sysctl.
//!
//! A value that is not 0, written to conf.all or to any interface, makes the
//! kernel remove the default routes that it learned from router advertisements
//! on all interfaces of the namespace, except those with accept_ra = 2.

use crate::{
    explain::{Diagnosis, Subject, Value, quoted},
    families::anycast::{SOMEBODY, Written},
    families::forwarding::{Cause, DefaultRoutesPurged, PurgedRoute},
};

/// Interfaces for which fixes are listed.
const LISTED: usize = 3;
/// `RT6_TABLE_MAIN`
const MAIN: u32 = 254;

/// Explains default routes that were removed.
pub(super) fn explain(purged: &DefaultRoutesPurged, subject: Subject<'_>) -> Option<Diagnosis> {
    let first = purged.routes.first()?;
    let interfaces = interfaces(purged);
    let summary = format!(
        "{}removed {}: {}. {}",
        removal(subject.who(SOMEBODY), purged.written.as_ref()),
        if purged.count == 1 {
            "the default route that it had learned from router advertisements"
        } else {
            "the default routes that it had learned from router advertisements"
        },
        routes(purged),
        outlook(purged),
    );
    let list = interfaces.iter().map(|&name| name.into()).collect();
    let written = purged.written.as_ref();
    let mut diagnosis = Diagnosis::new(
        subject.event,
        Cause::DefaultRoutePurged,
        "forwarding-change",
        summary,
    )
    .with("interfaces", Value::List(list))
    .with("written", written.map(Written::name))
    .with(
        "routes",
        Value::List(purged.routes.iter().map(group).collect()),
    )
    .with("count", purged.count);
    diagnosis.ifindex = purged.interface().map(|_| first.ifindex);
    for interface in interfaces.iter().take(LISTED) {
        diagnosis = diagnosis.fix(subject.set(interface, "accept_ra", 2).remark(
            "the next advertisement then brings it back; must be set before forwarding is",
        ));
    }
    for route in known(purged).take(LISTED) {
        let PurgedRoute {
            gateway, interface, ..
        } = route;
        let interface = quoted(interface);
        // With the metric of the kernel's own, 1024, it would keep that one out.
        let mut add = format!("ip -6 route add default via {gateway} dev {interface} metric 2048");
        let remark = match route.table {
            Some(MAIN) => "at once, until an advertised one comes; stays when the router goes",
            Some(table) => {
                add += &format!(" table {table}");
                "at once, until an advertised one comes; stays when the router goes; the table is \
                 its VRF's"
            }
            None => {
                "at once, until an advertised one comes; stays when the router goes; within a VRF \
                 add `vrf NAME`"
            }
        };
        diagnosis = diagnosis.fix(subject.command(&add).remark(remark));
    }
    Some(diagnosis)
}

/// How the sentence about the routes begins.
pub(super) fn removal(who: &str, written: Option<&Written>) -> String {
    let sysctl = written.map_or_else(|| "a forwarding sysctl".to_owned(), Written::sysctl);
    format!("{who} wrote {sysctl}, and the kernel ")
}

/// The routes whose interface could be read.
fn known(purged: &DefaultRoutesPurged) -> impl Iterator<Item = &PurgedRoute> {
    purged
        .routes
        .iter()
        .filter(|route| !route.interface.is_empty())
}

/// The names of the interfaces, each once.
fn interfaces(purged: &DefaultRoutesPurged) -> Vec<&str> {
    let mut names = Vec::new();
    for route in known(purged) {
        if !names.contains(&route.interface.as_str()) {
            names.push(route.interface.as_str());
        }
    }
    names
}

/// "via fe80::1 on eth0, via fe80::2 on eth1"
fn routes(purged: &DefaultRoutesPurged) -> String {
    let mut parts: Vec<_> = purged
        .routes
        .iter()
        .map(|route| {
            if route.interface.is_empty() {
                "one on an interface that could not be read".to_owned()
            } else {
                format!("via {} on {}", route.gateway, route.interface)
            }
        })
        .collect();
    let more = (purged.count as usize).saturating_sub(parts.len());
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    parts.join(", ")
}

/// Whether the routes will come back, by themselves.
fn outlook(purged: &DefaultRoutesPurged) -> String {
    let mut sentences: Vec<String> = Vec::new();
    for route in known(purged) {
        let name = &route.interface;
        let sentence = match (route.forwarding, route.accept_ra) {
            (_, Some(0)) => format!("{name} accepts no advertisements (accept_ra = 0)."),
            (Some(0), Some(_)) => format!(
                "{name} itself does not forward: the next advertisement brings the route back."
            ),
            (Some(_), Some(accept_ra)) => format!(
                "{name} forwards now and ignores advertisements with accept_ra = {accept_ra}: the \
                 route stays away."
            ),
            _ => continue,
        };
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences.join(" ")
}

fn group(route: &PurgedRoute) -> Value {
    Value::Group(vec![
        ("interface", route.interface.as_str().into()),
        ("gateway", route.gateway.to_string().into()),
        ("forwarding", route.forwarding.into()),
        ("accept_ra", route.accept_ra.into()),
        ("table", route.table.into()),
    ])
}
