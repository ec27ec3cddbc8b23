//! How it stands with an address that was refused.
//!
//! `ipv6_chk_addr` goes through all that have the address: in the same VRF as
//! the interface that was asked for, or in none; neither tentative, unless
//! optimistic, nor dadfailed; a link-local address or ::1 on that very
//! interface. So one that has it and can use it, and is not refused by its
//! interface, is in another VRF.

use std::net::Ipv6Addr;

use super::{Story, bound::OPERATION as BIND};
use crate::{
    explain::{Diagnosis, Fix, quoted},
    families::{
        address,
        bind::{Cause, Holder, Loopback, Whereabouts},
    },
    ifa,
};

/// How it stands with it.
#[derive(Clone, Copy)]
pub(super) enum Standing<'a> {
    /// It is under test.
    Tentative(&'a Holder),
    /// It failed its test.
    Dadfailed(&'a Holder),
    /// An interface has it that is in another VRF.
    OtherDomain(&'a Holder),
    /// Another interface has it than the one that was asked for.
    OtherInterface(&'a Holder),
    /// An interface answers for it as anycast.
    Anycast(&'a Holder),
    /// No interface has it.
    Nowhere,
    /// Not all interfaces could be looked at.
    Unknown,
}

impl Standing<'_> {
    /// As the evidence has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tentative(_) => "tentative",
            Self::Dadfailed(_) => "dadfailed",
            Self::OtherDomain(_) => "other-vrf",
            Self::OtherInterface(_) => "other-interface",
            Self::Anycast(_) => "anycast",
            Self::Nowhere => "absent",
            Self::Unknown => "unknown",
        }
    }
}

impl<'a> Story<'a> {
    /// How it stands with the address.
    pub(super) fn standing(&self) -> Standing<'a> {
        let refused = self.refused;
        let address = refused.address;
        let of_one_link = address.is_unicast_link_local() || address.is_loopback();
        let fits = |holder: &&Holder| {
            !of_one_link || refused.ifindex == 0 || holder.ifindex == refused.ifindex
        };
        let own: Vec<&Holder> = refused.holders.iter().filter(|one| !one.anycast).collect();
        let fitting = || own.iter().copied().filter(fits);
        let under_test = fitting().find(|holder| {
            !is_usable(holder.address_flags) && self.is_other_domain(holder) != Some(true)
        });
        if let Some(holder) = under_test {
            return if holder.address_flags & ifa::DADFAILED != 0 {
                Standing::Dadfailed(holder)
            } else {
                Standing::Tentative(holder)
            };
        }
        if let Some(holder) = fitting().next() {
            return Standing::OtherDomain(holder);
        }
        if let Some(holder) = own.first() {
            return Standing::OtherInterface(holder);
        }
        match refused.holders.first() {
            Some(holder) => Standing::Anycast(holder),
            None if refused.all_looked_at => Standing::Nowhere,
            None => Standing::Unknown,
        }
    }

    /// Whether an interface is in another VRF than where the address was looked
    /// for, if that is known.
    pub(super) fn is_other_domain(&self, holder: &Holder) -> Option<bool> {
        let whereabouts = Whereabouts::of(self.subject)?;
        let asked = whereabouts.vrf_of(self.refused.ifindex)?;
        Some(whereabouts.vrf_of(holder.ifindex)? != asked)
    }

    /// Explains a bind by how it stands with the address.
    pub(super) fn by_standing(&self) -> Diagnosis {
        let standing = self.standing();
        let cause = match standing {
            Standing::Tentative(_) => Cause::Tentative,
            Standing::Dadfailed(_) => Cause::Dadfailed,
            // It can be used by now.
            Standing::OtherDomain(holder) if self.is_other_domain(holder) == Some(false) => {
                Cause::Unexplained
            }
            Standing::OtherDomain(_) | Standing::OtherInterface(_) | Standing::Nowhere => {
                Cause::Absent
            }
            Standing::Anycast(_) => Cause::Anycast,
            Standing::Unknown => Cause::Unexplained,
        };
        self.of_standing(cause, BIND, standing)
    }

    /// What to say of it, and what to do.
    pub(super) fn of_standing(
        &self,
        cause: Cause,
        operation: &'static str,
        standing: Standing<'a>,
    ) -> Diagnosis {
        let told = |why: &str| self.told(cause, operation, why);
        match standing {
            Standing::Tentative(holder) => {
                let why = self.with_domain(self.why_tentative(holder), holder);
                on(
                    self.tentative(self.sure(told(&why), holder), holder),
                    holder,
                )
            }
            Standing::Dadfailed(holder) => {
                let why = self.with_domain(self.why_failed(holder), holder);
                on(self.failed(self.sure(told(&why), holder), holder), holder)
            }
            Standing::OtherDomain(holder) => on(self.other_domain(told, holder), holder),
            Standing::OtherInterface(holder) => self.other_interface(told, holder),
            Standing::Anycast(holder) => {
                let name = &holder.interface;
                let why = format!(
                    "{name} answers for it as anycast, and such an address is none that a socket \
                     can be bound to. A router has one for each of its prefixes (the Subnet-Router \
                     anycast address), whoever else has that address"
                );
                on(told(&why), holder)
                    .fix(Fix::new(
                        "bind to an address of the interface's own, or to ::",
                    ))
                    .fix(self.nonlocal())
            }
            Standing::Nowhere => self.nowhere(told),
            Standing::Unknown => told(
                "this network namespace has too many interfaces and addresses to tell whether one \
                 has it",
            )
            .likely(),
        }
    }

    /// The same reason, with what is not known of it.
    fn with_domain(&self, mut why: String, holder: &Holder) -> String {
        if self.is_other_domain(holder).is_none() {
            why += ". Whether the socket would find it at all, in its VRF, could not be looked up";
        }
        why
    }

    /// An address that the socket would not find in any case is refused for that.
    fn sure(&self, diagnosis: Diagnosis, holder: &Holder) -> Diagnosis {
        if self.is_other_domain(holder).is_none() {
            diagnosis.likely()
        } else {
            diagnosis
        }
    }

    fn why_tentative(&self, holder: &Holder) -> String {
        let name = &holder.interface;
        let mut why = format!(
            "{name} has it, but tests it for duplicates (tentative), and until it has passed \
             nothing can use it"
        );
        if holder.is_ready == Some(true) {
            why += ". That takes a second or two (dad_transmits)";
        } else if holder.is_ready == Some(false) {
            let (what, until) = if holder.is_up == Some(false) {
                ("is down", "it is set up")
            } else if holder.has_carrier == Some(false) {
                ("has no carrier", "it has one")
            } else {
                ("is not ready", "it is")
            };
            why +=
                &format!(". The test has not begun: {name} {what}, and it stays so until {until}");
        }
        why
    }

    fn tentative(&self, diagnosis: Diagnosis, holder: &Holder) -> Diagnosis {
        let name = quoted(&holder.interface);
        let waits = holder.is_ready == Some(false);
        let first = if waits && holder.is_up == Some(false) {
            self.subject
                .command(&format!("ip link set dev {name} up"))
                .remark("the test begins with it")
        } else if waits {
            Fix::new(format!(
                "give {name} a carrier: a bridge has one with the first port that is up"
            ))
        } else {
            Fix::new("start it again once the address can be used")
                .remark("systemd: After= and Wants= of network-online.target")
        };
        let diagnosis = diagnosis
            .with("flags", holder.address_flags)
            .with("ready", holder.is_ready)
            .with("up", holder.is_up)
            .with("carrier", holder.has_carrier)
            .fix(first);
        self.anew(
            diagnosis,
            holder,
            ifa::NODAD,
            "untested: only where nobody else can have it",
        )
        .fix(self.nonlocal())
    }

    fn why_failed(&self, holder: &Holder) -> String {
        let name = &holder.interface;
        let earlier = self.subject.session.duplicates();
        let event = self.subject.event;
        let seen = earlier.last(event.netns, holder.ifindex, self.refused.address);
        let story = seen.map_or_else(
            || "when that was, and who has it, was not seen".to_owned(),
            |seen| {
                let tenths = event.boot_ns.saturating_sub(seen.boot_ns) / 100_000_000;
                let whose = seen
                    .source_mac
                    .map_or_else(String::new, |mac| format!(", by a frame from {mac}"));
                format!(
                    "it was found in use {}.{} s before{whose}",
                    tenths / 10,
                    tenths % 10
                )
            },
        );
        format!(
            "{name} has it, but its test for duplicates failed (dadfailed), and it is never tested \
             again by itself: {story}"
        )
    }

    fn failed(&self, diagnosis: Diagnosis, holder: &Holder) -> Diagnosis {
        let earlier = self.subject.session.duplicates();
        let netns = self.subject.event.netns;
        let seen = earlier.last(netns, holder.ifindex, self.refused.address);
        let mac = seen.and_then(|seen| seen.source_mac);
        let diagnosis = diagnosis
            .with("flags", holder.address_flags)
            .with("found_in_use_by", mac.map(|mac| mac.to_string()));
        self.anew(
            diagnosis,
            holder,
            0,
            "tests it again: first see to it that nobody else has it",
        )
    }

    /// The address deleted and added, with one flag more. What a router or a DHCP
    /// server gave is theirs to give again, and link-local ones the kernel makes.
    fn anew(
        &self,
        diagnosis: Diagnosis,
        holder: &Holder,
        more: u32,
        remark: &'static str,
    ) -> Diagnosis {
        let is_theirs = holder.address_flags & ifa::PERMANENT == 0;
        let is_kernels = self.refused.address.is_unicast_link_local();
        if is_theirs || is_kernels || holder.prefix_len == 0 {
            return diagnosis;
        }
        let again = address::again(
            self.subject,
            self.refused.address,
            holder.prefix_len,
            holder.address_flags | more,
            &holder.interface,
        );
        diagnosis.fix(Fix::new(again).remark(remark))
    }

    fn other_domain(&self, told: impl Fn(&str) -> Diagnosis, holder: &Holder) -> Diagnosis {
        let name = &holder.interface;
        let whereabouts = Whereabouts::of(self.subject);
        let vrf_of = |ifindex| whereabouts.and_then(|found| found.vrf_of(ifindex));
        let (theirs, asked) = (vrf_of(holder.ifindex), vrf_of(self.refused.ifindex));
        let (Some(theirs), Some(asked)) = (theirs, asked) else {
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

    fn other_interface(&self, told: impl Fn(&str) -> Diagnosis, holder: &Holder) -> Diagnosis {
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

    fn nowhere(&self, told: impl Fn(&str) -> Diagnosis) -> Diagnosis {
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
            crate::explain::Value::List(names.collect())
        });
        let diagnosis = told(&why).with("elsewhere", elsewhere);
        if address.is_unicast_link_local() {
            return diagnosis.fix(
                self.subject
                    .command("ip -6 address show scope link")
                    .remark("the link-local addresses there are; they change with a MAC"),
            );
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
            let session = self.subject.session;
            let netns = session
                .namespace_name(*inode)
                .map_or_else(|| inode.to_string(), str::to_owned);
            format!("{name} in network namespace {netns}")
        };
        match &found.elsewhere[..] {
            [] => String::new(),
            [one] => format!("; {} has it", place(one)),
            [one, rest @ ..] => format!("; {} has it, and {} more", place(one), rest.len()),
        }
    }

    fn no_loopback(&self, told: impl Fn(&str) -> Diagnosis) -> Diagnosis {
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

/// Whether packets for an address with these flags are taken.
fn is_usable(flags: u32) -> bool {
    flags & ifa::TENTATIVE == 0 || flags & ifa::OPTIMISTIC != 0
}

/// The interface that has the address is the one that the diagnosis is about.
fn on(mut diagnosis: Diagnosis, holder: &Holder) -> Diagnosis {
    diagnosis.ifindex = Some(holder.ifindex);
    diagnosis.interface = Some(holder.interface.to_string());
    diagnosis
}
