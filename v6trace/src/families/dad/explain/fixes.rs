//! What to do about an address that was found in use.

use super::{cost::Cost, others::Other, verdict::Verdict};
use crate::{families::dad::{Cause, DadFailure, Interface, Surroundings}, frame::{Mac}, explain::{Diagnosis, Fix, advice, quoted, Subject}};

/// Hairpin ports that are named where none is known to be the one.
const SUSPECTS: usize = 3;

/// The event and what is known around it.
pub(super) struct Fixes<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) interface: &'a str,
}

/// A bridge's port that sends back what it receives.
pub(super) struct Reflector<'a> {
    pub(super) netns: u32,
    pub(super) bridge: &'a str,
    pub(super) port: &'a str,
}

impl<'a> Fixes<'a> {
    /// The port in hairpin mode that the interface is plugged into: the other
    /// end of a veth, which names this one as its own other end.
    pub(super) fn reflector(&self, ifindex: u32) -> Option<Reflector<'a>> {
        let around = Surroundings::around(self.subject)?;
        let (netns, other_end) = around.other_end?;
        let (netns, port) = self.hairpins().into_iter().find(|(inode, port)| {
            *inode == netns && port.ifindex == other_end && port.link == Some(ifindex)
        })?;
        Some(Reflector {
            netns,
            bridge: port.master.as_deref()?,
            port: &port.name,
        })
    }

    /// Every port in hairpin mode on this host, with its namespace.
    fn hairpins(&self) -> Vec<(u32, &'a Interface)> {
        let netns = self.subject.event.netns;
        let Some(around) = Surroundings::around(self.subject) else {
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
            Cause::Loopback => self.loopback(diagnosis, failure),
            Cause::ConflictClonedMac => {
                let diagnosis = self.cloned_mac(diagnosis, failure);
                match self.del_from(verdict.other.as_ref(), failure) {
                    Some(del) => diagnosis.fix(del),
                    None => diagnosis,
                }
            }
            Cause::Conflict | Cause::ConflictSameHost => {
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

    /// Takes the address from another interface of this host that has it.
    fn del_from(&self, other: Option<&Other>, failure: &DadFailure) -> Option<Fix> {
        let other = other?;
        let prefix_len = other.prefix_len?;
        let del = format!(
            "ip address del {}/{prefix_len} dev {}",
            failure.address,
            quoted(&other.interface)
        );
        let netns = other.netns.unwrap_or(self.subject.event.netns);
        let command = self.within(netns, &del);
        Some(Fix::new(command).remark("if it belongs here and not there"))
    }

    fn cloned_mac(&self, diagnosis: Diagnosis, failure: &DadFailure) -> Diagnosis {
        let interface = quoted(self.interface);
        match failure.own_mac.and_then(Mac::virtual_router) {
            Some(number) => diagnosis
                .fix(
                    Fix::new(self.here(&format!("tcpdump -ni {interface} 'proto 112'"))).remark(
                        "two VRRP masters: each should hear the other's advertisements here",
                    ),
                )
                .fix(Fix::new(format!(
                    "let the masters of virtual router {number} hear each other, or give one of \
                     them another number"
                ))),
            None => diagnosis.fix(Fix::new(format!(
                "give {interface} or the other node another MAC, where it is configured"
            ))),
        }
    }

    fn conflict(&self, diagnosis: Diagnosis, failure: &DadFailure, verdict: &Verdict) -> Diagnosis {
        let source_mac = failure.frame.source_mac();
        let shares_mac = source_mac.is_some() && source_mac == failure.own_mac;
        let diagnosis = match &verdict.other {
            Some(other) if shares_mac => diagnosis.fix(Fix::new(format!(
                "keep {} and {} apart, which share a MAC: a bridge, a switch port or a loop joins \
                 their segments",
                quoted(self.interface),
                quoted(&other.interface)
            ))),
            _ => diagnosis,
        };
        if let Some(del) = self.del_from(verdict.other.as_ref(), failure) {
            return diagnosis.fix(del);
        }
        // Its owner would override what others know.
        let flags = failure.frame.advertisement_flags();
        let is_owner = flags.is_none_or(|flags| flags.r#override);
        if !is_owner && is_first_of_prefix(failure) {
            return diagnosis.fix(Fix::new(format!(
                "use another address than {}, the first of its prefix: most likely a forwarding \
                 router answers to it as anycast (subnet-router-anycast), since its advertisement \
                 does not override",
                failure.address
            )));
        }
        match source_mac {
            Some(mac) => diagnosis.fix(
                Fix::new(format!("bridge fdb show | grep -i {mac}"))
                    .remark("finds the node, on the host of the bridge; or ask the switch"),
            ),
            None => diagnosis,
        }
    }

    /// How the address is tried again, once the reason is gone.
    fn retry(&self, diagnosis: Diagnosis, failure: &DadFailure, cost: &Cost) -> Diagnosis {
        if cost.ipv6_disabled == Some(true) {
            let command = advice::set_interface_sysctl(self.interface, "disable_ipv6", 0);
            return diagnosis.fix(Fix::new(self.here(&command)).remark(
                "then: makes the fe80 address again (not with addrgenmode none); others \
                         must be added again",
            ));
        }
        if cost.temporary {
            // The count of attempts is the advertised address's: only a new one
            // begins anew.
            let on = advice::set_interface_sysctl(self.interface, "use_tempaddr", 2);
            let anew = format!(
                "ip -6 address flush dev {} scope global dynamic",
                quoted(self.interface)
            );
            return diagnosis
                .fix(Fix::new(self.here(&on)).remark("then, if it is -1 by now:"))
                .fix(
                    Fix::new(self.here(&anew))
                        .remark("the next advertisement makes them anew; connections end"),
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
                Fix::new(self.here(&format!("ip address add {at}"))).remark(
                    "as it was (peer, metric); replace or a carrier flap does not try again",
                ),
            )
    }

    /// `command`, to be run in the network namespace of the event.
    fn here(&self, command: &str) -> String {
        self.within(self.subject.event.netns, command)
    }

    /// `command`, to be run in some network namespace.
    fn within(&self, netns: u32, command: &str) -> String {
        advice::in_netns(self.subject.session, netns, command)
    }
}

/// Whether the address is the subnet-router anycast address of its prefix,
/// where the kernel makes one.
fn is_first_of_prefix(failure: &DadFailure) -> bool {
    let length = failure.prefix_len;
    length > 0 && length < 127 && u128::from(failure.address) << length == 0
}
