//! An address that was refused, and addresses that interfaces lost.

use std::net::Ipv6Addr;

use v6trace_common::families::address as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::{
        Decode,
        device::{Device, Interface},
    },
};

/// A request to add, change or delete an address that the kernel refused.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressRequest {
    /// The address; `None` where the request has none.
    pub address: Option<Ipv6Addr>,
    /// Bits of its prefix.
    pub prefix_len: u32,
    /// Its `IFA_F_*` flags, as asked for.
    pub flags: u32,
    /// Its lifetimes, where the request has any.
    pub lifetimes: Option<Lifetimes>,
    /// The index of the interface that was asked for.
    pub ifindex: u32,
    /// Why it was refused.
    pub errno: Errno,
    /// That interface.
    pub device: Device,
    /// The address as that interface has it already; `None` where it was not found.
    pub existing: Option<Existing>,
    /// `net.ipv6.conf.all.disable_ipv6` and that of `default`.
    pub host: Option<Host>,
    /// Who set the interface's `disable_ipv6`, where that was seen.
    pub writer: Option<Writer>,
    /// Such failures that were not reported since the last report.
    pub suppressed: u32,
}

/// How long an address lasts, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// For new connections.
    pub preferred: u32,
    /// At all.
    pub valid: u32,
}

/// The namespace's settings beside the interface's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// `net.ipv6.conf.all.disable_ipv6`
    pub all: i32,
    /// `net.ipv6.conf.default.disable_ipv6`
    pub default: i32,
}

/// An address that the interface has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Existing {
    /// Its `IFA_F_*` flags.
    pub flags: u32,
    /// Bits of its prefix.
    pub prefix_len: u32,
    /// Who made it (`IFAPROT_*`), 0 where nobody said; `None` where the kernel has no
    /// such value.
    pub made_by: Option<u32>,
}

/// Who set a `disable_ipv6`.
#[derive(Clone, Debug, PartialEq)]
pub struct Writer {
    /// When, nanoseconds since boot.
    pub boot_ns: u64,
    /// The task's process id.
    pub pid: u32,
    /// Its name.
    pub comm: Name,
    /// Whose it wrote.
    pub wrote: Option<Wrote>,
}

/// Whose `disable_ipv6` was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// `net.ipv6.conf.all.disable_ipv6`
    All,
    /// The interface's own.
    Interface,
    /// `net.ipv6.conf.default.disable_ipv6`
    Default,
}

impl Wrote {
    fn from_wire(value: u32) -> Option<Self> {
        match value {
            wire::WROTE_ALL => Some(Self::All),
            wire::WROTE_INTERFACE => Some(Self::Interface),
            wire::WROTE_DEFAULT => Some(Self::Default),
            _ => None,
        }
    }

    /// The part of the sysctl's name that tells it, of the interface `name`.
    pub fn of(self, name: &str) -> &str {
        match self {
            Self::All => "all",
            Self::Interface => name,
            Self::Default => "default",
        }
    }
}

/// Addresses and routes that interfaces lost together.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressesLost {
    /// What took them away.
    pub trigger: Trigger,
    /// The addresses, as far as the record had room for them.
    pub addresses: Vec<LostAddress>,
    /// How many there were in all.
    pub address_count: u32,
    /// How many of them had been set for good: the kernel makes them not again.
    pub set_count: u32,
    /// How many of them had a lifetime.
    pub learned_count: u32,
    /// Routes that somebody had set, as far as the record had room for them.
    pub routes: Vec<LostRoute>,
    /// How many there were in all.
    pub route_count: u32,
    /// How many interfaces lost something.
    pub interfaces: u32,
    /// The interface; the last one where there were several.
    pub interface: Name,
    /// The VRF that it entered or left, where that took them.
    pub vrf: Name,
    /// Its index.
    pub ifindex: u32,
    /// Such losses of the interface that were not reported since the last report.
    pub suppressed: u32,
}

/// What takes addresses away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A write of `disable_ipv6`.
    Disabled(Option<Wrote>),
    /// An MTU below 1280.
    Mtu {
        /// The MTU, bytes.
        mtu: u32,
        /// Whether the interface has no IPv6 at all any more.
        without_ipv6: bool,
    },
    /// The interface was set down.
    Down,
    /// The interface entered a VRF.
    VrfEntered,
    /// It left one.
    VrfLeft,
    /// A number that this version does not know.
    Unknown,
}

impl Trigger {
    /// Its name in `--events`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled(_) => "disable_ipv6",
            Self::Mtu { .. } => "mtu",
            Self::Down => "down",
            Self::VrfEntered => "vrf-entered",
            Self::VrfLeft => "vrf-left",
            Self::Unknown => "unknown",
        }
    }
}

/// An address that went.
#[derive(Clone, Debug, PartialEq)]
pub struct LostAddress {
    /// The address.
    pub address: Ipv6Addr,
    /// Bits of its prefix.
    pub prefix_len: u32,
    /// Its `IFA_F_*` flags.
    pub flags: u32,
    /// Who made it (`IFAPROT_*`), 0 where nobody said.
    pub made_by: u32,
    /// Its interface.
    pub interface: Name,
}

/// A route that went.
#[derive(Clone, Debug, PartialEq)]
pub struct LostRoute {
    /// Its destination.
    pub destination: Ipv6Addr,
    /// Bits of that.
    pub prefix_len: u32,
    /// Its gateway, if it has one.
    pub gateway: Option<Ipv6Addr>,
    /// Its interface, empty where that could not be read.
    pub interface: Name,
    /// Who set it (`RTPROT_*`).
    pub protocol: u32,
    /// Its table, where known.
    pub table: Option<u32>,
}

impl Decode for AddressRequest {
    type Wire = wire::AddressRequest;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.read & flag != 0;
        Self {
            address: has(wire::ADDRESS_READ).then(|| Ipv6Addr::from(wire.address)),
            prefix_len: wire.prefix_len,
            flags: wire.flags,
            lifetimes: has(wire::LIFETIMES_GIVEN).then_some(Lifetimes {
                preferred: wire.preferred,
                valid: wire.valid,
            }),
            ifindex: wire.ifindex,
            errno: Errno(wire.ret.saturating_neg()),
            device: device(wire),
            existing: has(wire::EXISTING_FOUND).then_some(Existing {
                flags: wire.existing_flags,
                prefix_len: wire.existing_prefix_len,
                made_by: has(wire::EXISTING_PROTO_READ).then_some(wire.existing_proto),
            }),
            host: has(wire::HOST_READ).then_some(Host {
                all: wire.all_disable_ipv6,
                default: wire.default_disable_ipv6,
            }),
            writer: has(wire::WRITER_KNOWN).then(|| Writer {
                boot_ns: wire.writer_boot_ns,
                pid: wire.writer_pid,
                comm: name(&wire.writer_comm),
                wrote: Wrote::from_wire(wire.wrote),
            }),
            suppressed: wire.suppressed,
        }
    }
}

fn device(wire: &wire::AddressRequest) -> Device {
    let has = |flag| wire.read & flag != 0;
    Device::of(has(wire::DEVICE_FOUND), has(wire::DEVICE_ABSENT), || {
        Interface {
            name: name(&wire.interface),
            flags: None,
            mtu: has(wire::MTU_READ).then_some(wire.mtu),
            has_ipv6: has(wire::INET6_READ).then_some(has(wire::DEVICE_HAS_INET6)),
            disable_ipv6: has(wire::DISABLE_IPV6_READ).then_some(wire.disable_ipv6),
        }
    })
}

impl Decode for AddressesLost {
    type Wire = wire::AddressesLost;

    fn from_wire(wire: &Self::Wire) -> Self {
        let known = |count| usize::try_from(count).unwrap_or(usize::MAX);
        let addresses = wire.addresses.iter().take(known(wire.address_count));
        let routes = wire.routes.iter().take(known(wire.route_count));
        Self {
            trigger: match wire.trigger {
                wire::DISABLED => Trigger::Disabled(Wrote::from_wire(wire.wrote)),
                wire::MTU | wire::MTU_OF_LOOPBACK => Trigger::Mtu {
                    mtu: wire.mtu,
                    without_ipv6: wire.trigger == wire::MTU,
                },
                wire::DOWN => Trigger::Down,
                wire::VRF_ENTERED => Trigger::VrfEntered,
                wire::VRF_LEFT => Trigger::VrfLeft,
                _ => Trigger::Unknown,
            },
            addresses: addresses.map(address).collect(),
            address_count: wire.address_count,
            set_count: wire.set_count,
            learned_count: wire.learned_count,
            routes: routes.map(route).collect(),
            route_count: wire.route_count,
            interfaces: wire.interfaces,
            interface: name(&wire.interface),
            vrf: name(&wire.vrf),
            ifindex: wire.ifindex,
            suppressed: wire.suppressed,
        }
    }
}

fn address(wire: &wire::LostAddress) -> LostAddress {
    LostAddress {
        address: Ipv6Addr::from(wire.address),
        prefix_len: wire.prefix_len,
        flags: wire.flags,
        made_by: wire.made_by,
        interface: name(&wire.interface),
    }
}

fn route(wire: &wire::LostRoute) -> LostRoute {
    let gateway = Ipv6Addr::from(wire.gateway);
    LostRoute {
        destination: Ipv6Addr::from(wire.destination),
        prefix_len: wire.prefix_len,
        gateway: (!gateway.is_unspecified()).then_some(gateway),
        interface: name(&wire.interface),
        protocol: wire.protocol,
        table: (wire.table != 0).then_some(wire.table),
    }
}

impl AddressesLost {
    /// Whether an interface may be among them: one that is not known may be any.
    pub fn concerns(&self, interface: &str) -> bool {
        let is_it = |name: &Name| name == interface;
        self.interfaces > 1 && !self.is_complete()
            || is_it(&self.interface)
            || self.addresses.iter().any(|lost| is_it(&lost.interface))
            || self.routes.iter().any(|lost| is_it(&lost.interface))
    }

    /// Whether nothing went but what the kernel makes itself.
    pub fn is_kernels_own(&self) -> bool {
        self.set_count | self.learned_count | self.route_count == 0
    }

    fn is_complete(&self) -> bool {
        self.address_count as usize == self.addresses.len()
            && self.route_count as usize == self.routes.len()
    }
}
