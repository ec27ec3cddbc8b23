//! What comes without a processed advertisement: messages that the kernel drops
//! ahead of everything else, redirects, addresses that an interface has no room
//! for, and routers that say nothing.

use std::net::{IpAddr, Ipv6Addr};

use super::{
    OPERATION,
    fixes::Remedy,
    router, source,
    standing::{Missed, find},
    text,
};
use crate::{
    explain::{Diagnosis, Fix, Subject},
    families::advertisement::{
        AdvertisedAddressRefused, Cause, RouterMessageIgnored, SolicitationsUnanswered,
    },
    frame::Frame,
};

/// ICMPv6 types.
const ADVERTISEMENT: u8 = 134;
const REDIRECT: u8 = 137;

/// Explains a message that was dropped, or not followed.
pub(in super::super) fn ignored(
    ignored: &RouterMessageIgnored,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let frame = &ignored.frame;
    let message = frame.neighbour_message();
    let dropped = dropped(ignored);
    let diagnosis = match *message.first()? {
        ADVERTISEMENT => advertisement(ignored, dropped?, subject),
        REDIRECT => redirect(ignored, dropped, subject)?,
        _ => return None,
    };
    let mut diagnosis = diagnosis.with("suppressed", ignored.suppressed);
    diagnosis.task = None;
    Some(diagnosis)
}

/// What `ndisc_rcv` tests of every message, in its order.
fn dropped(ignored: &RouterMessageIgnored) -> Option<(&'static str, String)> {
    let frame = &ignored.frame;
    if ignored.fragmented {
        let reason = "it came in fragments (suppress_frag_ndisc is not 0)".to_owned();
        return Some(("fragmented", reason));
    }
    if let Some(hop_limit) = frame.hop_limit().filter(|limit| *limit != 255) {
        let reason = format!(
            "its hop limit is {hop_limit}, not 255: a router may have forwarded it, or it was not \
             made as RFC 4861 wants it"
        );
        return Some(("hop-limit", reason));
    }
    let code = *frame.neighbour_message().get(1)?;
    (code != 0).then(|| ("code", format!("its ICMPv6 code is {code}, not 0")))
}

fn advertisement(
    ignored: &RouterMessageIgnored,
    (what, reason): (&'static str, String),
    subject: Subject<'_>,
) -> Diagnosis {
    let frame = &ignored.frame;
    let interface = &ignored.interface;
    let missed = Missed::on(interface, ignored.ifindex, subject);
    let summary = format!(
        "{interface} dropped a router advertisement of {}: {reason}.{}",
        router(frame),
        missed.text
    );
    let diagnosis = Diagnosis::new(subject.event, Cause::Invalid, OPERATION, summary);
    let diagnosis = source(diagnosis, frame)
        .with("reason", what)
        .with("hop_limit", frame.hop_limit().map(u32::from))
        .with("length", u32::try_from(frame.message_length()).ok());
    let mut diagnosis = missed
        .evidence(diagnosis)
        .fix(Remedy::mend(frame).fix(interface, subject.site()));
    diagnosis.severity = missed.severity(false);
    diagnosis.address = frame.source().map(IpAddr::V6);
    diagnosis
}

/// A redirect says: to this destination by that target.
fn redirect(
    ignored: &RouterMessageIgnored,
    dropped: Option<(&'static str, String)>,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let frame = &ignored.frame;
    let interface = &ignored.interface;
    let sysctls = ignored.sysctls;
    let (what, reason, remedy) = match (dropped, sysctls) {
        (Some((what, reason)), _) => (what, reason, Remedy::mend(frame)),
        // The kernel would have dropped it for that.
        (None, _)
            if frame
                .source()
                .is_some_and(|from| !from.is_unicast_link_local()) =>
        {
            return None;
        }
        (None, Some((forwarding, _))) if forwarding != 0 => (
            "forwarding",
            format!("{interface} forwards (forwarding = {forwarding}), and routers follow none"),
            Remedy::Say("give the host a route of its own to the destination".to_owned()),
        ),
        (None, Some((_, 0))) => (
            "accept-redirects",
            "accept_redirects is 0".to_owned(),
            Remedy::set(
                "accept_redirects",
                1,
                "follows the next one; whoever is on the link may then divert packets",
            ),
        ),
        (None, _) => return None,
    };
    let [target, destination] = [8, 24].map(|at| address(frame, at));
    let whereto = match (target, destination) {
        (Some(target), Some(destination)) if target == destination => {
            format!(" to reach {destination} on the link")
        }
        (Some(target), Some(destination)) => format!(" to reach {destination} by way of {target}"),
        _ => String::new(),
    };
    let summary = format!(
        "{interface} does not follow the redirect of {}{whereto}: {reason}.",
        router(frame)
    );
    let diagnosis = Diagnosis::new(subject.event, Cause::Redirect, "redirect", summary);
    let mut diagnosis = source(diagnosis, frame)
        .with("reason", what)
        .with("target", text(target))
        .with("destination", text(destination))
        .with("forwarding", sysctls.map(|set| set.0))
        .with("accept_redirects", sysctls.map(|set| set.1))
        .fix(remedy.fix(interface, subject.site()));
    diagnosis.address = destination.map(IpAddr::V6);
    Some(diagnosis)
}

/// The address at that byte of the message.
fn address(frame: &Frame, at: usize) -> Option<Ipv6Addr> {
    let bytes = frame.neighbour_message().get(at..at + 16)?;
    Some(<[u8; 16]>::try_from(bytes).ok()?.into())
}

/// Explains an address that was not made.
pub(in super::super) fn refused(
    refused: &AdvertisedAddressRefused,
    subject: Subject<'_>,
) -> Diagnosis {
    let AdvertisedAddressRefused {
        address,
        interface,
        addresses,
        ..
    } = refused;
    let missed = Missed::on(interface, refused.ifindex, subject);
    let max = refused.sysctls.map(|set| set.0);
    let limit = max.filter(|max| *max != 0 && i64::from(*addresses) >= i64::from(*max));
    let disabled = refused.sysctls.is_some_and(|set| set.1 != 0);
    let (what, reason) = match limit {
        Some(max) => (
            "max-addresses",
            format!(
                "{interface} has {addresses} addresses, link-local ones included, and may have no \
                 more (max_addresses = {max})"
            ),
        ),
        None if disabled => (
            "disable-ipv6",
            "disable_ipv6 is not 0, so that no address is added".to_owned(),
        ),
        None => (
            "not-added",
            format!(
                "the kernel could not add it, although {interface} had room; memory was short, or \
                 it was added by somebody at that moment"
            ),
        ),
    };
    let summary = format!(
        "{interface} made no address {address} of an advertised prefix: {reason}.{}",
        missed.text
    );
    let diagnosis = Diagnosis::new(subject.event, Cause::NoAddress, OPERATION, summary)
        .with("reason", what)
        .with("address_count", *addresses)
        .with("max_addresses", max)
        .with("disable_ipv6", refused.sysctls.map(|set| set.1));
    let mut diagnosis = missed
        .evidence(diagnosis)
        .with("suppressed", refused.suppressed);
    diagnosis.severity = missed.severity(false);
    diagnosis.task = None;
    diagnosis.address = Some(IpAddr::V6(*address));
    if let Some(max) = limit {
        let set = subject.set(interface, "max_addresses", max.saturating_mul(2));
        diagnosis = diagnosis.fix(set.remark("makes it with the next advertisement"));
    } else if disabled {
        diagnosis = diagnosis.fix(subject.set(interface, "disable_ipv6", 0));
    } else {
        diagnosis = diagnosis.likely();
    }
    diagnosis
}

/// Explains solicitations that nobody answered; not those of a port of a bridge or
/// a bond, which gets no answers to what it asks.
pub(in super::super) fn unanswered(
    unanswered: &SolicitationsUnanswered,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let SolicitationsUnanswered {
        interface,
        ifindex,
        sent,
        router_solicitations,
    } = unanswered;
    if find(subject, *ifindex).is_some_and(|found| found.master.is_some()) {
        return None;
    }
    let missed = Missed::on(interface, *ifindex, subject);
    let outlook = if *router_solicitations < 0 {
        "it goes on asking, ever more rarely"
    } else {
        "it asks no more (router_solicitations), but heeds an advertisement that comes unasked"
    };
    let summary = format!(
        "no router answered the {sent} router solicitations of {interface}; {outlook}.{}",
        missed.text
    );
    let diagnosis = Diagnosis::new(
        subject.event,
        Cause::RouterSilent,
        "router-solicitation",
        summary,
    )
    .with("rs_probes", *sent)
    .with("router_solicitations", *router_solicitations);
    let mut diagnosis = missed.evidence(diagnosis).fix(Fix::new(
        "where the link is to have IPv6, see that its router sends advertisements, and that \
             nothing on the way filters multicast or ICMPv6",
    ));
    diagnosis.task = None;
    Some(diagnosis)
}
