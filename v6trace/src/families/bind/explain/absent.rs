//! An address that is not there, or not where it was asked for: on another
//! interface, in another VRF or network namespace.

use std::net::Ipv6Addr;

use super::Story;
use crate::{
    explain::{Diagnosis, Fix, Value, quoted},
    families::bind::{Holder, Loopback, Whereabouts, whereabouts::Domain},
};

impl Story<'_> {
    pub(super) fn other_domain(
        &self,
        told: impl Fn(&str) -> Diagnosis,
        holder: &Holder,
    ) -> Diagnosis {
        let name = &holder.interface;
        let whereabouts = Whereabouts::of(self.subject);
        let domain_of = |ifindex| whereabouts.and_then(|found| found.domain_of(ifindex));
        let domains = (domain_of(holder.ifindex), domain_of(self.refused.ifindex));
        let (Some(Domain(theirs)), Some(Domain(asked))) = domains else {
            let why = format!(
                "{name} has it and can use it, so it is in another VRF than the socket; which one \
                 could not be looked up"
            );
            return told(&why).likely();
        };
        if theirs == asked {
            let why = format!(
                "{name} has it and can use it by now; it could not when it was asked for, or was in \
                 another VRF"
            );
            return told(&why).likely();
        }
        let place = |vrf: Option<&str>| {
            vrf.map_or_else(|| "in no VRF".to_owned(), |vrf| format!("in VRF {vrf}"))
        };
        let why = format!(
            "{name} has it, {}, and the socket is {}: each VRF has its own addresses",
            place(theirs),
            place(asked)
        );
        let diagnosis = told(&why).with("vrf", theirs).with("socket_vrf", asked);
        match theirs {
            Some(vrf) => diagnosis
                .fix(
                    Fix::new(
                        self.subject
                            .in_netns(&format!("ip vrf exec {} PROGRAM", quoted(vrf))),
                    )
                    .remark("all sockets of the program are then in it"),
                )
                .fix(Fix::new(format!(
                    "bind the socket to {vrf} (SO_BINDTODEVICE) before the address"
                ))),
            None => diagnosis.fix(Fix::new(
                "start the program in no VRF, or bind it to no device",
            )),
        }
    }

    pub(super) fn other_interface(
        &self,
        told: impl Fn(&str) -> Diagnosis,
        holder: &Holder,
    ) -> Diagnosis {
        let address = self.refused.address;
        let name = &holder.interface;
        let why = format!(
            "{name} has it, and not {}, by way of which it was asked for; it counts on its own \
             interface only",
            self.device()
        );
        let diagnosis = told(&why);
        if address.is_loopback() {
            diagnosis.fix(Fix::new("bind the socket to no interface, or to lo"))
        } else {
            diagnosis.fix(Fix::new(format!("write {address}%{name}")))
        }
    }

    pub(super) fn nowhere(&self, told: impl Fn(&str) -> Diagnosis) -> Diagnosis {
        let address = self.refused.address;
        if address == Ipv6Addr::LOCALHOST {
            return self.no_loopback(told);
        }
        let why = format!(
            "no interface of this network namespace has it{}",
            self.elsewhere()
        );
        let elsewhere = Whereabouts::of(self.subject).map(|found| {
            let names = found.elsewhere.iter().map(|(_, name)| name.as_str().into());
            Value::List(names.collect())
        });
        let diagnosis = told(&why).with("elsewhere", elsewhere);
        if address.is_unicast_link_local() {
            return diagnosis.fix(
                self.subject
                    .command("ip -6 address show scope link")
                    .remark("the link-local addresses there are; they change with a MAC"),
            );
        }
        if Whereabouts::of(self.subject).is_some_and(|found| !found.elsewhere.is_empty()) {
            // Here as well, it would be taken from there.
            return diagnosis.fix(Fix::new("start the program in that network namespace"));
        }
        diagnosis
            .fix(
                self.subject
                    .command(&format!("ip -6 address add {address}/128 dev lo"))
                    .remark("where it is routed to this host; else on the interface of its prefix"),
            )
            .fix(self.nonlocal())
    }

    /// "; eth0 in network namespace blue has it"
    pub(super) fn elsewhere(&self) -> String {
        let Some(found) = Whereabouts::of(self.subject) else {
            return String::new();
        };
        let place = |(inode, name): &(u32, String)| {
            format!("{name} in {}", self.subject.session.place(*inode))
        };
        match &found.elsewhere[..] {
            [] => String::new(),
            [one] => format!("; {} has it", place(one)),
            [one, rest @ ..] => format!("; {} has it, and {} more", place(one), rest.len()),
        }
    }

    pub(super) fn no_loopback(&self, told: impl Fn(&str) -> Diagnosis) -> Diagnosis {
        let Loopback {
            is_up,
            disable_ipv6,
        } = self.refused.loopback;
        let is_off = disable_ipv6.filter(|&value| value != 0);
        let why = if let Some(value) = is_off {
            format!("lo has no ::1, since IPv6 is switched off on it (disable_ipv6 = {value})")
        } else if is_up == Some(false) {
            "lo is down, and has ::1 only while it is up".to_owned()
        } else {
            "lo has no ::1: somebody deleted it, or IPv6 was switched off on lo before".to_owned()
        };
        let diagnosis = told(&why)
            .with("disable_ipv6", disable_ipv6)
            .with("up", is_up);
        if is_off.is_some() {
            diagnosis.fix(
                self.subject
                    .set("lo", "disable_ipv6", 0)
                    .remark("brings ::1 back"),
            )
        } else if is_up == Some(false) {
            diagnosis.fix(
                self.subject
                    .command("ip link set dev lo up")
                    .remark("brings ::1"),
            )
        } else {
            diagnosis.fix(self.subject.command("ip -6 address add ::1/128 dev lo"))
        }
    }
}
