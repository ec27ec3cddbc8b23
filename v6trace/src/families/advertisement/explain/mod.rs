//! What the kernel does not heed of router advertisements, and why.
//!
//! [`matters`] follows the kernel's own tests in its order: those of the whole
//! advertisement (`ndisc_router_discovery`), then of the router, its routes, the
//! prefixes (`addrconf_prefix_rcv`) and the MTU. An advertisement may have several;
//! each is told once, until it is another. [`standing`] says whether the interface
//! misses anything: what it has, from whomever, and who else takes the
//! advertisement.

mod fixes;
mod identifier;
mod other;
mod parts;
mod prefix;
mod standing;
mod state;
mod whole;

use std::net::IpAddr;

use super::{Cause, RouterAdvertisement};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Subject, Value},
    frame::Frame,
};
use fixes::Remedy;
use standing::Missed;

pub(super) use other::{ignored, refused, unanswered};
pub(crate) use state::ignores;

const OPERATION: &str = "router-advertisement";
/// Prefixes, and routes, of an advertisement that are told one by one.
const EACH: usize = 8;

/// Something that is not heeded.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own about how it is told"
)]
pub(super) struct Matter {
    cause: Cause,
    /// What tells it from others of the cause.
    what: String,
    /// Why, as a clause.
    why: String,
    evidence: Vec<(&'static str, Value)>,
    /// Whether the interface may be left without what it needs.
    may_fail: bool,
    /// Whether that is so already where it is left without an address.
    misses_address: bool,
    /// Whether somebody may be about to take the advertisement instead: it is no
    /// failure before that has had its time.
    may_settle: bool,
    certain: bool,
    remedies: Vec<Remedy>,
    /// A prefix that it is about.
    address: Option<IpAddr>,
}

impl Matter {
    /// One that is certain, and no more than worth a notice.
    fn new(cause: Cause, what: impl Into<String>, why: String) -> Self {
        Self {
            cause,
            what: what.into(),
            why,
            evidence: Vec::new(),
            may_fail: false,
            misses_address: false,
            may_settle: false,
            certain: true,
            remedies: Vec::new(),
            address: None,
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.evidence.push((name, value.into()));
        self
    }

    fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }

    /// What it is remembered by.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.cause.info().code, self.what)
    }
}

/// Everything of an advertisement that is not heeded.
pub(super) fn matters(advertisement: &RouterAdvertisement) -> Vec<Matter> {
    if is_its_own(advertisement) {
        return Vec::new();
    }
    match whole::matter(advertisement) {
        Err(matter) => vec![matter],
        Ok(None) => Vec::new(),
        Ok(Some(sysctls)) => {
            let mut matters = parts::router(advertisement, sysctls);
            // Then the kernel leaves the rest.
            let no_router = |matter: &Matter| matches!(matter.cause, Cause::NoDefaultRoute);
            let is_router = !matters.iter().any(no_router);
            if let Some(matter) = whole::source_option(advertisement, sysctls, is_router) {
                matters.push(matter);
                return matters;
            }
            matters.extend(parts::routes(advertisement, sysctls));
            matters.extend(prefix::matters(advertisement, sysctls));
            matters.extend(parts::mtu(advertisement, sysctls));
            matters
        }
    }
}

/// Whether the interface hears what this host itself advertises by it, as the kernel
/// gives back to the sender what goes to all nodes: without a link layer.
fn is_its_own(advertisement: &RouterAdvertisement) -> bool {
    advertisement.own_source == Some(true) && advertisement.frame.source_mac().is_none()
}

/// Each of them once, and no more than a few: whoever is on the link can send any
/// number. The last one counts those beyond.
fn bounded(matters: impl Iterator<Item = Matter>) -> Vec<Matter> {
    let mut told: Vec<Matter> = Vec::new();
    let mut more = 0_u32;
    for matter in matters {
        if told.iter().any(|other| other.key() == matter.key()) {
            continue;
        }
        if told.len() < EACH {
            told.push(matter);
        } else {
            more += 1;
        }
    }
    if more > 0
        && let Some(last) = told.pop()
    {
        told.push(last.with("more", more));
    }
    told
}

/// Explains what was not told of this router before.
pub(super) fn advertisement(
    advertisement: &RouterAdvertisement,
    subject: Subject<'_>,
) -> Vec<Diagnosis> {
    let earlier = subject.session.advertisements();
    let netns = subject.event.netns;
    let mut matters = matters(advertisement);
    // That the route went is told by the family of routes, with what is left.
    if advertisement.default_route_went && advertisement.message.lifetime == 0 {
        matters.retain(|matter| !matches!(matter.cause, Cause::NoDefaultRoute));
    }
    let has_lost_address = earlier.has_lost_address(netns, advertisement);
    let explained = matters.into_iter().filter_map(|matter| {
        let was_told = earlier.was_told(netns, advertisement, &matter.key());
        // What was told before may have been no failure yet.
        let may_be_by_now = if advertisement.still_ignored {
            matter.may_settle
        } else {
            !was_told || has_lost_address && matter.may_fail
        };
        let is_again = advertisement.still_ignored || was_told;
        let explained = may_be_by_now.then(|| diagnosis(matter, advertisement, subject))?;
        (!is_again || explained.severity == Severity::Failure).then_some(explained)
    });
    explained.collect()
}

fn diagnosis(
    matter: Matter,
    advertisement: &RouterAdvertisement,
    subject: Subject<'_>,
) -> Diagnosis {
    let interface = &advertisement.interface;
    let missed = Missed::of(advertisement, subject);
    let writer = match matter.cause {
        Cause::IgnoredForwarding => whole::writer(advertisement, subject),
        _ => String::new(),
    };
    let missing = if matter.may_fail {
        missed.text.as_str()
    } else {
        ""
    };
    let settles = matter.may_settle && !advertisement.still_ignored;
    let outlook = if settles && missed.severity(false) == Severity::Failure {
        " Whoever set accept_ra to 0 may be about to process advertisements itself; if it does \
         not, one that comes ten seconds later or more is told as a failure."
    } else {
        ""
    };
    let summary = format!("{}.{writer}{missing}{outlook}", matter.why);
    let mut diagnosis = Diagnosis::new(subject.event, matter.cause, OPERATION, summary);
    diagnosis = source(diagnosis, &advertisement.frame);
    for (name, value) in matter.evidence {
        diagnosis = diagnosis.with(name, value);
    }
    if matter.may_fail {
        diagnosis = missed.evidence(diagnosis);
        diagnosis.severity = missed.severity(matter.misses_address);
    }
    if !matter.may_fail || settles {
        diagnosis.severity = Severity::Notice;
    }
    diagnosis = diagnosis.with("suppressed", advertisement.suppressed);
    diagnosis.task = None;
    diagnosis.address = matter
        .address
        .or_else(|| advertisement.frame.source().map(IpAddr::V6));
    if !matter.certain {
        diagnosis = diagnosis.likely();
    }
    let remedies = matter.remedies.into_iter();
    remedies.fold(diagnosis, |diagnosis, remedy| {
        diagnosis.fix(remedy.fix(interface, subject.site()))
    })
}

/// Who sent it.
fn source(diagnosis: Diagnosis, frame: &Frame) -> Diagnosis {
    diagnosis
        .with("router", text(frame.source()))
        .with("source_mac", text(frame.source_mac()))
}

fn text(value: Option<impl ToString>) -> Value {
    value.map(|value| value.to_string()).into()
}

/// "fe80::1 (02:00:00:00:00:01)"
fn router(frame: &Frame) -> String {
    let source = frame
        .source()
        .map_or_else(|| "a router".to_owned(), |source| source.to_string());
    match frame.source_mac() {
        Some(mac) => format!("{source} ({mac})"),
        None => source,
    }
}
