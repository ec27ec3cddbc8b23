//! No source, or one that is of no use.

use std::{fmt::Write as _, net::Ipv6Addr};

use super::{SENDS_NOTHING, Story, list};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix, Value},
    families::{
        address,
        outgoing::{Cause, Own},
    },
    ifa,
};

impl Story<'_> {
    pub(super) fn no_source(&self) -> Diagnosis {
        let near = self.lookup.destination.is_unicast_link_local()
            || self.lookup.destination.is_multicast();
        let asked = self.lookup.asked.as_ref();
        let counts = |own: &&Own| match asked {
            // Beyond the link, addresses of other interfaces do as well.
            Some(asked) if near => own.ifindex == asked.ifindex,
            _ => true,
        };
        let unusable: Vec<_> = self.own().filter(counts).filter_map(unusable).collect();
        let place = match self.asked_name() {
            Some(name) if near => name.to_owned(),
            _ if self.lookup.l3mdev.is_some() => "the VRF's interfaces".to_owned(),
            _ => "this network namespace".to_owned(),
        };
        let any_usable = self.own().filter(counts).any(is_usable);
        let mut why = match &unusable[..] {
            _ if any_usable => format!(
                "the kernel takes none of the IPv6 addresses of {place} as the source for this way \
                 out."
            ),
            [] => format!("{place} has no IPv6 address that can be the source."),
            some => {
                let words: Vec<_> = some
                    .iter()
                    .map(|(own, why)| format!("{} of {} {}", own.address, own.interface, why.is))
                    .collect();
                format!(
                    "{place} has no IPv6 address that can be the source: {}.",
                    words.join(", ")
                )
            }
        };
        if self.reach.is_none() {
            why += " Which addresses there are could not be looked up.";
        }
        let is_disabled = self.lookup.all_disable_ipv6.is_some_and(|value| value != 0);
        if is_disabled && unusable.is_empty() {
            why += " IPv6 is switched off (net.ipv6.conf.all.disable_ipv6).";
        }
        let details = unusable
            .iter()
            .map(|(own, why)| {
                Value::Group(vec![
                    ("kind", why.kind.into()),
                    (
                        "detail",
                        format!("{} on {}", own.address, own.interface).into(),
                    ),
                ])
            })
            .collect();
        let mut diagnosis = self
            .told(Cause::NoSource, &why)
            .with("unusable", Value::List(details))
            .with("all_disable_ipv6", self.lookup.all_disable_ipv6);
        if is_disabled && unusable.is_empty() {
            return diagnosis.fix(
                self.subject
                    .command("sysctl -w net.ipv6.conf.all.disable_ipv6=0")
                    .remark("for every interface; addresses that were set come back only by hand"),
            );
        }
        if any_usable {
            return diagnosis.likely();
        }
        if let Some((own, _)) = unusable.iter().find(|(_, why)| why.kind == "dadfailed") {
            diagnosis = self.anew(diagnosis, own);
        }
        if unusable.is_empty()
            && let Some(name) = self.asked_name()
        {
            diagnosis = diagnosis.fix(self.add_address(name));
        }
        diagnosis
    }

    /// The address deleted and added: it is not tested again by itself.
    fn anew(&self, diagnosis: Diagnosis, own: &Own) -> Diagnosis {
        let (prefix_len, flags) = (own.prefix_len.into(), own.flags.into());
        let again = address::again(
            self.subject.site(),
            own.address,
            prefix_len,
            flags,
            &own.interface,
        );
        match again {
            Some(again) => diagnosis.fix(
                Fix::new(again)
                    .remark("once whoever has it as well is gone (v6trace explain dad-conflict)"),
            ),
            None => diagnosis,
        }
    }

    pub(super) fn unanswerable(&self, interface: &str, gateway: Option<Ipv6Addr>) -> Diagnosis {
        let source = self.lookup.source.unwrap_or(Ipv6Addr::LOCALHOST);
        let why = if source.is_loopback() {
            "nobody takes a packet from ::1"
        } else {
            "routers forward nothing from or to a link-local address (RFC 4291)"
        };
        let by = gateway.map_or_else(String::new, |gateway| format!(" via {gateway}"));
        let who = self.subject.who("a process");
        let sends = if self.lookup.sends_nothing() {
            "would send"
        } else {
            "sends"
        };
        let unless = match gateway {
            Some(_) => ", unless that is the router itself or the source is translated on the way",
            None => ", unless the source is translated on the way",
        };
        let mut summary = format!(
            "{who} {sends} to {} from {source}, by {interface}{by}: {why}, so no answer comes \
             back{unless}, and nothing fails but by time.",
            self.there()
        );
        let routed = |own: &&Own| !own.address.is_unicast_link_local();
        let name = |own: &Own| format!("{} on {}", own.address, own.interface);
        let usable = self
            .own()
            .filter(routed)
            .filter(|own| unusable(own).is_none());
        let addresses: Vec<_> = usable.map(name).collect();
        let tested = self
            .own()
            .filter(routed)
            .find(|own| unusable(own).is_some_and(|(_, why)| why.kind == TENTATIVE));
        match (self.reach, &addresses[..], tested) {
            (None, ..) => {}
            (Some(_), [first, ..], _) => {
                let _ = write!(summary, " There is {first}, which was not taken.");
            }
            (Some(_), [], Some(own)) => {
                let _ = write!(
                    summary,
                    " {} is still tested for duplicates, and will be the source once that is over.",
                    name(own)
                );
            }
            (Some(_), [], None) => summary += " No interface has an address that is routed.",
        }
        let passes = addresses.is_empty() && tested.is_some();
        if self.lookup.sends_nothing() && !passes {
            summary += SENDS_NOTHING;
        }
        let mut diagnosis = self
            .finish(
                self.diagnosis(Cause::Unanswerable, summary)
                    .with("gateway", gateway.map(|gateway| gateway.to_string()))
                    .with("addresses", list(addresses)),
            )
            .likely();
        if passes || self.lookup.sends_nothing() {
            diagnosis.severity = Severity::Notice;
        }
        if passes {
            return diagnosis;
        }
        diagnosis.fix(
            self.add_address(interface)
                .remark("ADDRESS: one that the router sends back to here"),
        )
    }
}

/// [`Unusable::kind`] of an address whose test is not over.
const TENTATIVE: &str = "tentative";

/// Why an address can be no source.
struct Unusable {
    kind: &'static str,
    is: &'static str,
}

/// Whether it can be a source.
pub(super) fn is_usable(own: &Own) -> bool {
    unusable(own).is_none()
}

fn unusable(own: &Own) -> Option<(&Own, Unusable)> {
    let flags = u32::from(own.flags);
    let (kind, is) = if flags & ifa::DADFAILED != 0 {
        ("dadfailed", "was found in use by another (dadfailed)")
    } else if flags & ifa::TENTATIVE != 0 && flags & ifa::OPTIMISTIC == 0 {
        (TENTATIVE, "is still tested for duplicates (tentative)")
    } else {
        return None;
    };
    Some((own, Unusable { kind, is }))
}
