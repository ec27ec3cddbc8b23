//! What an IPv4 packet bears as its source where the route's next hop is IPv6:
//! nothing, an address of another interface, or one that chance chose.
//!
//! The choice was read. Whose address it is, and why others were passed over,
//! is told from the namespace's addresses, which userspace looked up a moment
//! later.

mod fixes;
mod places;
mod unfit;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    catalogue::Severity,
    event::Event,
    explain::{Diagnosis, Site, Subject, Value},
    families::source_selection::{Addresses, Cause, SourceSelection},
};
use places::{Domain, Places};
use unfit::Unfit;

const OPERATION: &str = "source-selection";
const TCP: u8 = 6;

/// Explains a source that is missing, borrowed or chosen by chance.
pub(super) fn explain(selection: &SourceSelection, subject: Subject<'_>) -> Option<Diagnosis> {
    let Subject { event, session } = subject;
    let places = Places::after(event, session);
    let story = Story {
        site: subject.site(),
        when: When::Event(event),
        selection,
        domain: Domain::of(selection, &places),
        places,
    };
    match selection.source {
        None => Some(story.missing()),
        Some(source) if selection.is_borrowed() => Some(story.borrowed(source)),
        Some(source) if selection.by_gateway_bits => story.by_gateway_bits(source),
        Some(_) => None,
    }
}

/// Explains a choice that the kernel made when it was asked, with the addresses that
/// there were: one without a source, or with one whose interface does not work. What
/// else a borrowed source may be wrong for depends on where somebody sends.
pub(crate) fn explain_state(
    selection: &SourceSelection,
    addresses: &Addresses,
    site: Site<'_>,
) -> Option<Diagnosis> {
    let places = Places::of(addresses);
    let story = Story {
        site,
        when: When::Asked(addresses.boot_ns),
        selection,
        domain: Domain::of(selection, &places),
        places,
    };
    let Some(source) = selection.source else {
        return Some(story.missing());
    };
    let unfit = story.places.unfit(source, selection.destination)?;
    let is_of_interface = matches!(unfit, Unfit::Down | Unfit::NoCarrier);
    (selection.is_borrowed() && is_of_interface).then(|| story.borrowed(source))
}

/// When the choice was made.
enum When<'a> {
    /// For what a task or the kernel sends.
    Event(&'a Event),
    /// As the kernel was asked, nanoseconds since boot.
    Asked(u64),
}

/// One choice and all that is known of it.
struct Story<'a> {
    site: Site<'a>,
    when: When<'a>,
    selection: &'a SourceSelection,
    places: Places<'a>,
    domain: Domain,
}

impl Story<'_> {
    fn missing(&self) -> Diagnosis {
        let SourceSelection {
            destination,
            interface,
            ..
        } = self.selection;
        let route = self.route();
        let nowhere = match &self.domain {
            Domain::Vrf { name, left: true } => format!(
                "the packet leaves VRF {name} through {interface} ({route}), and neither {name} nor \
                 any of its interfaces has a usable one"
            ),
            Domain::VrfOrBeyond { name } => format!(
                "the packet leaves VRF {name} through {interface} ({route}), and no interface that \
                 counts has a usable one"
            ),
            Domain::Vrf { name, left: false } => format!(
                "neither {interface} ({route}) nor VRF {name} nor any other of its interfaces has a \
                 usable one"
            ),
            Domain::NoVrf if self.places.has_vrfs() => format!(
                "neither {interface} ({route}) nor any other interface outside VRFs has a usable one"
            ),
            Domain::NoVrf => {
                format!("neither {interface} ({route}) nor any other interface has a usable one")
            }
            Domain::Unknown => format!(
                "neither {interface} ({route}) nor any other interface that counts has a usable one"
            ),
        };
        let likely = matches!(self.when, When::Event(event) if event.culprit().is_none());
        let consequence = match self.selection.protocol {
            _ if likely => {
                "It was looked up in the kernel, by a tunnel perhaps, for a packet that most likely \
                 left from 0.0.0.0"
            }
            Some(TCP) => {
                "Nothing fails at once: the SYN leaves from 0.0.0.0, no answer can come back, and \
                 connect() times out"
            }
            _ => {
                "Nothing fails at once: what it sends leaves from 0.0.0.0, and no answer can come \
                 back"
            }
        };
        let who = self.who();
        let summary =
            format!("{who} has no IPv4 source for {destination}: {nowhere}. {consequence}.");
        let diagnosis = self
            .start(Cause::NoSourceAddress, summary)
            .with("unusable", Value::List(self.unusable()));
        let diagnosis = self.missing_fixes(diagnosis);
        if likely {
            diagnosis.likely()
        } else {
            diagnosis
        }
    }

    fn borrowed(&self, source: Ipv4Addr) -> Diagnosis {
        let SourceSelection {
            destination,
            interface,
            ..
        } = self.selection;
        let route = self.route();
        let whose = self.source_interface();
        let from = whose.map_or_else(
            || "an address of another interface".to_owned(),
            |name| format!("an address of {name}"),
        );
        let why = match (&self.domain, self.selection.route.prefsrc) {
            (Domain::Vrf { name, left: true }, Some(prefsrc)) => format!(
                "the packet leaves VRF {name} through {interface} ({route}), and the source is then \
                 taken from that VRF; the route's src {prefsrc} does not count"
            ),
            (Domain::Vrf { name, left: true }, None) => format!(
                "the packet leaves VRF {name} through {interface} ({route}), and the source is then \
                 taken from that VRF"
            ),
            (Domain::VrfOrBeyond { name }, _) => format!(
                "the packet leaves VRF {name} through {interface} ({route}), which has none to \
                 offer, and the route names none"
            ),
            _ => format!(
                "{interface} has none to offer, and the route that leads there ({route}) names none"
            ),
        };
        let unfit = self.places.unfit(source, *destination);
        let who = self.who();
        let summary = format!(
            "{who} sends to {destination} from {source}, {from}: {why}. {}",
            match unfit {
                Some(unfit) => unfit.sentence(source, whose.unwrap_or("its interface")),
                None => format!("It works as long as others route {source} back to here."),
            }
        );
        let mut diagnosis = self
            .start(Cause::BorrowedSourceAddress, summary)
            .with("unfit", unfit.map(Unfit::kind));
        let Some(unfit) = unfit else {
            return self.borrowed_fixes(diagnosis, source);
        };
        diagnosis.severity = Severity::Hazard;
        self.unfit_fixes(diagnosis, unfit)
    }

    /// An own address, but not the first. Of a packet that leaves its VRF the
    /// next hop's bits are not asked, so there it is a coincidence.
    fn by_gateway_bits(&self, source: Ipv4Addr) -> Option<Diagnosis> {
        if self.leaves_vrf() {
            return None;
        }
        let SourceSelection {
            destination,
            interface,
            ..
        } = self.selection;
        let bits = first_bits(self.selection.route.next_hop);
        let summary = format!(
            "{} sends to {destination} from {source}, which is not the first address of \
             {interface}: the first 32 bits of the next hop ({}) read {bits} as an IPv4 address, \
             which is in the subnet of {source}. With another next hop it would be another source.",
            self.who(),
            self.route(),
        );
        let diagnosis = self
            .start(Cause::SourceAddressByGatewayBits, summary)
            .with("gateway_bits", bits.to_string());
        Some(self.by_gateway_bits_fixes(diagnosis, source))
    }

    /// The diagnosis with the evidence that all causes have.
    fn start(&self, cause: Cause, summary: String) -> Diagnosis {
        let selection = self.selection;
        let route = &selection.route;
        let l3mdev = match &self.domain {
            Domain::Vrf { name, .. } | Domain::VrfOrBeyond { name } => Some(name.as_str()),
            Domain::NoVrf | Domain::Unknown => None,
        };
        let source = selection.source.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let prefix = route.prefix.map(|(to, length)| format!("{to}/{length}"));
        let diagnosis = match self.when {
            When::Event(event) => Diagnosis::new(event, cause, OPERATION, summary),
            When::Asked(boot_ns) => Diagnosis::of_state(self.site.netns, boot_ns, cause, summary)
                .on(selection.ifindex, &selection.interface),
        };
        let mut diagnosis = diagnosis
            .with("destination", selection.destination.to_string())
            .with("prefix", prefix)
            .with("next_hop", route.next_hop.to_string())
            .with("interface", selection.interface.as_str())
            .with("l3mdev", l3mdev)
            .with("oif", selection.oif)
            .with("protocol", selection.protocol.map(u32::from))
            .with("prefsrc", route.prefsrc.map(|prefsrc| prefsrc.to_string()))
            .with("fib_protocol", route.protocol.map(u32::from))
            .with("source", source.to_string())
            .with("source_interface", self.source_interface())
            .with("suppressed", selection.suppressed);
        diagnosis.ifindex = Some(selection.ifindex);
        diagnosis.address = Some(IpAddr::V4(selection.destination));
        diagnosis
    }

    /// Whoever sends.
    fn who(&self) -> &str {
        match self.when {
            When::Event(event) => event
                .culprit()
                .map_or("the kernel", |task| task.comm.as_str()),
            When::Asked(_) => "This host",
        }
    }

    /// "198.51.100.0/24 via fe80::1"
    fn route(&self) -> String {
        let route = &self.selection.route;
        match route.prefix {
            Some((to, length)) => format!("{to}/{length} via {}", route.next_hop),
            None => format!("via {}", route.next_hop),
        }
    }

    /// The interface that has the source, one that was asked before any other.
    fn source_interface(&self) -> Option<&str> {
        let source = self.selection.source?;
        let place = self.places.holder(source, &self.domain)?;
        self.places.name(place)
    }

    /// Addresses that there are and why they do not count.
    fn unusable(&self) -> Vec<Value> {
        let found = self.places.unusable(&self.domain).into_iter();
        found
            .map(|(kind, detail)| {
                Value::Group(vec![("kind", kind.into()), ("detail", detail.into())])
            })
            .collect()
    }
}

/// What the kernel takes for an IPv4 next hop.
fn first_bits(next_hop: Ipv6Addr) -> Ipv4Addr {
    let [a, b, c, d, ..] = next_hop.octets();
    Ipv4Addr::new(a, b, c, d)
}
