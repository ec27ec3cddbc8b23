//! An address that is another host's on each link, without the link.

use std::net::IpAddr;

use super::{SENDS_NOTHING, own, reach, there};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix, Subject, Value},
    families::outgoing::{Cause, Operation, ScopeMissing},
};

/// Explains an address without a scope.
pub(in super::super) fn scope_missing(missing: &ScopeMissing, subject: Subject<'_>) -> Diagnosis {
    let destination = missing.destination;
    let reach = reach(subject, destination);
    let mut interfaces: Vec<_> = own(reach)
        .filter(|own| own.address.is_unicast_link_local())
        .map(|own| own.interface.as_str())
        .collect();
    interfaces.dedup();
    let kind = if destination.is_multicast() {
        "group is another one"
    } else {
        "address may be another host's"
    };
    let mut summary = format!(
        "{} could not connect to {} ({}): this {kind} on each link, and neither the address nor the \
         socket says which interface is meant.",
        subject.who("a process"),
        there(destination, missing.port),
        missing.errno
    );
    if missing.sends_nothing() {
        summary += SENDS_NOTHING;
    }
    let mut diagnosis = Diagnosis::new(
        subject.event,
        Cause::ScopeMissing,
        Operation::Connect.name(),
        summary,
    )
    .with("destination", destination.to_string())
    .with("port", missing.port)
    .with("protocol", missing.protocol)
    .with("sin6_scope_id", 0)
    .with("sk_bound_dev_if", 0)
    .with(
        "interfaces",
        reach.map_or(Value::Unknown, |_| {
            Value::List(interfaces.iter().map(|&name| name.into()).collect())
        }),
    )
    .with("suppressed", missing.suppressed);
    diagnosis.errno = Some(missing.errno);
    diagnosis.address = Some(IpAddr::V6(destination));
    if missing.sends_nothing() {
        diagnosis.severity = Severity::Notice;
    }
    let name = match interfaces[..] {
        [only] => only,
        _ => "IFNAME",
    };
    diagnosis.fix(
        Fix::new(format!("give the program {destination}%{name}"))
            .remark("in a URL [fe80::1%25IFNAME], where a program takes it there; or bind it to the interface"),
    )
}
