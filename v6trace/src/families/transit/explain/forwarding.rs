//! Why a packet was not passed on: `ip6_forward` asks first whether conf.all forwards,
//! which was read to be 0, and so was the interface's force_forwarding where the kernel has
//! that. Where the packet would have gone is told by the route that the kernel had found.

use super::super::{Cause, NotForwarded, Onward, Packet};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix, Subject, Value},
};

/// Interfaces for which a command is given.
const NAMED: usize = 8;

/// Explains it; nothing where the destination is this host's own.
pub(in super::super) fn explain(dropped: &NotForwarded, subject: Subject<'_>) -> Option<Diagnosis> {
    let found = subject.session.found::<Onward>().next();
    if found.is_some_and(|found| found.is_own) {
        return None;
    }
    let packet = &dropped.packet;
    let Packet {
        source,
        destination,
        interface,
        ..
    } = packet;
    let sender = packet
        .mac
        .map_or_else(String::new, |mac| format!(", from {mac}"));
    let summary = format!(
        "A packet came in on {interface}{sender}, and was to go on, from {source} to \
         {destination}; the kernel dropped it without an ICMPv6 error: {}. {}",
        reason(dropped),
        way(packet),
    );
    let diagnosis = Diagnosis::new(
        subject.event,
        Cause::NotForwarding,
        "packet-forwarding",
        summary,
    )
    .with("source", source.to_string())
    .with("mac", packet.mac.map(|mac| mac.to_string()))
    .with(
        "out_interface",
        packet.out_interface.as_ref().map(ToString::to_string),
    )
    .with("out_ifindex", packet.out_ifindex)
    .with("gateway", packet.gateway.map(|gateway| gateway.to_string()))
    .with("all_forwarding", 0)
    .with("forwarding", dropped.forwarding)
    .with("force_forwarding", dropped.force_forwarding)
    .with("hop_limit", packet.hop_limit)
    .with("next_header", packet.next_header)
    .with("length", packet.length)
    .with(
        "advertised",
        found.map_or(Value::Unknown, |found| {
            let names = found.interfaces.iter();
            Value::List(names.map(|name| name.as_str().into()).collect())
        }),
    )
    .with("suppressed", dropped.suppressed);
    let fixes = if packet.leads_back() {
        Vec::new()
    } else {
        forward(found, subject)
    };
    let mut diagnosis = fixes.into_iter().fold(diagnosis, Diagnosis::fix);
    if packet.leads_back() {
        diagnosis.severity = Severity::Notice;
    }
    if found.is_none() {
        // It may be one of this host's own addresses that cannot be used yet.
        diagnosis = diagnosis.likely();
    }
    diagnosis.task = None;
    diagnosis.address = Some((*destination).into());
    Some(diagnosis)
}

/// Which values had it dropped.
fn reason(dropped: &NotForwarded) -> String {
    let interface = &dropped.packet.interface;
    let mut reason = "net.ipv6.conf.all.forwarding is 0".to_owned();
    match dropped.force_forwarding {
        Some(_) => reason += &format!(", and force_forwarding of {interface} as well"),
        None => reason += ", so this host is no router",
    }
    if let Some(forwarding) = dropped.forwarding.filter(|&forwarding| forwarding != 0) {
        reason += &format!(
            " (forwarding of {interface} is {forwarding}: it behaves like a router's, which does \
             not have it forward)"
        );
    }
    reason
}

/// Where it would have gone.
fn way(packet: &Packet) -> String {
    let Packet {
        destination,
        interface,
        gateway,
        ..
    } = packet;
    let Some(out) = &packet.out_interface else {
        return "Where it would have gone is not known.".to_owned();
    };
    match (packet.leads_back(), gateway) {
        (false, Some(gateway)) => {
            format!("By this host's routes it would have gone on by {out}, to {gateway}.")
        }
        (false, None) => {
            format!("By this host's routes {destination} is on the link of {out}.")
        }
        (true, Some(gateway)) => format!(
            "By this host's routes its way leads back to the link of {interface}, to {gateway}: \
             whoever sent it takes this host for a router, and may be able to send it there itself."
        ),
        (true, None) => format!(
            "By this host's routes {destination} is on that very link: whoever sent it may take \
             this host for a router, or for {destination}, which it may have been."
        ),
    }
}

/// What makes a router of this host, in the order in which nothing is lost.
fn forward(found: Option<&Onward>, subject: Subject<'_>) -> Vec<Fix> {
    let names = found.map_or(&[][..], |found| &found.interfaces);
    let mut fixes: Vec<Fix> = names
        .iter()
        .take(NAMED)
        .map(|name| subject.site().keep_advertised(name))
        .collect();
    if names.len() > NAMED {
        fixes.push(
            Fix::new("the same on the others that have something from advertisements")
                .remark("first as well: the evidence has their names (advertised)"),
        );
    }
    let forwarding = subject.set("all", "forwarding", 1);
    fixes.push(if found.is_some() {
        forwarding.remark("where this host is to be a router: of all its interfaces")
    } else {
        forwarding.remark(
            "where this host is to be a router; set accept_ra = 2 before, on interfaces that have \
             routes or addresses from advertisements: which these are could not be looked up",
        )
    });
    fixes
}
