//! Other interfaces of this host that may have sent a frame.

use crate::{
    explain::Subject,
    families::dad::{DadFailure, Interface, Surroundings},
    frame::{Frame, Mac, Message},
    ifa,
};

/// What a frame says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Its sender asks for it (NS).
    Asks,
    /// Its sender has it, and overrides what others know (NA).
    Has,
    /// Its sender answers for it without overriding (NA): it has it as anycast or
    /// is a proxy. Linux does not override for an optimistic address, either.
    Answers,
}

impl Said {
    pub(super) fn by(frame: &Frame) -> Option<Self> {
        Some(match frame.message()? {
            Message::Solicitation => Self::Asks,
            Message::Advertisement => {
                let flags = frame.advertisement_flags();
                if flags.is_none_or(|flags| flags.r#override) {
                    Self::Has
                } else {
                    Self::Answers
                }
            }
        })
    }
}

/// As what an interface answers for an address that is not its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// It has the address as anycast.
    Anycast,
    /// It has an entry of a proxy for it.
    Proxy,
}

/// Another interface of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) interface: String,
    /// Its namespace, where it is another.
    pub(super) netns: Option<u32>,
    /// Bits of the prefix with which it has the address; `None` where it does
    /// not have it.
    pub(super) prefix_len: Option<u8>,
    /// The flags of that address.
    flags: u32,
    /// Whether it has the address as anycast, and whether it is a proxy for it;
    /// `None` where that is not known.
    anycast: Option<bool>,
    proxy: Option<bool>,
}

impl Other {
    fn of(interface: &Interface, netns: Option<u32>) -> Self {
        Self {
            interface: interface.name.clone(),
            netns,
            prefix_len: interface.prefix_len,
            flags: interface.address_flags,
            anycast: interface.anycast,
            proxy: interface.proxy,
        }
    }

    pub(super) fn has_address(&self) -> bool {
        self.prefix_len.is_some()
    }

    /// Whether it has the address for as long as it is configured, not only as
    /// long as somebody advertises it.
    pub(super) fn is_permanent(&self) -> bool {
        self.flags & ifa::PERMANENT != 0
    }

    /// Whether it is in a position to say so: who asks for an address has it
    /// under test, or had until the test failed; who advertises it has it in
    /// force, or is optimistic (RFC 4862, 5.4; RFC 4429), or stands for it.
    pub(super) fn can_say(&self, said: Said) -> bool {
        can_say_as_its_own(said, self.has_address(), self.flags) || self.stands(said).is_some()
    }

    /// As what it answers for the address, if not as its own. The kernel looks
    /// for an address of one's own first, then for anycast, then for a proxy.
    pub(super) fn stands(&self, said: Said) -> Option<Stands> {
        if can_say_as_its_own(said, self.has_address(), self.flags) {
            return None;
        }
        stands(said, self.anycast, self.proxy)
    }

    /// Whether it is known to answer for the address in more than one way.
    pub(super) fn stands_twice(&self) -> bool {
        self.anycast == Some(true) && self.proxy == Some(true)
    }

    /// Whether it is a proxy for the address, of the kernel's.
    pub(super) fn is_proxy(&self) -> bool {
        self.proxy == Some(true)
    }

    /// What is known to be missing, in a clause: "does not have the address now"
    pub(super) fn lacks(&self, said: Said) -> &'static str {
        let neither = self.anycast == Some(false) && self.proxy == Some(false);
        if said == Said::Answers && neither {
            "does not have the address now, neither as its own nor as anycast, and has no proxy \
             entry for it"
        } else {
            "does not have the address now"
        }
    }

    /// Whether its own test of the address failed, just now or long ago.
    pub(super) fn has_failed(&self) -> bool {
        self.flags & ifa::DADFAILED != 0
    }
}

fn can_say_as_its_own(said: Said, has_address: bool, flags: u32) -> bool {
    let tentative = flags & ifa::TENTATIVE != 0;
    has_address
        && match said {
            Said::Asks => tentative,
            Said::Has | Said::Answers => !tentative || flags & ifa::OPTIMISTIC != 0,
        }
}

fn stands(said: Said, anycast: Option<bool>, proxy: Option<bool>) -> Option<Stands> {
    match said {
        Said::Answers if anycast == Some(true) => Some(Stands::Anycast),
        Said::Answers if proxy == Some(true) => Some(Stands::Proxy),
        Said::Asks | Said::Has | Said::Answers => None,
    }
}

/// What is known of the interfaces around a failure.
pub(super) struct Others<'a> {
    subject: Subject<'a>,
    failure: &'a DadFailure,
    around: Option<&'a Surroundings>,
}

impl<'a> Others<'a> {
    pub(super) fn new(failure: &'a DadFailure, subject: Subject<'a>) -> Self {
        Self {
            subject,
            failure,
            around: Surroundings::around(subject),
        }
    }

    /// Whether the interfaces of the address's namespace are known.
    pub(super) fn are_known_here(&self) -> bool {
        self.around.is_some_and(|around| around.here.is_some())
    }

    /// The interface that was seen to send the frame's nonce, if it is not the
    /// address's own.
    pub(super) fn sender(&self) -> Option<Other> {
        let sender = self.failure.sender.as_ref()?;
        let netns = (sender.netns != self.subject.event.netns).then_some(sender.netns);
        if netns.is_none() && sender.ifindex == self.failure.ifindex {
            return None;
        }
        let found = self.around.and_then(|around| match netns {
            None => around
                .here
                .iter()
                .flatten()
                .find(|own| own.ifindex == sender.ifindex),
            Some(netns) => around
                .elsewhere
                .iter()
                .find(|(inode, other)| *inode == netns && other.ifindex == sender.ifindex)
                .map(|(_, other)| other),
        });
        Some(Other {
            interface: found
                .map_or(sender.interface.as_str(), |found| found.name.as_str())
                .to_owned(),
            netns,
            prefix_len: found.and_then(|found| found.prefix_len),
            flags: found.map_or(0, |found| found.address_flags),
            anycast: found.and_then(|found| found.anycast),
            proxy: found.and_then(|found| found.proxy),
        })
    }

    /// Another interface of this namespace with this MAC: one that can have said
    /// so, else one that has the address, else one that stands for itself.
    pub(super) fn sibling(&self, mac: Mac, said: Said) -> Option<Other> {
        let here = self.around?.here.as_ref()?;
        here.iter()
            .filter(|other| other.mac == Some(mac) && other.ifindex != self.failure.ifindex)
            .max_by_key(|other| fitness(other, said))
            .map(|found| Other::of(found, None))
    }

    /// An interface in another namespace of this host with this MAC, likewise.
    pub(super) fn elsewhere(&self, mac: Mac, said: Said) -> Option<Other> {
        let candidates = self.around?.elsewhere.iter();
        candidates
            .filter(|(_, other)| other.mac == Some(mac))
            .max_by_key(|(_, other)| fitness(other, said))
            .map(|(netns, found)| Other::of(found, Some(*netns)))
    }

    /// Where a node with some MAC is: a remark with a blank before it, which
    /// claims no more than the look-up found.
    pub(super) fn remark(&self, other: Option<&Other>, said: Said) -> String {
        match other {
            Some(other) if other.has_address() || other.stands(said).is_some() => {
                format!(" ({} of this host)", self.place(other))
            }
            Some(other) => format!(
                " (that of {} of this host, which {})",
                self.place(other),
                other.lacks(said)
            ),
            None if self.around.is_some_and(|around| !around.complete) => {
                " (perhaps in a namespace of this host: not all could be looked into)".to_owned()
            }
            None => String::new(),
        }
    }

    /// "eth0 in network namespace blue"
    pub(super) fn place(&self, other: &Other) -> String {
        let netns = other.netns.unwrap_or(self.subject.event.netns);
        format!(
            "{} in {}",
            other.interface,
            self.subject.session.place(netns)
        )
    }
}

fn fitness(interface: &Interface, said: Said) -> impl Ord + use<> {
    let has_address = interface.has_address();
    let can_say = can_say_as_its_own(said, has_address, interface.address_flags)
        || stands(said, interface.anycast, interface.proxy).is_some();
    (can_say, has_address, interface.master.is_none())
}
