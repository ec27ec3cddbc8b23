//! Whose frame it was that bears the interface's own MAC.
//!
//! A solicitation is somebody else's if it has a nonce that was never sent from
//! here. Where neither side uses nonces, and of advertisements, only the
//! likelier is named: another interface that shares the MAC and has the address
//! in the state in which one says such a thing, a reflection, or a node with a
//! cloned MAC. VLANs mostly have the fe80 address of their port in common with
//! it, so that another interface has the address says little by itself.

use super::{
    cost::from_mac,
    milliseconds,
    others::{Other, Said, Stands},
    verdict::{Case, Verdict, came_late},
};
use crate::{
    families::dad::Cause,
    frame::{Mac, Nonce},
    ifa,
};

impl Case<'_> {
    /// An advertisement with one's own MAC: a node does not advertise an
    /// address that it is still testing, unless that is optimistic.
    pub(super) fn own_advertisement(&self, own: Mac, said: Said) -> Verdict {
        let other = self.others.elsewhere(own, said);
        let at_hand = other.as_ref().is_some_and(|other| other.can_say(said));
        if !at_hand && let Some(verdict) = self.shared_mac(own, said) {
            return verdict;
        }
        let name = self.name();
        let flags = self.failure.flags.unwrap_or_default();
        if flags & ifa::OPTIMISTIC != 0 && !at_hand {
            return Verdict::new(
                Cause::Loopback,
                false,
                format!(
                    "an advertisement (NA) with {name}'s own MAC {own} says so. The address is \
                     optimistic: the kernel uses and advertises it while it is tested, so most \
                     likely {name} received its own advertisement, reflected by the segment; a \
                     node with a cloned MAC would look alike"
                ),
            );
        }
        Verdict::new(
            self.clones(),
            false,
            format!(
                "an advertisement (NA) with {name}'s own MAC {own} says so. Inferred from its being \
                 an advertisement, which a node does not send for an address under test: {}",
                self.clone_of(own, other.as_ref(), said)
            ),
        )
        .by(other)
    }

    /// A solicitation with one's own MAC.
    pub(super) fn own_solicitation(&self, own: Mac) -> Verdict {
        let name = self.name();
        let Some(nonce) = self.failure.frame.nonce() else {
            let shared = self.shared_mac(own, Said::Asks);
            return shared.filter(|_| !self.reflects).unwrap_or_else(|| {
                Verdict::new(
                    Cause::Loopback,
                    false,
                    format!(
                        "a solicitation with {name}'s own MAC {own} asks for it, most likely its \
                         own that was reflected; whether it bore a nonce could not be read"
                    ),
                )
            });
        };
        if self.was_sent(nonce) && nonce != Nonce::NONE {
            return came_late(nonce);
        }
        // Every interface of this host that sends a nonce is seen to, once this
        // attempt was; before, another may have sent it unseen.
        let is_nobodys = nonce != Nonce::NONE && self.sees_nonces();
        // Where the port is known to reflect, what one sends comes back.
        let may_be_own = nonce == Nonce::NONE && (!self.sends_nonces() || self.was_sent(nonce));
        let came_back = self.reflects && may_be_own;
        if !is_nobodys
            && !came_back
            && let Some(verdict) = self.shared_mac(own, Said::Asks)
        {
            return verdict;
        }
        if nonce != Nonce::NONE {
            let why = format!(
                "a solicitation with {name}'s own MAC {own} but the nonce {nonce}, which {name} \
                 did not send, asks for it"
            );
            return self.cloned(own, &why);
        }
        if self.sends_nonces() && !self.was_sent(nonce) {
            let why = format!(
                "a solicitation with {name}'s own MAC {own} but without a nonce, which {name} \
                 sends, asks for it"
            );
            return self.cloned(own, &why);
        }
        self.without_nonce(own)
    }

    /// A solicitation with one's own MAC and no nonce, such as one sends or
    /// sent oneself.
    fn without_nonce(&self, own: Mac) -> Verdict {
        let name = self.name();
        let asked = Said::Asks;
        let other = self.others.elsewhere(own, asked);
        if let Some(other) = other.filter(|other| other.can_say(asked)) {
            let why = format!(
                "a solicitation with {name}'s own MAC {own} and without a nonce asks for it, most \
                 likely from another node ({} of this host), which has the same MAC and tests the \
                 address as well",
                self.others.place(&other)
            );
            return Verdict::new(self.clones(), false, why).by(Some(other));
        }
        if self.sends_nonces() {
            return Verdict::new(
                Cause::Loopback,
                false,
                format!(
                    "a solicitation without a nonce came from {name}'s own MAC {own}. This attempt \
                     has a nonce, an earlier one had none, so most likely that one was reflected \
                     and came late: a node with a cloned MAC would look alike"
                ),
            );
        }
        let after = self.failure.sent.as_ref().map(|sent| {
            let after = self.subject.event.boot_ns.saturating_sub(sent.boot_ns);
            format!(", {} after it was sent", milliseconds(after))
        });
        Verdict::new(
            Cause::Loopback,
            false,
            format!(
                "{name} received its own solicitation, reflected by the segment{}, and did not \
                 know it: enhanced DAD was off when it began, so there was no nonce. Inferred from its own \
                 MAC {own} as the source: a node with a cloned MAC would look alike",
                after.unwrap_or_default()
            ),
        )
    }

    /// Somebody else with one's own MAC, by the nonce. Whether one has sent it
    /// is known for sure only where this attempt's solicitation was seen.
    fn cloned(&self, own: Mac, why: &str) -> Verdict {
        let seen = self.sees_nonces();
        let other = self.others.elsewhere(own, Said::Asks);
        let clone = self.clone_of(own, other.as_ref(), Said::Asks);
        let why = if seen {
            format!("{why}: {clone}")
        } else {
            format!(
                "{why}, as far as v6trace saw, which did not see this attempt begin: most likely \
                 {clone}"
            )
        };
        Verdict::new(self.clones(), seen, why).by(other)
    }

    /// What it is when another node has the interface's own MAC: such a fault, or
    /// what comes of a MAC that is shared on purpose.
    pub(super) fn clones(&self) -> Cause {
        if self.is_from_virtual_mac() {
            Cause::ConflictVirtualMac
        } else {
            Cause::ConflictClonedMac
        }
    }

    /// Whether the address is what every kernel makes of the MAC of this virtual
    /// router.
    pub(super) fn is_from_virtual_mac(&self) -> bool {
        let own = self
            .failure
            .own_mac
            .filter(|mac| mac.virtual_router().is_some());
        own.is_some_and(|own| self.failure.address == from_mac(own))
    }

    /// "another node has the same MAC"
    fn clone_of(&self, own: Mac, other: Option<&Other>, said: Said) -> String {
        let remark = self.others.remark(other, said);
        match own.virtual_router() {
            Some(number) if self.is_from_virtual_mac() => format!(
                "another node{remark} has an interface with the same virtual MAC, of VRRP virtual \
                 router {number}, and each kernel makes the same link-local address from it \
                 (EUI-64). No VRRP daemon has a part in that"
            ),
            Some(number) => format!(
                "another node is master of the VRRP virtual router {number} as well, whose MAC \
                 this is{remark}"
            ),
            None => format!("another node has the same MAC{remark}"),
        }
    }

    /// Another interface of this namespace with the same MAC that can have said
    /// so, as VLANs of one port can.
    fn shared_mac(&self, own: Mac, said: Said) -> Option<Verdict> {
        let other = self.others.sibling(own, said);
        let other = other.filter(|other| other.can_say(said))?;
        let (cause, does) = match (other.stands(said), said) {
            (Some(Stands::Anycast), _) => (Cause::ConflictAnycast, "has the address as anycast"),
            (Some(Stands::Proxy), _) => (Cause::ConflictProxy, "has a proxy entry for the address"),
            (None, Said::Has | Said::Answers) => (Cause::ConflictSameHost, "has the address"),
            (None, Said::Asks) => (
                Cause::ConflictSameHost,
                "tests the address as well, or has; its own frame, reflected, would look alike",
            ),
        };
        let verdict = Verdict::new(
            cause,
            false,
            format!(
                "a frame with the MAC {own} says so, most likely from {} of this same namespace, \
                 which has the same MAC and {does}",
                other.interface
            ),
        );
        Some(verdict.by(Some(other)))
    }
}
