//! A socket's lookup that found no way out, or a doubtful one.

use std::net::Ipv6Addr;

use v6trace_common::families::outgoing as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::{
        Decode,
        device::{Device, Interface},
    },
};

/// `IPPROTO_TCP`, `IPPROTO_UDP` and `IPPROTO_UDPLITE`, whose packets have ports.
const TCP: u32 = 6;
const UDP: u32 = 17;
const UDPLITE: u32 = 136;
/// `SOCK_DGRAM`
const DATAGRAM: u32 = 2;

/// A lookup of a way out on behalf of a process's socket.
#[derive(Clone, Debug, PartialEq)]
pub struct OutgoingLookup {
    /// Where to.
    pub destination: Ipv6Addr,
    /// The port there, of what has ports.
    pub port: Option<u32>,
    /// The source so far.
    pub source: Option<Ipv6Addr>,
    /// What the process does.
    pub operation: Operation,
    /// `SOCK_*`
    pub socket_type: u32,
    /// The IP protocol.
    pub protocol: u32,
    /// The packet's mark.
    pub mark: u32,
    /// The interface that was asked for, if one was.
    pub asked: Option<Asked>,
    /// Index of the VRF in which was looked; `None` for none, or where this
    /// kernel's lookups do not say.
    pub l3mdev: Option<u32>,
    /// Whether the namespace has rules of its own.
    pub custom_rules: Option<bool>,
    /// `net.ipv6.conf.all.disable_ipv6`
    pub all_disable_ipv6: Option<i32>,
    /// How it ended.
    pub outcome: Outcome,
    /// Such lookups that were not reported since the last report.
    pub suppressed: u64,
}

/// What a process does with its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `connect()`
    Connect,
    /// Sending.
    Send,
}

/// An interface that a socket is bound to, or that an address's scope names.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Its index.
    pub ifindex: u32,
    /// The interface.
    pub device: Device,
}

/// How a lookup ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With an error.
    Failed {
        /// Which.
        errno: Errno,
        /// What gave it.
        by: Rejected,
    },
    /// With a way out.
    Leaves {
        /// Index of the interface.
        ifindex: u32,
        /// Its name.
        interface: Name,
        /// The next hop, where it is a router.
        gateway: Option<Ipv6Addr>,
    },
}

/// What gave an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejected {
    /// No route was found.
    NoRoute,
    /// A rule.
    Rule,
    /// A route.
    Route(Route),
    /// Something else, or that could not be read.
    Unknown,
}

/// A route that rejects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its destination.
    pub prefix: Ipv6Addr,
    /// Bits of that.
    pub prefix_len: u32,
    /// `RTN_*`
    pub kind: u32,
    /// Who made it: `RTPROT_*`.
    pub protocol: u32,
    /// Its table, where known.
    pub table: Option<u32>,
    /// Its metric.
    pub metric: u32,
}

/// A `connect()` that was refused since its address needs an interface, and none is
/// named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeMissing {
    /// Where to.
    pub destination: Ipv6Addr,
    /// The port there, of what has ports.
    pub port: Option<u32>,
    /// `SOCK_*`
    pub socket_type: u32,
    /// The IP protocol.
    pub protocol: u32,
    /// Why it failed.
    pub errno: Errno,
    /// Such calls that were not reported since the last report.
    pub suppressed: u64,
}

impl Decode for ScopeMissing {
    type Wire = wire::ScopeMissing;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            destination: wire.destination.into(),
            port: has_ports(wire.protocol).then_some(wire.port),
            socket_type: wire.socket_type,
            protocol: wire.protocol,
            errno: Errno(wire.ret.saturating_neg()),
            suppressed: wire.suppressed,
        }
    }
}

impl ScopeMissing {
    /// Whether it connects a datagram socket, which sends nothing.
    pub fn sends_nothing(&self) -> bool {
        self.socket_type == DATAGRAM
    }
}

fn has_ports(protocol: u32) -> bool {
    matches!(protocol, TCP | UDP | UDPLITE)
}

impl Decode for OutgoingLookup {
    type Wire = wire::OutgoingLookup;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.found & flag != 0;
        let address = |bytes| Some(Ipv6Addr::from(bytes)).filter(|one| !one.is_unspecified());
        Self {
            destination: wire.destination.into(),
            port: has_ports(wire.protocol).then_some(wire.port),
            source: address(wire.source),
            operation: match wire.operation {
                wire::CONNECT => Operation::Connect,
                _ => Operation::Send,
            },
            socket_type: wire.socket_type,
            protocol: wire.protocol,
            mark: wire.mark,
            asked: (wire.asked != 0).then(|| Asked {
                ifindex: wire.asked,
                device: device(wire),
            }),
            l3mdev: Some(wire.l3mdev).filter(|&vrf| has(wire::VRF_READ) && vrf != 0),
            custom_rules: has(wire::CUSTOM_RULES_READ).then_some(has(wire::CUSTOM_RULES)),
            all_disable_ipv6: has(wire::ALL_DISABLE_READ).then_some(wire.all_disable_ipv6),
            outcome: match Errno::of_result(wire.ret) {
                Some(errno) => Outcome::Failed {
                    errno,
                    by: rejected(wire),
                },
                None => Outcome::Leaves {
                    ifindex: wire.ifindex,
                    interface: name(&wire.interface),
                    gateway: address(wire.gateway),
                },
            },
            suppressed: wire.suppressed,
        }
    }
}

fn device(wire: &wire::OutgoingLookup) -> Device {
    let has = |flag| wire.found & flag != 0;
    Device::of(has(wire::ASKED_FOUND), has(wire::ASKED_ABSENT), || {
        Interface {
            name: name(&wire.interface),
            flags: None,
            mtu: has(wire::ASKED_MTU_READ).then_some(wire.mtu),
            has_ipv6: has(wire::ASKED_INET6_READ).then_some(has(wire::ASKED_HAS_INET6)),
            disable_ipv6: has(wire::ASKED_DISABLE_READ).then_some(wire.disable_ipv6),
        }
    })
}

fn rejected(wire: &wire::OutgoingLookup) -> Rejected {
    let has = |flag| wire.found & flag != 0;
    if has(wire::NO_ROUTE) {
        Rejected::NoRoute
    } else if has(wire::RULE_REJECTS) {
        Rejected::Rule
    } else if has(wire::ROUTE_FOUND) {
        Rejected::Route(Route {
            prefix: wire.prefix.into(),
            prefix_len: wire.prefix_len,
            kind: wire.route_type,
            protocol: wire.route_protocol,
            table: (wire.table != 0).then_some(wire.table),
            metric: wire.metric,
        })
    } else {
        Rejected::Unknown
    }
}

impl OutgoingLookup {
    /// Whether it connects a datagram socket, which sends nothing: so programs
    /// compare sources (RFC 6724).
    pub fn sends_nothing(&self) -> bool {
        self.socket_type == DATAGRAM && self.operation == Operation::Connect
    }

    /// The interface concerned: that which was asked for, or which it leaves by.
    pub fn device(&self) -> Option<(u32, Option<&str>)> {
        match (&self.outcome, &self.asked) {
            (
                Outcome::Leaves {
                    ifindex, interface, ..
                },
                _,
            ) => Some((*ifindex, Some(interface.as_str()))),
            (Outcome::Failed { .. }, Some(asked)) => Some((asked.ifindex, asked.device.name())),
            (Outcome::Failed { .. }, None) => None,
        }
    }
}
