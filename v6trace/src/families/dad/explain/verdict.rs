//! Whose frame it was.
//!
//! In this order:
//! 1. A nonce that an interface of this host was seen to send tells which: the
//!    address's own, whose solicitation came back late, or another.
//! 2. An Ethernet source that is not the interface's own tells others' frames.
//! 3. What bears the interface's own MAC is weighed in [`own_mac`](super::own_mac).

use std::net::Ipv6Addr;

use super::{
    milliseconds,
    others::{Other, Others, Said, Stands},
};
use crate::{
    explain::Subject,
    families::dad::{Cause, DadFailure, Sender},
    frame::{Mac, Nonce},
};

/// The cause of a failure.
pub(super) struct Verdict {
    pub(super) cause: Cause,
    /// Whether the values decide it.
    pub(super) certain: bool,
    /// The reason, a clause.
    pub(super) why: String,
    /// The interface of this host that sent the frame.
    pub(super) other: Option<Other>,
    /// Another stable-privacy address that the same node was found to have.
    pub(super) earlier: Option<Ipv6Addr>,
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
        case.whose().beside(
            subject
                .session
                .duplicates()
                .by_same_node(subject.event.netns, failure),
        )
    }

    /// Weighs that the same node was found to have another address that was made
    /// from the interface's secret.
    fn beside(mut self, earlier: Option<Ipv6Addr>) -> Self {
        let Some(earlier) = earlier else {
            return self;
        };
        match self.cause {
            Cause::Conflict | Cause::ConflictSameHost => {
                self.cause = Cause::ConflictCopiedSecret;
                // Who merely answers for every address does not have it.
                self.certain &= self.other.as_ref().is_some_and(Other::has_address);
                self.earlier = Some(earlier);
            }
            // The MAC is the greater fault.
            Cause::ConflictClonedMac => self.earlier = Some(earlier),
            Cause::Loopback
            | Cause::LoopbackIgnored
            | Cause::ConflictAnycast
            | Cause::ConflictProxy
            | Cause::ConflictVirtualMac
            | Cause::ConflictCopiedSecret
            | Cause::Unexplained => {}
        }
        self
    }

    /// That the secret was copied, in sentences with a blank before them; nothing
    /// where that is not known.
    pub(super) fn copied_secret(&self, interface: &str) -> String {
        let Some(earlier) = self.earlier else {
            return String::new();
        };
        let doubt = if self.certain || self.cause != Cause::ConflictCopiedSecret {
            ""
        } else {
            " Inferred from that: a node that answers for every address would look alike."
        };
        format!(
            " Before, the same node was found to have {earlier}. {interface} made both from its \
             stable_secret (RFC 7217), so both nodes have the same secret, copied with an image \
             or a configuration.{doubt}"
        )
    }

    pub(super) fn new(cause: Cause, certain: bool, why: String) -> Self {
        Self {
            cause,
            certain,
            why,
            other: None,
            earlier: None,
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
    /// Whose frame it was.
    fn whose(&self) -> Verdict {
        let failure = self.failure;
        let frame = &failure.frame;
        if let Some(sender) = &failure.sender {
            return self.known_sender(sender);
        }
        match (failure.own_mac, frame.source_mac(), Said::by(frame)) {
            (Some(own), Some(source), Some(said)) if own != source => self.foreign(source, said),
            (Some(own), Some(_), Some(Said::Asks)) => self.own_solicitation(own),
            (Some(own), Some(_), Some(said @ (Said::Has | Said::Answers))) => {
                self.own_advertisement(own, said)
            }
            _ => self.without_mac(),
        }
    }

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
                self.clones()
            } else {
                Cause::Conflict
            };
            let place = self.others.place(&other);
            (cause, format!("another node of this host ({place})"))
        };
        let why = format!(
            "{who}, on the same segment{with}, is asking for it as well (NS): it sent the nonce \
             {nonce} {ago} before{}",
            if cause == Cause::ConflictVirtualMac {
                ". Each kernel makes the same link-local address from that MAC (EUI-64); no VRRP \
                 daemon has a part in that"
            } else {
                ""
            }
        );
        Verdict::new(cause, true, why).by(Some(other))
    }

    pub(super) fn name(&self) -> &str {
        &self.failure.interface
    }

    /// The frame bears another MAC.
    fn foreign(&self, source: Mac, said: Said) -> Verdict {
        let says = match said {
            Said::Has => "says that it has the address (NA)",
            Said::Answers => "answers for the address (NA), without overriding as its owner would",
            Said::Asks => "is asking for it as well (NS)",
        };
        if !self.others.are_known_here() {
            let verdict = Verdict::new(
                Cause::Conflict,
                false,
                format!(
                    "a node with the MAC {source} {says}. That it is none of this namespace's own \
                     interfaces is inferred: they could not be listed"
                ),
            );
            return self.standing(verdict, said);
        }
        let other = self.others.elsewhere(source, said);
        let is_elsewhere = other.as_ref().is_some_and(|other| other.can_say(said));
        let own = self.others.sibling(source, said);
        // Without the address it may still answer as a proxy of userspace, but
        // not for a virtual router whose backup it is.
        let may_be_own = |own: &Other| own.has_address() || source.virtual_router().is_none();
        let beside = match own {
            Some(own) if own.can_say(said) || (!is_elsewhere && may_be_own(&own)) => {
                return self.by_sibling(source, said, own, says);
            }
            Some(own) if !is_elsewhere => Some(own),
            _ => None,
        };
        let remark = self.others.remark(other.as_ref(), said);
        let router = source.virtual_router();
        let router = router.map(|number| format!(", the VRRP virtual router {number},"));
        let verdict = Verdict::new(
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
        );
        self.standing(verdict.by(other), said)
    }

    /// What it is that somebody says without overriding what others know: whoever
    /// has the address as its own would.
    fn standing(&self, mut verdict: Verdict, said: Said) -> Verdict {
        if said != Said::Answers {
            return verdict;
        }
        let known = verdict.other.as_ref().and_then(|other| other.stands(said));
        let owner = verdict
            .other
            .as_ref()
            .is_some_and(|other| other.can_say(said));
        let (cause, certain, because) = match known {
            Some(stands) => {
                let (cause, what) = match stands {
                    Stands::Anycast => (Cause::ConflictAnycast, "that interface has it as anycast"),
                    Stands::Proxy => (
                        Cause::ConflictProxy,
                        "that interface has a proxy entry for it (ip neigh show proxy)",
                    ),
                };
                let twice = verdict.other.as_ref().is_some_and(Other::stands_twice);
                let doubt = if twice {
                    "; it has a proxy entry for it as well"
                } else {
                    ""
                };
                (cause, verdict.certain && !twice, format!("{what}{doubt}"))
            }
            // It is at hand, and merely optimistic or no Linux.
            None if owner => return verdict,
            None if is_first_of_prefix(self.failure) => (
                Cause::ConflictAnycast,
                false,
                "most likely a forwarding router, which has the first address of the prefix as \
                 anycast"
                    .to_owned(),
            ),
            None => (
                Cause::ConflictProxy,
                false,
                "most likely a proxy answers (an NDP proxy of the kernel, or ndppd and the like); \
                 who has the address as anycast, or is optimistic, would answer alike"
                    .to_owned(),
            ),
        };
        verdict.cause = cause;
        verdict.certain = certain;
        verdict.why = format!("{}: {because}", verdict.why);
        verdict
    }

    /// The frame bears the MAC of another interface of this namespace.
    fn by_sibling(&self, source: Mac, said: Said, own: Other, says: &str) -> Verdict {
        // What it asks with a nonce, it would have been seen to ask.
        let nonce = self.failure.frame.nonce();
        let unseen = self.sees_nonces() && nonce.is_some_and(|nonce| nonce != Nonce::NONE);
        let stands = own.stands(said).is_some();
        let doubt = if stands {
            String::new()
        } else if !own.has_address() {
            format!(". By the MAC alone: that interface {}", own.lacks(said))
        } else if unseen {
            ". By the MAC alone: that interface was not seen to send this frame's nonce".to_owned()
        } else if !own.can_say(said) {
            match said {
                Said::Has | Said::Answers => {
                    ". By the MAC alone: that interface has the address, but not in force"
                }
                Said::Asks => {
                    ". By the MAC alone: that interface has the address and is no longer asking for \
                     it"
                }
            }
            .to_owned()
        } else if said == Said::Asks && own.has_failed() {
            ". By the MAC alone: that interface's own test of the address failed, now or before"
                .to_owned()
        } else {
            String::new()
        };
        let why = format!(
            "{} of this same namespace, with the MAC {source} on the same segment, {says}{doubt}",
            own.interface
        );
        let verdict = Verdict::new(Cause::ConflictSameHost, doubt.is_empty(), why).by(Some(own));
        if stands {
            self.standing(verdict, said)
        } else {
            verdict
        }
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
            && Said::by(frame) == Some(Said::Asks)
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

/// Whether the address is the subnet-router anycast address of its prefix,
/// where the kernel makes one.
pub(super) fn is_first_of_prefix(failure: &DadFailure) -> bool {
    let length = failure.prefix_len;
    length > 0 && length < 127 && u128::from(failure.address) << length == 0
}
