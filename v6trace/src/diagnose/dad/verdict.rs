//! Whose frame it was.
//!
//! In this order:
//! 1. A nonce that an interface of this host was seen to send tells which: the
//!    address's own, whose solicitation came back late, or another.
//! 2. An Ethernet source that is not the interface's own tells others' frames.
//! 3. With the interface's own MAC, a solicitation is somebody else's if it has
//!    a nonce that was never sent from here; where neither side uses nonces,
//!    and of advertisements, only the likelier is named.

use super::{
    milliseconds,
    others::{Other, Others},
};
use crate::{
    catalogue::Cause,
    decode::{
        DadFailure, Event,
        dad::{Mac, Message, Nonce, Sender},
    },
    session::Session,
};

/// An address that is used while it is tested (RFC 4429).
const IFA_F_OPTIMISTIC: u32 = 0x04;

/// The cause of a failure.
pub(super) struct Verdict {
    pub(super) cause: Cause,
    /// Whether the values decide it.
    pub(super) certain: bool,
    /// The reason, a clause.
    pub(super) why: String,
    /// The interface of this host that sent the frame.
    pub(super) other: Option<Other>,
}

impl Verdict {
    pub(super) fn of(event: &Event, failure: &DadFailure, session: &Session) -> Self {
        let case = Case {
            event,
            failure,
            others: Others::new(event, failure, session),
        };
        let frame = &failure.frame;
        if let Some(sender) = &failure.sender {
            return case.known_sender(sender);
        }
        match (failure.own_mac, frame.source_mac(), frame.message()) {
            (Some(own), Some(source), Some(message)) if own != source => {
                case.foreign(source, message)
            }
            (Some(own), Some(_), Some(Message::Advertisement)) => case.own_advertisement(own),
            (Some(own), Some(_), Some(Message::Solicitation)) => case.own_solicitation(own),
            _ => case.without_mac(),
        }
    }

    fn new(cause: Cause, certain: bool, why: String) -> Self {
        Self {
            cause,
            certain,
            why,
            other: None,
        }
    }

    fn by(mut self, other: Option<Other>) -> Self {
        self.other = other;
        self
    }
}

struct Case<'a> {
    event: &'a Event,
    failure: &'a DadFailure,
    others: Others<'a>,
}

impl Case<'_> {
    /// The frame's nonce was sent by an interface of this host.
    fn known_sender(&self, sender: &Sender) -> Verdict {
        let nonce = self.failure.frame.nonce().unwrap_or(Nonce::NONE);
        let Some(other) = self.others.sender() else {
            return came_late(nonce);
        };
        let ago = milliseconds(self.event.boot_ns.saturating_sub(sender.boot_ns));
        let mac = self.failure.frame.source_mac();
        let is_own_mac = mac.is_some() && mac == self.failure.own_mac;
        let router = mac
            .and_then(Mac::virtual_router)
            .map_or_else(String::new, |number| {
                format!(" of VRRP virtual router {number}")
            });
        let with = match mac {
            Some(mac) if is_own_mac => {
                format!(" with the same MAC {mac}{router} as {}", self.name())
            }
            Some(mac) => format!(" with the MAC {mac}{router}"),
            None => String::new(),
        };
        let (cause, who) = if other.netns.is_none() {
            let who = format!("{} of this same namespace", other.interface);
            (Cause::DadConflictSameHost, who)
        } else {
            let cause = if is_own_mac {
                Cause::DadConflictClonedMac
            } else {
                Cause::DadConflict
            };
            let place = self.others.place(&other);
            (cause, format!("another node of this host ({place})"))
        };
        let why = format!(
            "{who}, on the same segment{with}, is asking for it as well (NS): it sent the nonce \
             {nonce} {ago} before"
        );
        Verdict::new(cause, true, why).by(Some(other))
    }

    fn name(&self) -> &str {
        &self.failure.interface
    }

    /// The frame bears another MAC.
    fn foreign(&self, source: Mac, message: Message) -> Verdict {
        let says = match message {
            Message::Advertisement => "says that it has the address (NA)",
            Message::Solicitation => "is asking for it as well (NS)",
        };
        if !self.others.are_known_here() {
            return Verdict::new(
                Cause::DadConflict,
                false,
                format!(
                    "a node with the MAC {source} {says}. That it is none of this namespace's own \
                     interfaces is inferred: they could not be listed"
                ),
            );
        }
        if let Some(own) = self.others.sibling(source) {
            // What it asks with a nonce, it would have been seen to ask.
            let unseen = self.sees_nonces()
                && self
                    .failure
                    .frame
                    .nonce()
                    .is_some_and(|nonce| nonce != Nonce::NONE);
            let doubt = if !own.has_address() {
                ". By the MAC alone: that interface does not have the address now"
            } else if unseen {
                ". By the MAC alone: that interface was not seen to send this frame's nonce"
            } else {
                ""
            };
            let why = format!(
                "{} of this same namespace, with the MAC {source} on the same segment, {says}{doubt}",
                own.interface
            );
            return Verdict::new(Cause::DadConflictSameHost, doubt.is_empty(), why).by(Some(own));
        }
        let other = self.others.elsewhere(source);
        let remark = self.others.remark(other.as_ref());
        let router = source.virtual_router();
        let router = router.map(|number| format!(", the VRRP virtual router {number},"));
        Verdict::new(
            Cause::DadConflict,
            true,
            format!(
                "another node with the MAC {source}{remark}{} {says}",
                router.unwrap_or_default()
            ),
        )
        .by(other)
    }

    /// An advertisement with one's own MAC: a node does not advertise an
    /// address that it is still testing, unless that is optimistic.
    fn own_advertisement(&self, own: Mac) -> Verdict {
        if let Some(verdict) = self.shared_mac(own) {
            return verdict;
        }
        let other = self.others.elsewhere(own);
        let name = self.name();
        let at_hand = other.as_ref().is_some_and(Other::has_address);
        let flags = self.failure.flags.unwrap_or_default();
        if flags & IFA_F_OPTIMISTIC != 0 && !at_hand {
            return Verdict::new(
                Cause::DadLoopback,
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
            Cause::DadConflictClonedMac,
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
    fn own_solicitation(&self, own: Mac) -> Verdict {
        let name = self.name();
        let Some(nonce) = self.failure.frame.nonce() else {
            return self.shared_mac(own).unwrap_or_else(|| {
                Verdict::new(
                    Cause::DadLoopback,
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
        if !is_nobodys && let Some(verdict) = self.shared_mac(own) {
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
        if let Some(other) = self.others.elsewhere(own).filter(Other::has_address) {
            let why = format!(
                "a solicitation with {name}'s own MAC {own} and without a nonce asks for it, most \
                 likely from another node ({} of this host), which has the same MAC and the address",
                self.others.place(&other)
            );
            return Verdict::new(Cause::DadConflictClonedMac, false, why).by(Some(other));
        }
        if self.sends_nonces() {
            return Verdict::new(
                Cause::DadLoopback,
                false,
                format!(
                    "a solicitation without a nonce came from {name}'s own MAC {own}. This attempt \
                     has a nonce, an earlier one had none, so most likely that one was reflected \
                     and came late: a node with a cloned MAC would look alike"
                ),
            );
        }
        let after = self.failure.sent.as_ref().map(|sent| {
            let after = self.event.boot_ns.saturating_sub(sent.boot_ns);
            format!(", {} after it was sent", milliseconds(after))
        });
        Verdict::new(
            Cause::DadLoopback,
            false,
            format!(
                "{name} received its own solicitation, reflected by the segment{}, and did not \
                 know it: enhanced DAD was off when it began, so there was no nonce. Inferred from its own \
                 MAC {own} as the source: a node with a cloned MAC would look alike",
                after.unwrap_or_default()
            ),
        )
    }

    /// Whether this interface was seen to send the nonce.
    fn was_sent(&self, nonce: Nonce) -> bool {
        let sent = self.failure.sent.as_ref();
        sent.is_some_and(|sent| sent.nonces.contains(&nonce))
    }

    /// Whether this attempt's solicitations have a nonce.
    fn sends_nonces(&self) -> bool {
        let nonce = self.failure.dad_nonce;
        nonce.is_some_and(|nonce| nonce != Nonce::NONE)
    }

    /// Whether this attempt was seen to begin, so that what was sent meanwhile
    /// was seen as well.
    fn sees_nonces(&self) -> bool {
        self.failure
            .dad_nonce
            .is_some_and(|nonce| self.was_sent(nonce))
    }

    /// Somebody else with one's own MAC, by the nonce. Whether one has sent it
    /// is known for sure only where this attempt's solicitation was seen.
    fn cloned(&self, own: Mac, why: &str) -> Verdict {
        let seen = self.sees_nonces();
        let other = self.others.elsewhere(own);
        let clone = self.clone_of(own, other.as_ref());
        let why = if seen {
            format!("{why}: {clone}")
        } else {
            format!(
                "{why}, as far as v6trace saw, which did not see this attempt begin: most likely \
                 {clone}"
            )
        };
        Verdict::new(Cause::DadConflictClonedMac, seen, why).by(other)
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

    /// Another interface of this namespace with the same MAC and the address,
    /// as VLANs of one port can be.
    fn shared_mac(&self, own: Mac) -> Option<Verdict> {
        let other = self.others.sibling(own).filter(Other::has_address)?;
        let verdict = Verdict::new(
            Cause::DadConflictSameHost,
            false,
            format!(
                "a frame with the MAC {own} says so, most likely from {} of this same namespace, \
                 which has the same MAC and the address",
                other.interface
            ),
        );
        Some(verdict.by(Some(other)))
    }

    /// Without an Ethernet source only a nonce of one's own decides.
    fn without_mac(&self) -> Verdict {
        let frame = &self.failure.frame;
        let nonce = frame.nonce().filter(|&nonce| nonce != Nonce::NONE);
        if let Some(nonce) = nonce
            && frame.message() == Some(Message::Solicitation)
            && self.was_sent(nonce)
        {
            return came_late(nonce);
        }
        Verdict::new(
            Cause::DadUnexplained,
            false,
            "the frame that says so has no Ethernet source, or could not be read; whether it was \
             another node's or a reflection is not known"
                .to_owned(),
        )
    }
}

fn came_late(nonce: Nonce) -> Verdict {
    Verdict::new(
        Cause::DadLoopback,
        true,
        format!(
            "its own solicitation of an earlier attempt (nonce {nonce}) was reflected to it and \
             came late"
        ),
    )
}
