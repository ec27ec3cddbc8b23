//! A join that failed because of its interface.

use super::Story;
use crate::{
    explain::{Diagnosis, Fix, IPV6_MIN_MTU, advice, quoted},
    families::{
        device::Device,
        multicast_join::{Cause, Inet6State, Interface},
    },
};

impl Story<'_> {
    pub(super) fn no_such_device(&self) -> Diagnosis {
        let requested = self.join.requested_ifindex;
        let opening = self.opening();
        let (reason, summary, fix) = match &self.join.device {
            Device::Absent => (
                "no-such-ifindex",
                format!("{opening}: no interface of this network namespace has index {requested}."),
                self.subject
                    .command("ip link")
                    .remark("the indexes there are; a link that comes back usually has a new one"),
            ),
            Device::Found(Interface {
                name,
                inet6: Inet6State::Dead | Inet6State::Missing,
                ..
            }) => (
                "device-going",
                format!(
                    "{opening}: IPv6 is just being taken off {name}, which is removed or has got an \
                     MTU below {IPV6_MIN_MTU}."
                ),
                Fix::new("in the program: join again once the interface has IPv6"),
            ),
            Device::Unknown if requested == 0 => (
                "no-route",
                format!(
                    "{opening}: the request names no interface, and ENODEV then means that no \
                     route leads to the group."
                ),
                self.subject
                    .command(&format!("ip -6 route get {}", self.join.group))
                    .remark("fails likewise until a route that is of no VRF leads there"),
            ),
            _ => {
                return self.unexplained(
                    ": the interface was being removed or had just gone; when it was looked at, it \
                     was there (or could not be read)",
                );
            }
        };
        let mut diagnosis = self
            .start(Cause::NoSuchDevice, summary)
            .with("requested_ifindex", requested)
            .with("reason", reason)
            .with("group", self.join.group.to_string());
        diagnosis = self.socket_evidence(diagnosis).fix(fix);
        if reason == "no-route" {
            diagnosis = diagnosis
                .fix(Fix::new(
                    "in the program or its configuration: name the interface to join on",
                ))
                .likely();
        }
        diagnosis
    }

    pub(super) fn ipv6_disabled(&self, name: &str, mtu: Option<u32>) -> Diagnosis {
        let opening = self.opening();
        let too_small = mtu.filter(|&mtu| mtu < IPV6_MIN_MTU);
        let summary = if let Some(mtu) = too_small {
            format!(
                "{opening}: {name} has no IPv6, its MTU {mtu} is below the {IPV6_MIN_MTU} that \
                 IPv6 needs."
            )
        } else {
            let mtu = mtu.map_or_else(
                || "Its MTU could not be read".to_owned(),
                |mtu| format!("Its MTU {mtu} is large enough"),
            );
            format!(
                "{opening}: {name} has no IPv6 (its ip6_ptr is null). {mtu}, and disable_ipv6 \
                 would not do that; why it has none is not known."
            )
        };
        let mut diagnosis = self
            .start(Cause::Ipv6DisabledOnDevice, summary)
            .with("mtu", mtu)
            .with("ip6_ptr", 0)
            .with("group", self.join.group.to_string());
        diagnosis = self.socket_evidence(diagnosis);
        if too_small.is_some() {
            diagnosis
                .fix(self.subject.raise_mtu(name))
                .fix(advice::raise_lower_mtu())
        } else {
            diagnosis.fix(Fix::new(
                self.subject
                    .in_netns(&format!("ip -6 address show dev {}", quoted(name))),
            ))
        }
    }
}
