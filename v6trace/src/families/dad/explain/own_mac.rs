//! Whose frame it was that bears the interface's own MAC.
//!
//! A solicitation is somebody else's if it has a nonce that was never sent from
//! here. Where neither side uses nonces, and of advertisements, only the
//! likelier is named: another interface that shares the MAC and has the address
//! in the state in which one says such a thing, a reflection, or a node with a
//! cloned MAC. VLANs mostly have the fe80 address of their port in common with
//! it, so that another interface has the address says little by itself.

use super::{
    milliseconds,
    others::{IFA_F_OPTIMISTIC, Other},
    verdict::{Case, Verdict, came_late},
};
use crate::{families::dad::{Cause}, frame::{Mac, Message, Nonce}};

impl Case<'_> {
    /// An advertisement with one's own MAC: a node does not advertise an
    /// address that it is still testing, unless that is optimistic.
    pub(super) fn own_advertisement(&self, own: Mac) -> Verdict {
        let said = Message::Advertisement;
        let other = self.others.elsewhere(own, said);
        let at_hand = other.as_ref().is_some_and(|other| other.can_say(said));
        if !at_hand && let Some(verdict) = self.shared_mac(own, said) {
            return verdict;
        }
        let name = self.name();
        let flags = self.failure.flags.unwrap_or_default();
        if flags & IFA_F_OPTIMISTIC != 0 && !at_hand {
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
            Cause::ConflictClonedMac,
            false,
            format!(
                "an advertisement (NA) with {name}'s own MAC {own} says so. Inferred from its being \
                 an advertisement, which a node does not send for an address under test: {}",
                self.clone_of(own, other.as_ref())
            ),
        )
        .by(other)
    }

    /// A solicitation with one's own MAC.
    pub(super) fn own_solicitation(&self, own: Mac) -> Verdict {
        let name = self.name();
        let Some(nonce) = self.failure.frame.nonce() else {
            let shared = self.shared_mac(own, Message::Solicitation);
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
            && let Some(verdict) = self.shared_mac(own, Message::Solicitation)
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
        let asked = Message::Solicitation;
        let other = self.others.elsewhere(own, asked);
        if let Some(other) = other.filter(|other| other.can_say(asked)) {
            let why = format!(
                "a solicitation with {name}'s own MAC {own} and without a nonce asks for it, most \
                 likely from another node ({} of this host), which has the same MAC and tests the \
                 address as well",
                self.others.place(&other)
            );
            return Verdict::new(Cause::ConflictClonedMac, false, why).by(Some(other));
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
        let other = self.others.elsewhere(own, Message::Solicitation);
        let clone = self.clone_of(own, other.as_ref());
        let why = if seen {
            format!("{why}: {clone}")
        } else {
            format!(
                "{why}, as far as v6trace saw, which did not see this attempt begin: most likely \
                 {clone}"
            )
        };
        Verdict::new(Cause::ConflictClonedMac, seen, why).by(other)
    }

    /// "another node has the same MAC"
    fn clone_of(&self, own: Mac, other: Option<&Other>) -> String {
        let remark = self.others.remark(other);
        match own.virtual_router() {
            Some(number) => format!(
                "another node is master of the VRRP virtual router {number} as well, whose MAC \
                 this is{remark}"
            ),
            None => format!("another node has the same MAC{remark}"),
        }
    }

    /// Another interface of this namespace with the same MAC that can have said
    /// so, as VLANs of one port can.
    fn shared_mac(&self, own: Mac, message: Message) -> Option<Verdict> {
        let other = self.others.sibling(own, message);
        let other = other.filter(|other| other.can_say(message))?;
        let does = match message {
            Message::Advertisement => "has the address",
            Message::Solicitation => {
                "tests the address as well, or has; its own frame, reflected, would look alike"
            }
        };
        let verdict = Verdict::new(
            Cause::ConflictSameHost,
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
