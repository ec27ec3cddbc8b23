//! What ends an anycast address, each way with what it costs.

use super::Story;
use crate::{
    explain::{Fix, advice, quoted},
    families::anycast::{AnycastChange, Trigger, Use},
};

/// For an address that a program asked for.
pub(super) fn deliberate() -> Vec<Fix> {
    let leave = Fix::new("IPV6_LEAVE_ANYCAST on the socket, or its end");
    vec![leave.remark("gives the address up")]
}

impl Story<'_> {
    /// For an address that came with forwarding and has these uses.
    pub(super) fn fixes(&self, uses: &[Use]) -> Vec<Fix> {
        let address = self.change.address;
        let interface = quoted(&self.change.interface);
        let mut fixes = Vec::new();
        if uses.is_empty() {
            let none = format!("give no neighbour on {interface} the address {address}");
            fixes.push(Fix::new(none).remark("then there is nothing to do"));
        } else {
            fixes.push(
                Fix::new(format!("give the neighbour another address than {address}"))
                    .remark("the clean way; its sessions break once"),
            );
            // What an advertisement gives comes again with the next one.
            if !self.is_advertised() {
                fixes.push(
                    Fix::new("use /127 on both ends of a point-to-point link")
                        .remark("has no anycast address (RFC 6164); sessions break once"),
                );
                fixes.push(
                    self.subject
                        .command(&format!(
                            "ip addr add ADDRESS peer {address} dev {interface}"
                        ))
                        .remark(
                            "instead of the address with the prefix; other nodes then need routes",
                        ),
                );
            }
        }
        fixes.push(self.be_a_host());
        fixes.extend(self.force_forwarding());
        fixes
    }

    /// Where packets for an address go that was given up.
    pub(super) fn where_it_goes(&self) -> Fix {
        let address = self.change.address;
        let vrf = self.found.and_then(|found| found.vrf.as_deref());
        let vrf = vrf.map_or_else(String::new, |vrf| format!("vrf {} ", quoted(vrf)));
        self.subject
            .command(&format!("ip -6 route get {vrf}{address}"))
            .remark("where packets for it go now")
    }

    /// Whether the address follows from one that an advertisement gave.
    fn is_advertised(&self) -> bool {
        let advertised = self.found.and_then(|found| found.advertised.as_ref());
        advertised.is_some_and(|advertised| advertised.gives(self.change.address))
    }

    /// What to do about advertisements, which a host heeds with accept_ra = 1
    /// and a router ignores.
    fn hearing(&self) -> Hearing {
        let AnycastChange {
            trigger, accept_ra, ..
        } = self.change;
        if *accept_ra != Some(1) {
            return Hearing::Same;
        }
        let was_host = *trigger == Trigger::ForwardingChange;
        let advertised = self.found.and_then(|found| found.advertised.as_ref());
        match advertised {
            Some(advertised) if advertised.is_any() => Hearing::Needed,
            // What was a host until this very write is to heed them again.
            _ if was_host => Hearing::Again,
            Some(_) => Hearing::Deaf,
            None => Hearing::Unknown,
        }
    }

    /// Forwarding off on this interface alone. It never costs it what it has from
    /// advertisements: with accept_ra = 2 that also outlives the next write of
    /// conf.all.forwarding.
    fn be_a_host(&self) -> Fix {
        let AnycastChange {
            all_forwarding,
            force_forwarding,
            ..
        } = self.change;
        let hearing = self.hearing();
        let remark = match (all_forwarding, force_forwarding, hearing) {
            (Some(0), Some(1..), _) => {
                "still forwards (force_forwarding = 1), but is no router to its neighbours"
            }
            (Some(0), _, _) => {
                "conf.all.forwarding is 0: what comes in there was not forwarded anyway"
            }
            (_, _, Hearing::Needed) => {
                "still forwards, but is a host there, which keeps what advertisements bring; each \
                 write of 1 to conf.all.forwarding undoes it"
            }
            (_, _, Hearing::Again) => {
                "still forwards, but is a host there as before, which heeds advertisements; each \
                 write of 1 to conf.all.forwarding undoes it"
            }
            (_, _, Hearing::Unknown) => {
                "still forwards, but is a host there, which heeds advertisements (accept_ra = 1); \
                 each write of 1 to conf.all.forwarding undoes it"
            }
            (_, _, Hearing::Same | Hearing::Deaf) => {
                "still forwards, but is no router to its neighbours; each write of 1 to \
                 conf.all.forwarding undoes it"
            }
        };
        self.as_host(hearing, None).remark(remark)
    }

    /// Forwarding without being a router, where the kernel can.
    fn force_forwarding(&self) -> Option<Fix> {
        let forced_already = self.change.force_forwarding? > 0;
        if self.change.all_forwarding != Some(0) {
            // Several writes, of which the first is for the whole host: one that
            // mends one interface after the other must not repeat it.
            let instead = "force_forwarding instead of conf.all.forwarding, \
                           see v6trace explain subnet-router-anycast";
            return Some(Fix::new(instead).remark("lasts, and takes no anycast address anywhere"));
        }
        // To be a host is all that is missing.
        if forced_already {
            return None;
        }
        let fix = self.as_host(self.hearing(), Some(("force_forwarding", 1)));
        Some(fix.remark("forwards what comes in there, without an anycast address"))
    }

    /// The command that makes the interface a host's, and sets one thing more.
    fn as_host(&self, hearing: Hearing, more: Option<(&str, i32)>) -> Fix {
        let accept_ra = match hearing {
            Hearing::Needed => Some(("accept_ra", 2)),
            Hearing::Deaf => Some(("accept_ra", 0)),
            Hearing::Same | Hearing::Again | Hearing::Unknown => None,
        };
        let settings = [accept_ra, Some(("forwarding", 0)), more];
        let settings = settings
            .into_iter()
            .flatten()
            .map(|(sysctl, value)| advice::interface_sysctl(&self.change.interface, sysctl, value));
        let settings: Vec<_> = settings.collect();
        let command = format!("sysctl -w {}", settings.join(" "));
        self.subject.command(&command)
    }
}

/// What becomes of advertisements once the interface is a host's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hearing {
    /// They are heeded, or not, as they are now.
    Same,
    /// They are heeded as before the write.
    Again,
    /// They have to be heeded: it has, or had, something from them.
    Needed,
    /// They were not heeded, and brought nothing.
    Deaf,
    /// They will be heeded; whether they brought something is not known.
    Unknown,
}
