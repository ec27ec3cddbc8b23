//! A proxy that does not answer: `ndisc_recv_ns` asks first whether the interface
//! forwards, then for proxy_ndp of the interface or of all. Either was read to be 0.
//! Whether the address is behind this host at all is told by its routes.

use std::net::Ipv6Addr;

use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix, Site, Subject, Value, quoted},
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
    let idle = Idle {
        interface,
        forwarding: *forwarding,
        proxy_ndp: *proxy_ndp,
        all_proxy_ndp: *all_proxy_ndp,
        all_forwarding: *all_forwarding,
    };
    // It would have answered.
    let why = idle.why()?;
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
        let heeding = found.map_or(&[][..], |found| &found.interfaces);
        idle.answer(heeding.iter().map(String::as_str), subject.site())
    } else {
        vec![idle.remove(*address, subject.site())]
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

/// An interface with an entry of a proxy, and what it depends on.
pub(crate) struct Idle<'a> {
    pub(crate) interface: &'a str,
    pub(crate) forwarding: i32,
    pub(crate) proxy_ndp: i32,
    pub(crate) all_proxy_ndp: i32,
    pub(crate) all_forwarding: i32,
}

impl Idle<'_> {
    /// Why it does not answer, if it does not.
    pub(crate) fn why(&self) -> Option<String> {
        let interface = self.interface;
        let may_answer = self.proxy_ndp != 0 || self.all_proxy_ndp != 0;
        let of_proxy = format!("proxy_ndp is 0, of {interface} and of all");
        let of_forwarding = format!("{interface} does not forward (forwarding = 0)");
        match (self.forwarding != 0, may_answer) {
            (false, true) => Some(of_forwarding),
            (true, false) => Some(of_proxy),
            (false, false) => Some(format!("{of_forwarding}, and {of_proxy}")),
            (true, true) => None,
        }
    }

    /// What has the proxy answer, in the order in which nothing is lost: `heeding` have
    /// something from router advertisements.
    pub(crate) fn answer<'n>(
        &self,
        heeding: impl Iterator<Item = &'n str>,
        site: Site<'_>,
    ) -> Vec<Fix> {
        let mut fixes = Vec::new();
        if self.forwarding == 0 {
            fixes.extend(heeding.map(|name| site.keep_advertised(name)));
            fixes.push(if self.all_forwarding == 0 {
                site.set("all", "forwarding", 1).remark(
                    "a proxy is a router: it answers by interfaces that forward, and forwards what \
                     comes",
                )
            } else {
                // The others stay as they are.
                site.set(self.interface, "forwarding", 1)
            });
        }
        if self.proxy_ndp == 0 && self.all_proxy_ndp == 0 {
            fixes.push(site.set(self.interface, "proxy_ndp", 1));
        }
        fixes
    }

    /// What takes the entry away.
    pub(crate) fn remove(&self, address: Ipv6Addr, site: Site<'_>) -> Fix {
        let interface = quoted(self.interface);
        let entry = format!("ip -6 neigh del proxy {address} dev {interface}");
        site.command(&entry).remark("where it is left over")
    }
}
