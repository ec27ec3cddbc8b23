//! An anycast address that an interface took or gave up, and a request for one
//! that was refused.

mod request;

use std::net::Ipv6Addr;

use v6trace_common::families::anycast as wire;

use crate::{
    event::{Name, name},
    families::Decode,
};

pub use request::{AnycastRequest, Requested};

/// A change of an interface's anycast addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct AnycastChange {
    /// The anycast address.
    pub address: Ipv6Addr,
    /// The interface.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// Whether it took the address, else it gave it up.
    pub joined: bool,
    /// What led to it.
    pub trigger: Trigger,
    /// The forwarding sysctl that was written, where one was and is known.
    pub written: Option<Written>,
    /// Prefix length of the interface's address from which this one follows,
    /// bits; `None` where none was found.
    pub prefix_len: Option<u32>,
    /// Whether the interface has this very address as an ordinary one that is
    /// in force, and so not tentative, nor a duplicate; `None`
    /// where it has more addresses than were looked at.
    pub own_address: Option<bool>,
    /// `net.ipv6.conf.IF.forwarding`
    pub forwarding: Option<i32>,
    /// `net.ipv6.conf.all.forwarding`
    pub all_forwarding: Option<i32>,
    /// `net.ipv6.conf.IF.accept_ra`
    pub accept_ra: Option<i32>,
    /// `net.ipv6.conf.IF.force_forwarding`, where the kernel has it.
    pub force_forwarding: Option<i32>,
}

/// What makes an interface take an anycast address, or give it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Its forwarding was turned on or off.
    ForwardingChange,
    /// One of its addresses became usable while it forwards.
    AddressUsable,
    /// A socket asked for it.
    Setsockopt,
    /// A number that this version does not know.
    Unknown,
}

impl Trigger {
    /// Its name in the evidence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForwardingChange => "forwarding-change",
            Self::AddressUsable => "address-usable",
            Self::Setsockopt => "setsockopt",
            Self::Unknown => "unknown",
        }
    }
}

/// A forwarding sysctl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// `net.ipv6.conf.all.forwarding`
    All,
    /// That of the interface with this name.
    Interface(Name),
}

impl Written {
    /// From the two members that records have for it.
    pub(crate) fn from_wire(written: u32, interface: &[u8]) -> Option<Self> {
        match written {
            wire::WRITTEN_ALL => Some(Self::All),
            wire::WRITTEN_INTERFACE => Some(Self::Interface(name(interface))),
            _ => None,
        }
    }

    /// The sysctl's name; with slashes for an interface, whose name may hold dots.
    pub(crate) fn sysctl(&self) -> String {
        match self {
            Self::All => "net.ipv6.conf.all.forwarding".to_owned(),
            Self::Interface(name) => format!("net/ipv6/conf/{name}/forwarding"),
        }
    }

    /// The part of the sysctl's name that tells it: `all`, or the interface.
    pub fn name(&self) -> &str {
        match self {
            Self::All => "all",
            Self::Interface(name) => name,
        }
    }
}

impl Decode for AnycastChange {
    type Wire = wire::AnycastChange;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.flags & flag != 0;
        Self {
            address: Ipv6Addr::from(wire.address),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            joined: wire.change == wire::JOINED,
            trigger: match wire.trigger {
                wire::FORWARDING_CHANGE => Trigger::ForwardingChange,
                wire::ADDRESS_USABLE => Trigger::AddressUsable,
                wire::SETSOCKOPT => Trigger::Setsockopt,
                _ => Trigger::Unknown,
            },
            written: Written::from_wire(wire.written, &wire.written_interface),
            prefix_len: has(wire::PREFIX_FOUND).then_some(wire.prefix_len),
            own_address: match (has(wire::OWN_ADDRESS), has(wire::ADDRESSES_COMPLETE)) {
                (true, _) => Some(true),
                (false, true) => Some(false),
                (false, false) => None,
            },
            forwarding: has(wire::FORWARDING_READ).then_some(wire.forwarding),
            all_forwarding: has(wire::ALL_FORWARDING_READ).then_some(wire.all_forwarding),
            accept_ra: has(wire::ACCEPT_RA_READ).then_some(wire.accept_ra),
            force_forwarding: has(wire::FORCE_FORWARDING_READ).then_some(wire.force_forwarding),
        }
    }
}
