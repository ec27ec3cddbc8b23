//! Where the addresses of a namespace are, and which of them could be chosen.

use std::net::Ipv4Addr;

use super::unfit::Unfit;
use crate::{
    event::Event,
    families::source_selection::{Addresses, Interface, L3mdev, LinkState, SourceSelection},
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
    /// Those of a VRF that the packet leaves, or those around the interface
    /// that it leaves by: kernels differ, and nothing that was read decides.
    VrfOrBeyond {
        /// The VRF's name.
        name: String,
    },
    /// Those of interfaces in no VRF.
    NoVrf,
    /// It cannot be told.
    Unknown,
}

/// What userspace found in the namespace.
pub(super) struct Places<'a>(Option<&'a Addresses>);

impl<'a> Places<'a> {
    /// What it found after the event.
    pub(super) fn after(event: &Event, session: &'a Session) -> Self {
        let mut found = session.found::<Addresses>();
        let found = found.find(|found| found.netns == event.netns);
        // An older look belongs to an earlier event, and perhaps to another
        // namespace of the same number.
        Self(found.filter(|found| found.boot_ns >= event.boot_ns))
    }

    /// What was found together with a choice.
    pub(super) fn of(addresses: &'a Addresses) -> Self {
        Self(Some(addresses))
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

    /// Whether an interface is in a VRF whose table is another than this.
    pub(super) fn is_in_vrf_beside(&self, ifindex: u32, table: Option<u32>) -> bool {
        self.vrf_of(ifindex)
            .is_some_and(|vrf| vrf.vrf_table.is_some() && table.is_some() && vrf.vrf_table != table)
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
            Domain::VrfOrBeyond { .. } | Domain::Unknown => true,
        }
    }

    /// The interface that has the address; one of the domain, if several have.
    pub(super) fn holder(&self, address: Ipv4Addr, domain: &Domain) -> Option<u32> {
        let holders = self.holders(address);
        let in_domain = holders.iter().find(|&&ifindex| self.is_in(ifindex, domain));
        in_domain.or(holders.first()).copied()
    }

    /// All interfaces that have the address.
    fn holders(&self, address: Ipv4Addr) -> Vec<u32> {
        let addresses = self.0.into_iter().flat_map(|found| &found.addresses);
        addresses
            .filter(|found| found.address == address)
            .map(|found| found.ifindex)
            .collect()
    }

    /// Why an address that was chosen does not do for packets to `destination`:
    /// by itself, or since no interface works that has it.
    pub(super) fn unfit(&self, address: Ipv4Addr, destination: Ipv4Addr) -> Option<Unfit> {
        let by_state = || {
            let states: Option<Vec<_>> = self
                .holders(address)
                .into_iter()
                .map(|ifindex| Unfit::interface(self.interface(ifindex)?.state?))
                .collect();
            states?.first().copied()
        };
        Unfit::address(address, destination).or_else(by_state)
    }

    /// Whether the interface with this name is down.
    pub(super) fn is_down(&self, name: &str) -> bool {
        let mut interfaces = self.0.into_iter().flat_map(|found| &found.interfaces);
        interfaces
            .any(|interface| interface.name == name && interface.state == Some(LinkState::Down))
    }

    /// An address of the domain that does for packets to `destination`: the
    /// first that is public, else the only one that is private.
    pub(super) fn proper(&self, destination: Ipv4Addr, domain: &Domain) -> Option<Ipv4Addr> {
        let addresses = self.0.into_iter().flat_map(|found| &found.addresses);
        let fit = addresses.filter(|found| {
            let interface = self.interface(found.ifindex);
            found.scope == GLOBAL
                && !found.address.is_loopback()
                && self.is_in(found.ifindex, domain)
                && Unfit::address(found.address, destination).is_none()
                && interface.is_some_and(|interface| interface.state == Some(LinkState::Up))
        });
        let (private, public): (Vec<_>, Vec<_>) = fit
            .map(|found| found.address)
            .partition(Ipv4Addr::is_private);
        match (&public[..], &private[..]) {
            ([first, ..], _) | ([], [first]) => Some(*first),
            ([], _) => None,
        }
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
        let around_egress = match egress {
            Some(vrf) => Self::Vrf {
                name: vrf.name.clone(),
                left: false,
            },
            None if places.0.is_some() => Self::NoVrf,
            None => Self::Unknown,
        };
        match selection.l3mdev {
            L3mdev::In(vrf) if egress.is_none_or(|egress| egress.ifindex != vrf) => {
                Self::of_one_that_leaves(selection, vrf, places, around_egress)
            }
            _ => around_egress,
        }
    }

    /// That of a packet whose VRF has the index `vrf`. Since Linux 6.11, and in
    /// stable kernels that took that over, the VRF is asked; before, it is as
    /// for any other packet. The outcome tells which of the two it was.
    fn of_one_that_leaves(
        selection: &SourceSelection,
        vrf: u32,
        places: &Places<'_>,
        around_egress: Self,
    ) -> Self {
        let Some(name) = places.name(vrf).map(str::to_owned) else {
            return Self::Unknown;
        };
        let asked = Self::Vrf {
            name: name.clone(),
            left: true,
        };
        // It would have been the source.
        let src_ignored = selection.route.prefsrc.is_some() && !selection.has_prefsrc();
        let holders = selection
            .source
            .map_or_else(Vec::new, |source| places.holders(source));
        let inside = holders
            .iter()
            .filter(|&&ifindex| places.is_in(ifindex, &asked));
        match (inside.count(), holders.len()) {
            _ if src_ignored => asked,
            (0, 1..) => around_egress,
            (inside @ 1.., all) if inside == all => asked,
            _ => Self::VrfOrBeyond { name },
        }
    }
}
