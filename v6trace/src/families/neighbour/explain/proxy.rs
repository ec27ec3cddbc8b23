//! A proxy that does not answer: `ndisc_recv_ns` asks first whether the interface
//! forwards, then for proxy_ndp of the interface or of all. Either was read to be 0.
//! Whether the address is behind this host at all is told by its routes.

use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix, Subject, Value, quoted},
    families::neighbour::{Advertised, Cause, NeighbourProxyIdle},
};

/// Explains it; nothing where the interface answers for the address in any case.
pub(in super::super) fn proxy(
    proxy: &NeighbourProxyIdle,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let NeighbourProxyIdle {
        address,
        source,
        interface,
        forwarding,
        proxy_ndp,
        all_proxy_ndp,
        all_forwarding,
        ..
    } = proxy;
    let found = subject.session.found::<Advertised>().next();
    let is_own = found.and_then(|found| found.is_own);
    if is_own == Some(true) {
        return None;
    }
    let forwards = *forwarding != 0;
    let may_answer = *proxy_ndp != 0 || *all_proxy_ndp != 0;
    let of_proxy = format!("proxy_ndp is 0, of {interface} and of all");
    let of_forwarding = format!("{interface} does not forward (forwarding = 0)");
    let why = match (forwards, may_answer) {
        (false, true) => of_forwarding,
        (true, false) => of_proxy,
        (false, false) => format!("{of_forwarding}, and {of_proxy}"),
        // It would have answered.
        (true, true) => return None,
    };
    let behind = found.and_then(|found| found.behind.as_deref());
    let is_elsewhere = found.is_some_and(|found| found.is_elsewhere);
    let place = match behind {
        Some(behind) if is_elsewhere => {
            format!(
                "It is to be reached by {behind}: nobody on the link of {interface} gets there."
            )
        }
        Some(_) => format!(
            "This host's own routes say that it is on the link of {interface} itself: if so, it \
             answers by itself, and the entry is left over."
        ),
        None => "No route of this host leads to it, or none that could be looked up.".to_owned(),
    };
    let summary = format!(
        "{source} asked on {interface} for {address}, for which there is an entry of a proxy (ip \
         neigh show proxy), and got no answer from it: {why}. {place}"
    );
    let diagnosis = Diagnosis::new(
        subject.event,
        Cause::ProxyIdle,
        "neighbour-solicitation",
        summary,
    )
    .with("source", source.to_string())
    .with("forwarding", *forwarding)
    .with("proxy_ndp", *proxy_ndp)
    .with("all_proxy_ndp", *all_proxy_ndp)
    .with("all_forwarding", *all_forwarding)
    .with("behind", behind)
    .with(
        "advertised",
        found.map_or(Value::Unknown, |found| {
            let names = found.interfaces.iter();
            Value::List(names.map(|name| name.as_str().into()).collect())
        }),
    )
    .with("suppressed", proxy.suppressed);
    let fixes = if is_elsewhere {
        answer(proxy, found, subject)
    } else {
        let entry = format!("ip -6 neigh del proxy {address} dev {}", quoted(interface));
        vec![subject.command(&entry).remark("where it is left over")]
    };
    let mut diagnosis = fixes.into_iter().fold(diagnosis, Diagnosis::fix);
    if !is_elsewhere {
        diagnosis.severity = Severity::Notice;
    }
    if is_own.is_none() {
        // It may be the interface's own.
        diagnosis = diagnosis.likely();
    }
    diagnosis.task = None;
    diagnosis.address = Some((*address).into());
    Some(diagnosis)
}

/// What has the proxy answer, in the order in which nothing is lost.
fn answer(
    proxy: &NeighbourProxyIdle,
    found: Option<&Advertised>,
    subject: Subject<'_>,
) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if proxy.forwarding == 0 {
        for name in found.map_or(&[][..], |found| &found.interfaces) {
            fixes.push(subject.set(name, "accept_ra", 2).remark(
                "first: forwarding takes default routes from advertisements away, and heeds none",
            ));
        }
        fixes.push(if proxy.all_forwarding == 0 {
            subject.set("all", "forwarding", 1).remark(
                "a proxy is a router: it answers by interfaces that forward, and forwards what comes",
            )
        } else {
            // The others stay as they are.
            subject.set(&proxy.interface, "forwarding", 1)
        });
    }
    if proxy.proxy_ndp == 0 && proxy.all_proxy_ndp == 0 {
        fixes.push(subject.set(&proxy.interface, "proxy_ndp", 1));
    }
    fixes
}
