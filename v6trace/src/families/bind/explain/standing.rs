//! How it stands with an address that was refused.
//!
//! `ipv6_chk_addr` goes through all that have the address: in the same VRF as
//! the interface that was asked for, or in none; neither tentative, unless
//! optimistic, nor dadfailed; a link-local address or ::1 on that very
//! interface. So one that has it and can use it, and is not refused by its
//! interface, is in another VRF.

use super::{Story, bound::OPERATION as BIND, tested::why_tentative};
use crate::{
    explain::{Diagnosis, Fix},
    families::bind::{Cause, Holder, Whereabouts},
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
        let asked = whereabouts.domain_of(self.refused.ifindex)?;
        Some(whereabouts.domain_of(holder.ifindex)? != asked)
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

    /// Whether an interface that was not looked at, or is not listed, could make it
    /// stand otherwise. The one that was asked for is listed in any case.
    fn may_be_another(&self, standing: Standing<'a>) -> bool {
        let listed = self.refused.holders.len() as u64;
        let all_listed = u64::from(self.refused.holder_count) <= listed;
        match standing {
            Standing::Tentative(_) | Standing::Dadfailed(_) => false,
            Standing::OtherDomain(_) => !self.refused.all_looked_at || !all_listed,
            Standing::OtherInterface(_)
            | Standing::Anycast(_)
            | Standing::Nowhere
            | Standing::Unknown => !self.refused.all_looked_at,
        }
    }

    /// What to say of it, and what to do.
    pub(super) fn of_standing(
        &self,
        cause: Cause,
        operation: &'static str,
        standing: Standing<'a>,
    ) -> Diagnosis {
        let told = |why: &str| {
            let told = self.told(cause, operation, why);
            if self.may_be_another(standing) {
                told.likely()
            } else {
                told
            }
        };
        match standing {
            Standing::Tentative(holder) => {
                let why = self.with_domain(why_tentative(holder), holder);
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
