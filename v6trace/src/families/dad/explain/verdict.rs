//! Whose frame it was.
//!
//! In this order:
//! 1. A nonce that an interface of this host was seen to send tells which: the
//!    address's own, whose solicitation came back late, or another.
//! 2. An Ethernet source that is not the interface's own tells others' frames.
//! 3. What bears the interface's own MAC is weighed in [`own_mac`](super::own_mac).

use super::{
    milliseconds,
    others::{Other, Others},
};
use crate::{families::dad::{Cause, DadFailure, Sender}, frame::{Mac, Message, Nonce}, explain::{Subject}};

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
    /// Weighs what is known; `reflects`: the interface is plugged into a port
    /// of this host that is in hairpin mode.
    pub(super) fn of(failure: &DadFailure, subject: Subject<'_>, reflects: bool) -> Self {
        let case = Case {
            subject,
            failure,
            others: Others::new(failure, subject),
            reflects,
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

    pub(super) fn new(cause: Cause, certain: bool, why: String) -> Self {
        Self {
            cause,
            certain,
            why,
            other: None,
        }
    }

    pub(super) fn by(mut self, other: Option<Other>) -> Self {
        self.other = other;
        self
    }
}

/// A failure and what is known around it.
pub(super) struct Case<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) failure: &'a DadFailure,
    pub(super) others: Others<'a>,
    pub(super) reflects: bool,
}

impl Case<'_> {
    /// The frame's nonce was sent by an interface of this host.
    fn known_sender(&self, sender: &Sender) -> Verdict {
        let nonce = self.failure.frame.nonce().unwrap_or(Nonce::NONE);
        let Some(other) = self.others.sender() else {
            return came_late(nonce);
        };
        let ago = milliseconds(self.subject.event.boot_ns.saturating_sub(sender.boot_ns));
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
            (Cause::ConflictSameHost, who)
        } else {
            let cause = if is_own_mac {
                Cause::ConflictClonedMac
            } else {
                Cause::Conflict
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

    pub(super) fn name(&self) -> &str {
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
                Cause::Conflict,
                false,
                format!(
                    "a node with the MAC {source} {says}. That it is none of this namespace's own \
                     interfaces is inferred: they could not be listed"
                ),
            );
        }
        let other = self.others.elsewhere(source, message);
        let is_elsewhere = other.as_ref().is_some_and(|other| other.can_say(message));
        let own = self.others.sibling(source, message);
        // Without the address it may still answer for a router or as a proxy,
        // but not for a virtual router whose backup it is.
        let may_be_own = |own: &Other| own.has_address() || source.virtual_router().is_none();
        let beside = match own {
            Some(own) if own.can_say(message) || (!is_elsewhere && may_be_own(&own)) => {
                return self.by_sibling(source, message, own, says);
            }
            Some(own) if !is_elsewhere => Some(own),
            _ => None,
        };
        let remark = self.others.remark(other.as_ref());
        let router = source.virtual_router();
        let router = router.map(|number| format!(", the VRRP virtual router {number},"));
        Verdict::new(
            Cause::Conflict,
            beside.is_none(),
            format!(
                "another node with the MAC {source}{remark}{} {says}{}",
                router.unwrap_or_default(),
                beside.map_or_else(String::new, |own| format!(
                    ". Inferred, since {} of this namespace has that MAC but not the address",
                    own.interface
                ))
            ),
        )
        .by(other)
    }

    /// The frame bears the MAC of another interface of this namespace.
    fn by_sibling(&self, source: Mac, message: Message, own: Other, says: &str) -> Verdict {
        // What it asks with a nonce, it would have been seen to ask.
        let nonce = self.failure.frame.nonce();
        let unseen = self.sees_nonces() && nonce.is_some_and(|nonce| nonce != Nonce::NONE);
        let doubt = if !own.has_address() {
            ". By the MAC alone: that interface does not have the address now"
        } else if unseen {
            ". By the MAC alone: that interface was not seen to send this frame's nonce"
        } else if !own.can_say(message) {
            match message {
                Message::Advertisement => {
                    ". By the MAC alone: that interface has the address, but not in force"
                }
                Message::Solicitation => {
                    ". By the MAC alone: that interface has the address and is no longer asking for \
                     it"
                }
            }
        } else if message == Message::Solicitation && own.has_failed() {
            ". By the MAC alone: that interface's own test of the address failed, now or before"
        } else {
            ""
        };
        let why = format!(
            "{} of this same namespace, with the MAC {source} on the same segment, {says}{doubt}",
            own.interface
        );
        Verdict::new(Cause::ConflictSameHost, doubt.is_empty(), why).by(Some(own))
    }

    /// Whether this interface was seen to send the nonce.
    pub(super) fn was_sent(&self, nonce: Nonce) -> bool {
        let sent = self.failure.sent.as_ref();
        sent.is_some_and(|sent| sent.nonces.contains(&nonce))
    }

    /// Whether this attempt's solicitations have a nonce.
    pub(super) fn sends_nonces(&self) -> bool {
        let nonce = self.failure.dad_nonce;
        nonce.is_some_and(|nonce| nonce != Nonce::NONE)
    }

    /// Whether this attempt was seen to begin, so that what was sent meanwhile
    /// was seen as well.
    pub(super) fn sees_nonces(&self) -> bool {
        self.failure
            .dad_nonce
            .is_some_and(|nonce| self.was_sent(nonce))
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
            Cause::Unexplained,
            false,
            "the frame that says so has no Ethernet source, or could not be read; whether it was \
             another node's or a reflection is not known"
                .to_owned(),
        )
    }
}

pub(super) fn came_late(nonce: Nonce) -> Verdict {
    Verdict::new(
        Cause::Loopback,
        true,
        format!(
            "its own solicitation of an earlier attempt (nonce {nonce}) was reflected to it and \
             came late"
        ),
    )
}
