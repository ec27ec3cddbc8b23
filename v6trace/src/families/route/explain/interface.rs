//! Interfaces that no route can leave by, and nexthop objects.

use super::Story;
use crate::{
    explain::{Diagnosis, Fix, IPV6_MIN_MTU, Value, advice, quoted},
    families::{
        device::{Device, Interface},
        route::{Cause, Request},
    },
};

/// `IFF_UP`
const UP: u32 = 1;

impl Story<'_> {
    /// What gives ENODEV.
    pub(super) fn without_device(&self) -> Cause {
        match &self.refused.device {
            Device::Absent => Cause::NoSuchDevice,
            Device::Found(Interface {
                has_ipv6: Some(false),
                mtu: Some(mtu),
                ..
            }) if *mtu < IPV6_MIN_MTU => Cause::Ipv6OffMtu,
            Device::Unknown if self.absent_index().is_some() || self.names_nothing() => {
                Cause::NoSuchDevice
            }
            Device::Found(_) | Device::Unknown => Cause::Unexplained,
        }
    }

    /// The index that a next hop names and no interface has.
    fn absent_index(&self) -> Option<u32> {
        if self.refused.device.is_absent() {
            return self.refused.ifindex;
        }
        // A single one was looked for in the kernel.
        let request = self.request.filter(|it| it.only_hop().is_none())?;
        let paths = self.paths?;
        let mut named = request.hops.iter().filter_map(|hop| hop.ifindex);
        named.find(|&ifindex| paths.name(ifindex).is_none())
    }

    /// Whether the request names neither an interface nor a gateway that leads to one.
    fn names_nothing(&self) -> bool {
        let hop = self.request.and_then(Request::only_hop);
        hop.is_some_and(|hop| hop.ifindex.is_none() && hop.gateway.is_none())
    }

    pub(super) fn no_such_device(&self) -> Diagnosis {
        let index = self.absent_index();
        let why = match index {
            Some(index) => format!("no interface of this network namespace has index {index}"),
            None => "it names neither an interface nor a gateway".to_owned(),
        };
        let diagnosis = self
            .told(Cause::NoSuchDevice, &why)
            .with("requested_ifindex", index);
        // One of several is looked for a moment later.
        let diagnosis = if index.is_some() && !self.refused.device.is_absent() {
            diagnosis.likely()
        } else {
            diagnosis
        };
        if index.is_some() {
            diagnosis.fix(
                self.subject
                    .command("ip link")
                    .remark("the indexes there are; a link that comes back usually has a new one"),
            )
        } else {
            diagnosis
        }
    }

    pub(super) fn off_mtu(&self) -> Diagnosis {
        let interface = self.interface().unwrap_or("the interface");
        let mtu = self.refused.device.found().and_then(|found| found.mtu);
        let diagnosis = self
            .told(
                Cause::Ipv6OffMtu,
                &format!(
                    "{interface} has no IPv6, its MTU {} is below the {IPV6_MIN_MTU} that IPv6 needs",
                    mtu.unwrap_or_default()
                ),
            )
            .with("mtu", mtu)
            .with("ip6_ptr", 0)
            .fix(self.subject.raise_mtu(interface));
        self.once_more_with_prefix(diagnosis)
            .fix(advice::raise_lower_mtu())
    }

    /// Whether `disable_ipv6` was read as set, or the kernel says that it is.
    pub(super) fn is_disabled(&self) -> bool {
        let said = self.refused.said.as_deref();
        self.disable_ipv6().is_some_and(|value| value != 0)
            || said.is_some_and(|said| said.starts_with("IPv6 is disabled"))
    }

    pub(super) fn disable_ipv6(&self) -> Option<i32> {
        self.refused.device.found()?.disable_ipv6
    }

    /// The flags of the interface that the request names.
    pub(super) fn flags(&self) -> Option<u32> {
        self.refused.device.found()?.flags
    }

    /// What keeps the interface that the request names from having any routes, each with
    /// what mends it.
    pub(super) fn off(&self) -> Vec<(String, Fix)> {
        let mut off = Vec::new();
        let Some(name) = self.interface() else {
            return off;
        };
        if self.flags().is_some_and(|flags| flags & UP == 0) {
            off.push((format!("{name} is not up"), self.set_up(name)));
        }
        if let Some(value) = self.disable_ipv6().filter(|&value| value != 0) {
            let why = format!("IPv6 is switched off on {name} (disable_ipv6 is {value})");
            off.push((why, self.enable(name)));
        }
        off
    }

    fn set_up(&self, interface: &str) -> Fix {
        let set = format!("ip link set dev {} up", quoted(interface));
        self.subject.command(&set)
    }

    fn enable(&self, interface: &str) -> Fix {
        self.subject
            .set(interface, "disable_ipv6", 0)
            .remark("brings fe80 back, and what routers advertise")
    }

    pub(super) fn disabled(&self) -> Diagnosis {
        let interface = self.interface();
        let diagnosis = self
            .told(
                Cause::Ipv6Disabled,
                &format!(
                    "IPv6 is switched off on {} (disable_ipv6 is {})",
                    interface.unwrap_or("the interface that it would leave by"),
                    self.disable_ipv6()
                        .map_or_else(|| "not 0".to_owned(), |value| value.to_string())
                ),
            )
            .with("disable_ipv6", self.disable_ipv6());
        match interface {
            Some(interface) => self.once_more_with_prefix(diagnosis.fix(self.enable(interface))),
            None => diagnosis,
        }
    }

    pub(super) fn down(&self) -> Diagnosis {
        let flags = self.flags();
        let interface = self.interface().or_else(|| {
            let mut found = self.paths?.interfaces.iter();
            let down = found.find(|interface| !interface.is_up)?;
            Some(down.name.as_str())
        });
        let why = match interface {
            Some(name) if flags.is_some_and(|flags| flags & UP != 0) => {
                format!("{name} was not up when the kernel looked; it is now")
            }
            Some(name) => format!("{name} is not up: nobody set it up, or it was set down"),
            None => "the interface that it would leave by is not up".to_owned(),
        };
        let diagnosis = self.told(Cause::InterfaceDown, &why).with("flags", flags);
        match interface {
            Some(name) => self.once_more(diagnosis.fix(self.set_up(name))),
            None => diagnosis,
        }
    }

    pub(super) fn ipv6_off(&self) -> Diagnosis {
        self.told(
            Cause::Ipv6Off,
            "its gateway is of IPv6, and this host has none: it is switched off at boot \
             (ipv6.disable=1), or its module is not loaded",
        )
        .fix(Fix::new(
            "remove ipv6.disable=1 from the kernel's command line, and boot",
        ))
    }

    pub(super) fn nexthop_object(&self) -> Diagnosis {
        let id = self.request.and_then(|request| request.nexthop_id);
        let said = self.refused.said.as_deref().unwrap_or_default();
        let named = id.map_or_else(
            || "its nexthop object".to_owned(),
            |id| format!("nexthop {id}"),
        );
        let is_ipv4 = said.contains("IPv4 nexthop");
        let why = if is_ipv4 {
            format!(
                "{named} is of IPv4, or a group with one that is; a blackhole is, too, unless it \
                 was made by ip -6"
            )
        } else if said.contains("fdb") {
            format!("{named} is for the forwarding table of a bridge or VXLAN (fdb)")
        } else {
            format!(
                "there is no {named}: it was not made, or went with its interface, which takes it \
                 when it is set down"
            )
        };
        let diagnosis = self
            .told(Cause::NexthopObject, &why)
            .with("nh_id", id.map_or(Value::Unknown, Value::from));
        diagnosis.fix(
            self.subject
                .command("ip nexthop")
                .remark("the nexthop objects there are"),
        )
    }
}
