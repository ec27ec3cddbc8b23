//! Addresses that are there and cannot be used.

use std::net::{IpAddr, Ipv6Addr};

use super::{Address, Cause, Interface, host::Place};
use crate::{
    event::Name,
    explain::{Diagnosis, Fix, Value, quoted},
    families::{
        address,
        bind::{Holder, why_tentative},
    },
    ifa,
};

/// Others that have the address, and are named.
const NAMED: usize = 4;

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let interfaces = place.snapshot.interfaces.iter();
    interfaces.flat_map(move |interface| {
        let own = place.snapshot.own(interface.ifindex);
        own.filter_map(move |(held, address)| {
            let found = Found {
                place,
                interface,
                held,
                address,
            };
            if held.flags & ifa::DADFAILED != 0 {
                Some(found.failed())
            } else if held.flags & ifa::TENTATIVE != 0 && held.flags & ifa::OPTIMISTIC == 0 {
                found.waits()
            } else {
                None
            }
        })
    })
}

/// An address that cannot be used.
struct Found<'a> {
    place: Place<'a>,
    interface: &'a Interface,
    held: &'a Address,
    address: Ipv6Addr,
}

impl<'a> Found<'a> {
    /// It failed its test. What it met is not in the state: who else has the address
    /// on this host is.
    fn failed(&self) -> Diagnosis {
        let name = &self.interface.name;
        let others = self.others();
        let reflector = self.reflector();
        let whose = match (others.as_slice(), reflector) {
            ([], None) => "Who had it is not in the state of this host: another node of the link, \
                           or the link itself, which sent the solicitation back"
                .to_owned(),
            ([], Some((at, port))) => format!(
                "No other interface that was seen on this host has it, and {} of {}, the other end of \
                 {name}, is in hairpin mode: it may have met its own solicitation, which {name} \
                 does not recognise (enhanced_dad = 0)",
                port.name,
                at.host.session.place(at.snapshot.netns),
            ),
            (others, _) => {
                let named: Vec<String> = others.iter().map(Other::name).collect();
                format!(
                    "On this host {} has it as well: if that is on the link of {name}, it may be who \
                     answered",
                    named.join(", ")
                )
            }
        };
        let summary = format!(
            "{name} has {}, but its test for duplicates failed (dadfailed), and it is never \
             tested again by itself: nothing can use it. {whose}.",
            self.address
        );
        let ipv6 = self.interface.ipv6;
        let mut diagnosis = self
            .told(Cause::Dadfailed, summary)
            .with("enhanced_dad", ipv6.map(|ipv6| ipv6.enhanced_dad))
            .with("all_enhanced_dad", self.place.snapshot.all.enhanced_dad)
            .with(
                "held_by",
                Value::List(others.iter().map(|o| o.name().into()).collect()),
            );
        let is_inferred = reflector.is_some() || !others.is_empty();
        if others.is_empty()
            && let Some((at, port)) = reflector
        {
            let own = self.place.site().set(name, "enhanced_dad", 1);
            diagnosis = diagnosis
                .with("hairpin", port.name.as_str())
                .fix(own.remark("recognises its own frames, from the next attempt on"))
                .fix(at.hairpin_off(port));
        }
        if others.is_empty() {
            let dump = format!(
                "tcpdump -ni {} 'icmp6 and (ip6[40] = 135 or ip6[40] = 136)'",
                quoted(name)
            );
            let dump = self.place.site().command(&dump);
            diagnosis = diagnosis.fix(dump.remark("while it is tested again: shows who answers"));
        }
        if is_inferred {
            diagnosis = diagnosis.likely();
        }
        self.anew(
            diagnosis,
            0,
            "tests it again: first see to it that nobody else has it",
        )
    }

    /// It waits for its test. With a carrier that takes a moment, until the kernel has
    /// noticed it and asked the link, and is no matter; without one it may go on for ever.
    /// Where nothing is plugged into a bridge, and where somebody has set the interface
    /// down, nobody waits with it.
    fn waits(&self) -> Option<Diagnosis> {
        let Interface { name, .. } = self.interface;
        let is_bridge = self.interface.kind.as_deref() == Some("bridge");
        let is_empty = is_bridge && !self.has_ports();
        if self.interface.has_carrier() || !self.interface.is_up() || is_empty {
            return None;
        }
        let holder = Holder {
            interface: Name::new(name),
            ifindex: self.interface.ifindex,
            anycast: false,
            address_flags: self.held.flags,
            prefix_len: self.held.prefix_len.into(),
            is_up: Some(true),
            // Whether it had a carrier before is not in the state.
            is_ready: None,
            has_carrier: Some(false),
        };
        let summary = format!(
            "{}: {}. {name} has no carrier: if it had none since it was set up, the test does not \
             begin before it has one; else it goes on unheard, and ends as soon as with a carrier.",
            self.address,
            why_tentative(&holder)
        );
        let diagnosis = self
            .told(Cause::Tentative, summary)
            .likely()
            .with("carrier", false)
            .fix(Fix::new(format!(
                "give {} a carrier: a bridge has one with the first port that is up",
                quoted(name)
            )));
        Some(self.anew(
            diagnosis,
            ifa::NODAD,
            "untested: only where nobody else can have it",
        ))
    }

    /// Whether anything is plugged in that works or may: a tap has no carrier as long as
    /// its machine is off.
    fn has_ports(&self) -> bool {
        let mut interfaces = self.place.snapshot.interfaces.iter();
        interfaces.any(|port| {
            let is_tap = port.kind.as_deref() == Some("tun");
            port.master == Some(self.interface.ifindex) && port.is_up() && !is_tap
        })
    }

    fn told(&self, cause: Cause, summary: String) -> Diagnosis {
        let mut told = self
            .place
            .finding(self.interface, cause, summary)
            .with("flags", self.held.flags)
            .with("prefix_len", u32::from(self.held.prefix_len));
        told.address = Some(IpAddr::V6(self.address));
        told
    }

    /// The address deleted and added, with one flag more.
    fn anew(&self, diagnosis: Diagnosis, more: u32, remark: &'static str) -> Diagnosis {
        let again = address::again(
            self.place.site(),
            self.address,
            self.held.prefix_len.into(),
            self.held.flags | more,
            &self.interface.name,
        );
        match again.filter(|_| !self.held.has_peer) {
            Some(again) => diagnosis.fix(Fix::new(again).remark(remark)),
            None => diagnosis,
        }
    }

    /// Who else on this host answers for the address. A link-local address is
    /// everybody's own on another link, so it is looked for at the other end alone.
    fn others(&self) -> Vec<Other<'a>> {
        let host = self.place.host;
        let all = host.answering(self.address).iter();
        let all = all.map(|&(snapshot, interface)| Other {
            at: Place { host, snapshot },
            interface,
        });
        all.filter(|other| {
            let is_own = other.at.snapshot.netns == self.place.snapshot.netns
                && other.interface.ifindex == self.interface.ifindex;
            let is_local = self.address.is_unicast_link_local();
            !is_own && (!is_local || self.is_other_end(other.at, other.interface))
        })
        .take(NAMED)
        .collect()
    }

    fn is_other_end(&self, at: Place<'_>, interface: &Interface) -> bool {
        let other = self.place.other_end(self.interface);
        other.is_some_and(|(place, other)| {
            place.snapshot.netns == at.snapshot.netns && other.ifindex == interface.ifindex
        })
    }

    /// The port in hairpin mode behind the interface, where that does not know its own
    /// frames: either setting is enough for it to do so.
    fn reflector(&self) -> Option<(Place<'a>, &'a Interface)> {
        let own = self.interface.ipv6?.enhanced_dad;
        if own != 0 || self.place.snapshot.all.enhanced_dad? != 0 {
            return None;
        }
        self.place.hairpin(self.interface)
    }
}

/// An interface that answers for the address as well.
struct Other<'a> {
    at: Place<'a>,
    interface: &'a Interface,
}

impl Other<'_> {
    fn name(&self) -> String {
        let name = &self.interface.name;
        format!(
            "{name} of {}",
            self.at.host.session.place(self.at.snapshot.netns)
        )
    }
}
