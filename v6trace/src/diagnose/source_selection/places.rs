//! Where the addresses of a namespace are, and which of them could be chosen.

use std::net::Ipv4Addr;

use crate::{
    decode::{Event, SourceSelection, source_selection::L3mdev},
    record::addresses::{Addresses, Interface},
    session::Session,
};

/// `RT_SCOPE_UNIVERSE`, the scope of addresses that count behind a gateway.
const GLOBAL: u8 = 0;
/// `RT_SCOPE_LINK`
const LINK: u8 = 253;

/// Whose addresses were asked for a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    /// Those of a VRF.
    Vrf {
        /// Its name.
        name: String,
        /// The packet leaves through an interface outside it.
        left: bool,
    },
    /// Those of interfaces in no VRF.
    NoVrf,
    /// It cannot be told.
    Unknown,
}

/// What userspace found in the namespace, after the event.
pub(super) struct Places<'a>(Option<&'a Addresses>);

impl<'a> Places<'a> {
    pub(super) fn new(event: &Event, session: &'a Session) -> Self {
        let found = session.addresses(event.netns);
        // An older look belongs to an earlier event, and perhaps to another
        // namespace of the same number.
        Self(found.filter(|found| found.boot_ns >= event.boot_ns))
    }

    fn interface(&self, ifindex: u32) -> Option<&'a Interface> {
        let mut interfaces = self.0?.interfaces.iter();
        interfaces.find(|interface| interface.ifindex == ifindex)
    }

    pub(super) fn name(&self, ifindex: u32) -> Option<&'a str> {
        Some(&self.interface(ifindex)?.name)
    }

    /// The VRF that an interface is or belongs to.
    fn vrf_of(&self, ifindex: u32) -> Option<&'a Interface> {
        let interface = self.interface(ifindex)?;
        if interface.is_vrf {
            return Some(interface);
        }
        self.interface(interface.master?)
            .filter(|master| master.is_vrf)
    }

    /// Whether the namespace has any VRF.
    pub(super) fn has_vrfs(&self) -> bool {
        let mut interfaces = self.0.into_iter().flat_map(|found| &found.interfaces);
        interfaces.any(|interface| interface.is_vrf)
    }

    /// Whether the interface belongs to the domain.
    fn is_in(&self, ifindex: u32, domain: &Domain) -> bool {
        let vrf = self.vrf_of(ifindex);
        match domain {
            Domain::Vrf { name, .. } => vrf.is_some_and(|vrf| vrf.name == *name),
            Domain::NoVrf => vrf.is_none(),
            Domain::Unknown => true,
        }
    }

    /// The interface that has the address; one of the domain, if several have.
    pub(super) fn holder(&self, address: Ipv4Addr, domain: &Domain) -> Option<u32> {
        let holders = || {
            let addresses = self.0.into_iter().flat_map(|found| &found.addresses);
            addresses
                .filter(|found| found.address == address)
                .map(|found| found.ifindex)
        };
        holders()
            .find(|&ifindex| self.is_in(ifindex, domain))
            .or_else(|| holders().next())
    }

    /// Addresses that no lookup in the domain chooses: why, and what.
    pub(super) fn unusable(&self, domain: &Domain) -> Vec<(&'static str, String)> {
        let addresses = self.0.into_iter().flat_map(|found| &found.addresses);
        addresses
            .filter_map(|found| {
                let kind = if found.address.is_loopback() {
                    "loopback"
                } else if found.scope == LINK {
                    "scope-link"
                } else if found.scope != GLOBAL {
                    "scope"
                } else if !self.is_in(found.ifindex, domain) {
                    "other-vrf"
                } else {
                    return None;
                };
                let name = self.name(found.ifindex)?;
                Some((kind, format!("{} on {name}", found.address)))
            })
            .collect()
    }
}

impl Domain {
    /// The domain that was asked.
    pub(super) fn of(selection: &SourceSelection, places: &Places<'_>) -> Self {
        let egress = places.vrf_of(selection.ifindex);
        match selection.l3mdev {
            L3mdev::In(ifindex) => match places.name(ifindex) {
                Some(name) => Self::Vrf {
                    name: name.to_owned(),
                    left: egress.is_none_or(|vrf| vrf.ifindex != ifindex),
                },
                None => Self::Unknown,
            },
            L3mdev::None | L3mdev::Unknown => match egress {
                Some(vrf) => Self::Vrf {
                    name: vrf.name.clone(),
                    left: false,
                },
                None if places.0.is_some() => Self::NoVrf,
                None => Self::Unknown,
            },
        }
    }
}
