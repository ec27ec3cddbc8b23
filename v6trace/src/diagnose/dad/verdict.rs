//! Whose frame it was.
//!
//! The Ethernet source tells others' frames from one's own. Among the latter,
//! a solicitation is a reflection if its nonce is one that was sent from here,
//! and somebody else's with the same MAC if not; where neither side uses
//! nonces, only the likelier of the two is named.

use super::milliseconds;
use crate::{
    catalogue::Cause,
    decode::{
        DadFailure, Event,
        dad::{Mac, Message, Nonce},
    },
    record::surroundings::{Interface, Surroundings},
    session::Session,
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
}

/// Another interface of this host.
pub(super) struct Other {
    pub(super) interface: String,
    /// Its namespace, where it is another.
    pub(super) netns: Option<u32>,
}

impl Verdict {
    pub(super) fn of(event: &Event, failure: &DadFailure, session: &Session) -> Self {
        let case = Case {
            event,
            failure,
            session,
            around: session.surroundings(event.netns),
        };
        let frame = &failure.frame;
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
    session: &'a Session,
    around: Option<&'a Surroundings>,
}

impl Case<'_> {
    /// The frame bears another MAC.
    fn foreign(&self, source: Mac, message: Message) -> Verdict {
        let says = match message {
            Message::Advertisement => "says that it has the address (NA)",
            Message::Solicitation => "is asking for it as well (NS)",
        };
        let Some(here) = self.around.and_then(|around| around.here.as_ref()) else {
            return Verdict::new(
                Cause::DadConflict,
                false,
                format!(
                    "a node with the MAC {source} {says}. That it is none of this namespace's own \
                     interfaces is inferred: they could not be listed"
                ),
            );
        };
        if let Some(own) = self.sibling(here, source) {
            let doubt = if own.has_address {
                ""
            } else {
                ". By the MAC alone: that interface does not have the address now"
            };
            let verdict = Verdict::new(
                Cause::DadConflictSameHost,
                own.has_address,
                format!(
                    "{} of this same namespace, with the MAC {source} on the same segment, \
                     {says}{doubt}",
                    own.name
                ),
            );
            return verdict.by(Some(Other {
                interface: own.name.clone(),
                netns: None,
            }));
        }
        let other = self.elsewhere(source);
        let host = other.as_ref().map(|other| self.place(other));
        Verdict::new(
            Cause::DadConflict,
            true,
            format!(
                "another node with the MAC {source}{} {says}",
                host.unwrap_or_default()
            ),
        )
        .by(other)
    }

    /// An advertisement with one's own MAC: a node does not advertise an
    /// address that it is still testing.
    fn own_advertisement(&self, own: Mac) -> Verdict {
        if let Some(verdict) = self.shared_mac(own) {
            return verdict;
        }
        let other = self.elsewhere(own);
        let host = other.as_ref().map(|other| self.place(other));
        Verdict::new(
            Cause::DadConflictClonedMac,
            false,
            format!(
                "an advertisement (NA) with {}'s own MAC {own} says so. Inferred from its being \
                 an advertisement, which a node does not send for an address under test: another \
                 node{} has the same MAC",
                self.failure.interface,
                host.unwrap_or_default()
            ),
        )
        .by(other)
    }

    /// A solicitation with one's own MAC.
    fn own_solicitation(&self, own: Mac) -> Verdict {
        let name = &self.failure.interface;
        let Some(nonce) = self.failure.frame.nonce() else {
            return Verdict::new(
                Cause::DadLoopback,
                false,
                format!(
                    "a solicitation with {name}'s own MAC {own} asks for it, most likely its own \
                     that was reflected; whether it bore a nonce could not be read"
                ),
            );
        };
        let sent = self.failure.sent.as_ref();
        let was_sent = sent.is_some_and(|sent| sent.nonces.contains(&nonce));
        if nonce != Nonce::NONE {
            if was_sent {
                return Verdict::new(
                    Cause::DadLoopback,
                    true,
                    format!(
                        "its own solicitation of an earlier attempt (nonce {nonce}) was reflected \
                         to it and came late"
                    ),
                );
            }
            let why = format!(
                "a solicitation with {name}'s own MAC {own} but the nonce {nonce}, which {name} \
                 did not send, asks for it"
            );
            return self.cloned(own, &why);
        }
        let dad_nonce = self.failure.dad_nonce;
        if dad_nonce.is_some_and(|own| own != Nonce::NONE) && !was_sent {
            let why = format!(
                "a solicitation with {name}'s own MAC {own} but without a nonce, which {name} \
                 sends, asks for it"
            );
            return self.cloned(own, &why);
        }
        if let Some(verdict) = self.shared_mac(own) {
            return verdict;
        }
        if let Some(other) = self.elsewhere(own).filter(|_| self.clone_has_address(own)) {
            let why = format!(
                "a solicitation with {name}'s own MAC {own} and without a nonce asks for it, most \
                 likely from another node{}, which has the same MAC and the address",
                self.place(&other)
            );
            return Verdict::new(Cause::DadConflictClonedMac, false, why).by(Some(other));
        }
        if dad_nonce.is_some_and(|own| own != Nonce::NONE) {
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
        let after = sent.map(|sent| {
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

    /// Somebody else with one's own MAC, by the nonce. Whether one has sent it
    /// is known for sure only where this attempt's solicitation was seen.
    fn cloned(&self, own: Mac, why: &str) -> Verdict {
        let other = self.elsewhere(own);
        let seen = self.failure.sent.as_ref().is_some_and(|sent| {
            self.failure
                .dad_nonce
                .is_some_and(|nonce| sent.nonces.contains(&nonce))
        });
        let host = other.as_ref().map(|other| self.place(other));
        let host = host.unwrap_or_default();
        let why = if seen {
            format!("{why}: another node{host} has the same MAC")
        } else {
            format!(
                "{why}, as far as v6trace saw, which did not see this attempt begin: most likely \
                 another node{host} has the same MAC"
            )
        };
        Verdict::new(Cause::DadConflictClonedMac, seen, why).by(other)
    }

    /// Another interface of this namespace with the same MAC and the address,
    /// as VLANs of one port can be.
    fn shared_mac(&self, own: Mac) -> Option<Verdict> {
        let here = self.around?.here.as_ref()?;
        let other = self.sibling(here, own).filter(|other| other.has_address)?;
        let verdict = Verdict::new(
            Cause::DadConflictSameHost,
            false,
            format!(
                "a frame with the MAC {own} says so, most likely from {} of this same namespace, \
                 which has the same MAC and the address",
                other.name
            ),
        );
        Some(verdict.by(Some(Other {
            interface: other.name.clone(),
            netns: None,
        })))
    }

    /// Another interface of this namespace with this MAC: one that has the
    /// address, else one that stands for itself.
    fn sibling<'i>(&self, here: &'i [Interface], mac: Mac) -> Option<&'i Interface> {
        here.iter()
            .filter(|other| other.mac == Some(mac) && other.ifindex != self.failure.ifindex)
            .max_by_key(|other| (other.has_address, other.master.is_none()))
    }

    /// An interface in another namespace of this host with this MAC, likewise.
    fn elsewhere(&self, mac: Mac) -> Option<Other> {
        let candidates = self.around?.elsewhere.iter();
        let (netns, other) = candidates
            .filter(|(_, other)| other.mac == Some(mac))
            .max_by_key(|(_, other)| (other.has_address, other.master.is_none()))?;
        Some(Other {
            interface: other.name.clone(),
            netns: Some(*netns),
        })
    }

    fn clone_has_address(&self, mac: Mac) -> bool {
        self.around.is_some_and(|around| {
            let mut elsewhere = around.elsewhere.iter();
            elsewhere.any(|(_, other)| other.mac == Some(mac) && other.has_address)
        })
    }

    /// " (eth0 in namespace blue of this host)"
    fn place(&self, other: &Other) -> String {
        let netns = other.netns.unwrap_or(self.event.netns);
        let namespace = match self.session.namespace_name(netns) {
            Some(name) => format!("namespace {name}"),
            None if self.session.is_own_namespace(netns) => "v6trace's own namespace".to_owned(),
            None => format!("network namespace {netns}"),
        };
        format!(" ({} in {namespace} of this host)", other.interface)
    }

    /// Without an Ethernet source only a nonce of one's own decides.
    fn without_mac(&self) -> Verdict {
        let frame = &self.failure.frame;
        let sent = self.failure.sent.as_ref();
        let own = frame.nonce().filter(|&nonce| {
            nonce != Nonce::NONE && sent.is_some_and(|sent| sent.nonces.contains(&nonce))
        });
        if let Some(nonce) = own.filter(|_| frame.message() == Some(Message::Solicitation)) {
            return Verdict::new(
                Cause::DadLoopback,
                true,
                format!(
                    "its own solicitation of an earlier attempt (nonce {nonce}) was reflected to \
                     it and came late"
                ),
            );
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
