//! What to do about an address that was found in use.

use super::{cost::Cost, verdict::Verdict};
use crate::{
    catalogue::Cause,
    decode::{DadFailure, Event, dad::Message},
    diagnose::{
        Diagnosis, Fix,
        advice::{self, quoted},
    },
    record::surroundings::Interface,
    session::Session,
};

/// Hairpin ports that are named where none is known to be the one.
const SUSPECTS: usize = 3;

/// The event and what is known around it.
pub(super) struct Fixes<'a> {
    pub(super) event: &'a Event,
    pub(super) session: &'a Session,
    pub(super) interface: &'a str,
}

/// A bridge's port that sends back what it receives.
pub(super) struct Reflector<'a> {
    pub(super) netns: u32,
    pub(super) bridge: &'a str,
    pub(super) port: &'a str,
}

impl<'a> Fixes<'a> {
    /// The port in hairpin mode that the interface is plugged into: a veth's
    /// two ends name each other's index.
    pub(super) fn reflector(&self, ifindex: u32) -> Option<Reflector<'a>> {
        let around = self.session.surroundings(self.event.netns)?;
        let own = around.here.as_ref()?;
        let own = own.iter().find(|own| own.ifindex == ifindex)?;
        let mut ends = self
            .hairpins()
            .into_iter()
            .filter(|(_, port)| Some(port.ifindex) == own.link && port.link == Some(ifindex));
        let (netns, port) = ends.next()?;
        // Indexes repeat from namespace to namespace.
        if ends.next().is_some() {
            return None;
        }
        Some(Reflector {
            netns,
            bridge: port.master.as_deref()?,
            port: &port.name,
        })
    }

    /// Every port in hairpin mode on this host, with its namespace.
    fn hairpins(&self) -> Vec<(u32, &'a Interface)> {
        let netns = self.event.netns;
        let Some(around) = self.session.surroundings(netns) else {
            return Vec::new();
        };
        let here = around.here.iter().flatten().map(|port| (netns, port));
        let elsewhere = around.elsewhere.iter().map(|(netns, port)| (*netns, port));
        here.chain(elsewhere)
            .filter(|(_, port)| port.hairpin)
            .collect()
    }

    pub(super) fn add(
        &self,
        diagnosis: Diagnosis,
        failure: &DadFailure,
        verdict: &Verdict,
        cost: &Cost,
    ) -> Diagnosis {
        let diagnosis = match verdict.cause {
            Cause::DadLoopback => self.loopback(diagnosis, failure),
            Cause::DadConflictClonedMac => diagnosis.fix(Fix::new(format!(
                "give {} or the other node another MAC, where it is configured",
                quoted(self.interface)
            ))),
            Cause::DadConflict | Cause::DadConflictSameHost => {
                self.conflict(diagnosis, failure, verdict)
            }
            _ => diagnosis.fix(Fix::new(self.here(&format!(
                "tcpdump -ni {} 'icmp6 and (ip6[40] = 135 or ip6[40] = 136)'",
                quoted(self.interface)
            )))),
        };
        self.retry(diagnosis, failure, cost)
    }

    fn loopback(&self, diagnosis: Diagnosis, failure: &DadFailure) -> Diagnosis {
        let off = failure.sysctls.is_some_and(|sysctls| !sysctls.enhanced_dad);
        let diagnosis = if off {
            let command = advice::set_interface_sysctl(self.interface, "enhanced_dad", 1);
            diagnosis.fix(
                Fix::new(self.here(&command))
                    .remark("recognises its own frames, from the next attempt on"),
            )
        } else {
            diagnosis
        };
        self.hairpin_off(diagnosis, failure.ifindex)
    }

    /// What to do about a reflection that did no harm.
    pub(super) fn reflection(&self, diagnosis: Diagnosis, ifindex: u32) -> Diagnosis {
        self.hairpin_off(diagnosis, ifindex).fix(Fix::new(
            "nothing, if the segment is meant to reflect; leave enhanced_dad at 1",
        ))
    }

    fn hairpin_off(&self, diagnosis: Diagnosis, ifindex: u32) -> Diagnosis {
        let off = |netns, port: &str| {
            let command = format!("bridge link set dev {} hairpin off", quoted(port));
            Fix::new(self.within(netns, &command))
        };
        if let Some(reflector) = self.reflector(ifindex) {
            return diagnosis.fix(
                off(reflector.netns, reflector.port)
                    .remark("where nobody behind the port has to reach itself"),
            );
        }
        self.hairpins()
            .into_iter()
            .take(SUSPECTS)
            .fold(diagnosis, |diagnosis, (netns, port)| {
                diagnosis.fix(
                    off(netns, &port.name)
                        .remark("if this port of the host is on the interface's segment"),
                )
            })
    }

    fn conflict(&self, diagnosis: Diagnosis, failure: &DadFailure, verdict: &Verdict) -> Diagnosis {
        let address = failure.address;
        let answered = failure.frame.message() == Some(Message::Advertisement);
        if answered && is_first_of_prefix(failure) {
            return diagnosis.fix(Fix::new(format!(
                "use another address than {address}, the first of its prefix: a forwarding router \
                 answers to it (subnet-router-anycast)"
            )));
        }
        let Some(other) = &verdict.other else {
            return match failure.frame.source_mac() {
                Some(mac) => diagnosis.fix(
                    Fix::new(format!("bridge fdb show | grep -i {mac}"))
                        .remark("finds the node, on the host of the bridge; or ask the switch"),
                ),
                None => diagnosis,
            };
        };
        let netns = other.netns.unwrap_or(self.event.netns);
        let del = format!(
            "ip address del {address}/{} dev {}",
            failure.prefix_len,
            quoted(&other.interface)
        );
        diagnosis.fix(Fix::new(self.within(netns, &del)).remark("if it belongs here and not there"))
    }

    /// How the address is tried again, once the reason is gone.
    fn retry(&self, diagnosis: Diagnosis, failure: &DadFailure, cost: &Cost) -> Diagnosis {
        if cost.ipv6_disabled == Some(true) {
            let command = advice::set_interface_sysctl(self.interface, "disable_ipv6", 0);
            return diagnosis.fix(
                Fix::new(self.here(&command))
                    .remark("then: makes the fe80 address again; others must be added again"),
            );
        }
        if cost.address_deleted != Some(false) {
            return diagnosis;
        }
        let at = format!(
            "{}/{} dev {}",
            failure.address,
            failure.prefix_len,
            quoted(self.interface)
        );
        diagnosis
            .fix(Fix::new(self.here(&format!("ip address del {at}"))).remark("then, to try again:"))
            .fix(
                Fix::new(self.here(&format!("ip address add {at}")))
                    .remark("replace or a carrier flap does not try again"),
            )
    }

    /// `command`, to be run in the network namespace of the event.
    fn here(&self, command: &str) -> String {
        self.within(self.event.netns, command)
    }

    /// `command`, to be run in some network namespace.
    fn within(&self, netns: u32, command: &str) -> String {
        advice::in_netns(self.session, netns, command)
    }
}

/// Whether the address is the subnet-router anycast address of its prefix,
/// where the kernel makes one.
fn is_first_of_prefix(failure: &DadFailure) -> bool {
    let length = failure.prefix_len;
    length > 0 && length < 127 && u128::from(failure.address) << length == 0
}
