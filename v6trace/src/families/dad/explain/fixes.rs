//! What to do about an address that was found in use.

use super::{
    bonds::Listens,
    cost::Cost,
    others::Other,
    verdict::{Verdict, is_first_of_prefix},
};
use crate::{
    explain::{Diagnosis, Fix, Subject, advice, quoted},
    families::dad::{Bond, Cause, DadFailure, DadReflection, Interface, Surroundings},
    frame::Mac,
};

/// Hairpin ports that are named where none is known to be the one.
const SUSPECTS: usize = 3;

/// Sixteen random bytes in the form that `stable_secret` wants.
const RANDOM_SECRET: &str = "$(sed 's/-//g;s/..../&:/g;s/:$//' /proc/sys/kernel/random/uuid)";

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

    /// The bond that the interface is, or is stacked on.
    pub(super) fn bond(&self) -> Option<&'a Bond> {
        Surroundings::around(self.subject)?.bond.as_ref()
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
                let diagnosis = match verdict.earlier {
                    Some(_) => self.own_secret(diagnosis, failure),
                    None => diagnosis,
                };
                self.free(diagnosis, verdict, failure)
            }
            Cause::ConflictVirtualMac => {
                return self.without_link_local(diagnosis, failure, cost);
            }
            Cause::ConflictCopiedSecret => {
                return self.left_over(self.own_secret(diagnosis, failure), failure, cost);
            }
            Cause::ConflictAnycast => {
                return self.left_over(self.anycast(diagnosis, failure, verdict), failure, cost);
            }
            Cause::ConflictProxy => self.proxy(diagnosis, failure, verdict),
            Cause::Conflict | Cause::ConflictSameHost => self.conflict(diagnosis, failure, verdict),
            Cause::LoopbackIgnored | Cause::Unexplained => {
                diagnosis.fix(Fix::new(self.here(&format!(
                    "tcpdump -ni {} 'icmp6 and (ip6[40] = 135 or ip6[40] = 136)'",
                    quoted(self.interface)
                ))))
            }
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
        let diagnosis = self.hairpin_off(diagnosis, failure.ifindex);
        self.bonded(diagnosis, failure.frame.source_mac())
    }

    /// What to do about a reflection that did no harm.
    pub(super) fn reflection(&self, diagnosis: Diagnosis, reflection: &DadReflection) -> Diagnosis {
        let diagnosis = self.hairpin_off(diagnosis, reflection.ifindex);
        self.bonded(diagnosis, reflection.frame.source_mac())
            .fix(Fix::new(
                "nothing, if the segment is meant to reflect; leave enhanced_dad at 1",
            ))
    }

    /// What to do about a bond by whose ports frames may come back, and how to see
    /// by which.
    fn bonded(&self, diagnosis: Diagnosis, source_mac: Option<Mac>) -> Diagnosis {
        let Some(bond) = self.bond() else {
            return diagnosis;
        };
        let name = quoted(&bond.name);
        let diagnosis = match Listens::of(bond) {
            Listens::All => diagnosis.fix(Fix::new(format!(
                "join the ports of {name} on the switch in one group without LACP, or configure \
                 {name} as 802.3ad (with LACP there) or active-backup (without a group)"
            ))),
            Listens::AllButSendsByOne => {
                let command = format!("ip link set dev {name} type bond all_slaves_active 0");
                diagnosis.fix(
                    Fix::new(self.within(bond.netns, &command))
                        .remark("no longer listens to idle ports"),
                )
            }
            Listens::Agreed | Listens::One(_) => diagnosis,
        };
        let Some(mac) = source_mac else {
            return diagnosis;
        };
        bond.ports
            .iter()
            .take(SUSPECTS)
            .fold(diagnosis, |diagnosis, port| {
                let command = format!(
                    "tcpdump -Q in -eni {} 'icmp6 and ether src {mac}'",
                    quoted(port)
                );
                diagnosis.fix(
                    Fix::new(self.within(bond.netns, &command))
                        .remark("shows what comes back by this port of the bond"),
                )
            })
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

    /// Frees the address where another interface of this host has it, or stands
    /// for it.
    fn free(&self, diagnosis: Diagnosis, verdict: &Verdict, failure: &DadFailure) -> Diagnosis {
        match self.free_at(verdict.other.as_ref(), failure) {
            Some(fix) => diagnosis.fix(fix),
            None => diagnosis,
        }
    }

    fn free_at(&self, other: Option<&Other>, failure: &DadFailure) -> Option<Fix> {
        let other = other?;
        let netns = other.netns.unwrap_or(self.subject.event.netns);
        let address = failure.address;
        let interface = quoted(&other.interface);
        if let Some(prefix_len) = other.prefix_len {
            if !other.is_permanent() {
                return Some(Fix::new(format!(
                    "use another address here: {interface} has {address} with a lifetime, from an \
                     advertisement or DHCPv6, which would bring it back"
                )));
            }
            let del = format!("ip address del {address}/{prefix_len} dev {interface}");
            return Some(
                Fix::new(self.within(netns, &del)).remark("if it belongs here and not there"),
            );
        }
        other.is_proxy().then(|| {
            let del = format!("ip neigh del proxy {address} dev {interface}");
            Fix::new(self.within(netns, &del)).remark("if nobody behind the proxy has the address")
        })
    }

    /// Somebody has the address as anycast: to test it again is of no use.
    fn anycast(&self, diagnosis: Diagnosis, failure: &DadFailure, verdict: &Verdict) -> Diagnosis {
        let address = failure.address;
        let why = if is_first_of_prefix(failure) {
            "the first of its prefix: every forwarding router there has it as anycast \
             (subnet-router-anycast)"
        } else {
            "which a program has joined as anycast there (IPV6_JOIN_ANYCAST)"
        };
        let diagnosis = diagnosis.fix(Fix::new(format!(
            "use another address than {address}, {why}"
        )));
        match &verdict.other {
            // Whether it would then still answer is not known.
            Some(other) if other.is_proxy() => self.free(diagnosis, verdict, failure),
            Some(_) => diagnosis,
            None => find_node(diagnosis, failure),
        }
    }

    /// A proxy answers for the address.
    fn proxy(&self, diagnosis: Diagnosis, failure: &DadFailure, verdict: &Verdict) -> Diagnosis {
        if let Some(fix) = self.free_at(verdict.other.as_ref(), failure) {
            return diagnosis.fix(fix);
        }
        let lists = "ip -6 neigh show proxy";
        let there = verdict.other.as_ref().and_then(|other| other.netns);
        let command = there.map_or_else(|| lists.to_owned(), |netns| self.within(netns, lists));
        find_node(diagnosis, failure).fix(Fix::new(command).remark(
            "lists, on that node, what its kernel answers for; ndppd and the like have a \
             configuration",
        ))
    }

    /// Gives the interface a secret of its own. Addresses that it has from
    /// advertisements stay until they run out.
    fn own_secret(&self, diagnosis: Diagnosis, failure: &DadFailure) -> Diagnosis {
        let setting = format!("net/ipv6/conf/{}/stable_secret", self.interface);
        let command = format!("sysctl -w {}={RANDOM_SECRET}", quoted(&setting));
        let diagnosis = diagnosis.fix(Fix::new(self.here(&command)).remark(
            "a secret of its own, also where it is configured; the next advertisement makes other \
             addresses",
        ));
        if !is_link_local(failure) {
            return diagnosis;
        }
        // Random is stable privacy with whatever secret there is. That it changes
        // makes the kernel make the address, with the link up as it is.
        let anew = advice::set_interface_sysctl(self.interface, "addr_gen_mode", 3);
        diagnosis
            .fix(Fix::new(self.here(&anew)).remark("makes the fe80 address anew, from that secret"))
    }

    /// Keeps the kernel from making the fe80 address of a virtual router's MAC.
    fn without_link_local(
        &self,
        diagnosis: Diagnosis,
        failure: &DadFailure,
        cost: &Cost,
    ) -> Diagnosis {
        let command = format!(
            "ip link set dev {} addrgenmode none",
            quoted(self.interface)
        );
        let diagnosis = diagnosis.fix(Fix::new(self.here(&command)).remark(
            "makes no fe80 address from the virtual MAC any more; also where the interface is \
             configured",
        ));
        if cost.ipv6_disabled == Some(true) {
            return self.enable(
                diagnosis,
                "then: others than the fe80 address must be added again, or come with the next \
                 advertisement",
            );
        }
        self.left_over(diagnosis, failure, cost)
    }

    /// Takes away an address that failed and would fail again.
    fn left_over(&self, diagnosis: Diagnosis, failure: &DadFailure, cost: &Cost) -> Diagnosis {
        if cost.address_deleted != Some(false) {
            return diagnosis;
        }
        let del = format!("ip address del {}", self.at(failure));
        diagnosis.fix(
            Fix::new(self.here(&del)).remark("the failed one; added again, it would fail again"),
        )
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
        match self.free_at(verdict.other.as_ref(), failure) {
            Some(fix) => diagnosis.fix(fix),
            None => find_node(diagnosis, failure),
        }
    }

    /// How the address is tried again, once the reason is gone.
    fn retry(&self, diagnosis: Diagnosis, failure: &DadFailure, cost: &Cost) -> Diagnosis {
        if cost.ipv6_disabled == Some(true) {
            return self.enable(
                diagnosis,
                "then: makes the fe80 address again (not with addrgenmode none); others must be \
                 added again",
            );
        }
        if cost.temporary {
            // The advertised address counts the attempts. To make that anew would
            // take it from the interface, so rather allow more.
            let more = advice::set_interface_sysctl(self.interface, "regen_max_retry", 10);
            let on = advice::set_interface_sysctl(self.interface, "use_tempaddr", 2);
            return diagnosis
                .fix(Fix::new(self.here(&more)).remark("then, if use_tempaddr is -1 by now:"))
                .fix(
                    Fix::new(self.here(&on))
                        .remark("the next advertisement makes temporary addresses again"),
                );
        }
        if cost.address_deleted != Some(false) {
            return diagnosis;
        }
        let at = self.at(failure);
        diagnosis
            .fix(Fix::new(self.here(&format!("ip address del {at}"))).remark("then, to try again:"))
            .fix(
                Fix::new(self.here(&format!("ip address add {at}"))).remark(
                    "as it was (peer, metric); replace or a carrier flap does not try again",
                ),
            )
    }

    /// Switches IPv6 on again.
    fn enable(&self, diagnosis: Diagnosis, remark: &'static str) -> Diagnosis {
        let command = advice::set_interface_sysctl(self.interface, "disable_ipv6", 0);
        diagnosis.fix(Fix::new(self.here(&command)).remark(remark))
    }

    /// "2001:db8::a/64 dev eth0"
    fn at(&self, failure: &DadFailure) -> String {
        format!(
            "{}/{} dev {}",
            failure.address,
            failure.prefix_len,
            quoted(self.interface)
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

fn is_link_local(failure: &DadFailure) -> bool {
    failure.address.segments()[..4] == [0xfe80, 0, 0, 0]
}

/// How the node is found that sent the frame.
fn find_node(diagnosis: Diagnosis, failure: &DadFailure) -> Diagnosis {
    match failure.frame.source_mac() {
        Some(mac) => diagnosis.fix(
            Fix::new(format!("bridge fdb show | grep -i {mac}"))
                .remark("finds the node, on the host of the bridge; or ask the switch"),
        ),
        None => diagnosis,
    }
}
