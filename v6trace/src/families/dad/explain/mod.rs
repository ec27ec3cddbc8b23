//! Why duplicate address detection found an address in use.
//!
//! [`verdict`] says whose frame it was: the interface's own, reflected; another
//! interface's of this namespace; another node's. [`cost`] says what became of
//! the address. Both follow the kernel's own conditions.

mod bonds;
mod cost;
mod fixes;
mod others;
mod own_mac;
mod verdict;

use std::net::IpAddr;

use crate::{
    explain::{Diagnosis, Subject, Value},
    families::dad::{Bond, Cause, DadFailure, DadReflection},
    frame::Message,
};
use cost::Cost;
use fixes::{Fixes, Reflector};
use verdict::Verdict;

const OPERATION: &str = "duplicate-address-detection";

/// Explains an address that was found in use.
pub(super) fn failure(failure: &DadFailure, subject: Subject<'_>) -> Diagnosis {
    let frame = &failure.frame;
    let fixes = Fixes {
        subject,
        interface: &failure.interface,
    };
    let reflector = fixes.reflector(failure.ifindex);
    let verdict = Verdict::of(failure, subject, reflector.is_some());
    let reflector = reflector.filter(|_| verdict.cause == Cause::Loopback);
    let bond = fixes.bond().filter(|_| verdict.cause == Cause::Loopback);
    let cost = Cost::of(failure);
    let summary = format!(
        "{}/{} on {} was found in use by duplicate address detection: {}.{}{}{} {}",
        failure.address,
        failure.prefix_len,
        failure.interface,
        verdict.why,
        verdict.copied_secret(&failure.interface),
        sentence(reflector.as_ref(), &failure.interface),
        bond.map(|bond| bonds::sentence(bond, &failure.interface))
            .unwrap_or_default(),
        cost.text
    );
    let mut diagnosis = Diagnosis::new(subject.event, verdict.cause, OPERATION, summary)
        .with("message", frame.message().map(Message::name))
        .with("source_mac", text(frame.source_mac()))
        .with("own_mac", text(failure.own_mac))
        .with("nonce", text(frame.nonce()))
        .with("dad_nonce", text(failure.dad_nonce))
        .with(
            "enhanced_dad",
            failure.sysctls.map(|set| i32::from(set.enhanced_dad)),
        )
        .with("address_deleted", cost.address_deleted)
        .with("ipv6_disabled", cost.ipv6_disabled);
    if let Some(flags) = failure.frame.advertisement_flags() {
        diagnosis = diagnosis
            .with("router", flags.router)
            .with("override", flags.r#override);
    }
    if let Some(sender) = &failure.sender {
        diagnosis = diagnosis
            .with("nonce_sender", sender.interface.as_str())
            .with("nonce_sender_netns", sender.netns);
    }
    if let Some(other) = &verdict.other {
        diagnosis = diagnosis.with("other_interface", other.interface.as_str());
        if let Some(netns) = other.netns {
            diagnosis = diagnosis.with("other_netns", netns);
        }
    }
    if let Some(earlier) = verdict.earlier {
        diagnosis = diagnosis.with("earlier_address", earlier.to_string());
    }
    diagnosis =
        evidence(diagnosis, reflector.as_ref(), bond).with("suppressed", failure.suppressed);
    // Packets are received in whatever context; no task has a part in it.
    diagnosis.task = None;
    diagnosis.ifindex = Some(failure.ifindex);
    diagnosis.address = Some(IpAddr::V6(failure.address));
    if !verdict.certain {
        diagnosis = diagnosis.likely();
    }
    fixes.add(diagnosis, failure, &verdict, &cost)
}

/// Explains a solicitation that came back and was recognised.
pub(super) fn reflection(reflection: &DadReflection, subject: Subject<'_>) -> Diagnosis {
    let fixes = Fixes {
        subject,
        interface: &reflection.interface,
    };
    let reflector = fixes.reflector(reflection.ifindex);
    let bond = fixes.bond();
    let by = sentence(reflector.as_ref(), &reflection.interface);
    let bonded = bond.map(|bond| bonds::sentence(bond, &reflection.interface));
    let summary = format!(
        "{}'s own solicitation for {} came back to it after {}. It bears the nonce {} that {0} \
         sent last (enhanced DAD), so this copy does not count as a duplicate. But the segment \
         reflects frames.{by}{}",
        reflection.interface,
        reflection.address,
        milliseconds(
            subject
                .event
                .boot_ns
                .saturating_sub(reflection.sent_boot_ns)
        ),
        reflection.nonce,
        bonded.unwrap_or_default(),
    );
    let diagnosis = Diagnosis::new(subject.event, Cause::LoopbackIgnored, OPERATION, summary)
        .with("nonce", reflection.nonce.to_string())
        .with("source_mac", text(reflection.frame.source_mac()));
    let mut diagnosis =
        evidence(diagnosis, reflector.as_ref(), bond).with("suppressed", reflection.suppressed);
    diagnosis.task = None;
    diagnosis.ifindex = Some(reflection.ifindex);
    diagnosis.address = Some(IpAddr::V6(reflection.address));
    fixes.reflection(diagnosis, reflection)
}

fn evidence(
    diagnosis: Diagnosis,
    reflector: Option<&Reflector<'_>>,
    bond: Option<&Bond>,
) -> Diagnosis {
    let diagnosis = match reflector {
        Some(reflector) => diagnosis
            .with("bridge", reflector.bridge)
            .with("bridge_port", reflector.port),
        None => diagnosis,
    };
    match bond {
        Some(bond) => bonds::evidence(diagnosis, bond),
        None => diagnosis,
    }
}

/// The reflector in a sentence, with a blank before it; nothing without.
fn sentence(reflector: Option<&Reflector<'_>>, interface: &str) -> String {
    reflector
        .map(|Reflector { bridge, port, .. }| {
            format!(
                " The other end of {interface}, port {port} of the bridge {bridge}, is in hairpin \
                 mode."
            )
        })
        .unwrap_or_default()
}

fn text(value: Option<impl ToString>) -> Value {
    value.map(|value| value.to_string()).into()
}

/// "0.3 ms"
fn milliseconds(nanoseconds: u64) -> String {
    let tenths = nanoseconds / 100_000;
    format!("{}.{} ms", tenths / 10, tenths % 10)
}
