//! An answer that came, and why the kernel made nothing of it: the tests of `ndisc_rcv`,
//! `ndisc_recv_na` and `neigh_update`, in their order.

use super::silent::Story;
use crate::{explain::Fix, families::neighbour::Answer};

/// The hop limit that no router has lowered.
const UNFORWARDED: u8 = 255;
/// For how long ahead of giving up an answer is worth telling: as long as the neighbour was
/// asked with the defaults, and this at most.
const SECONDS: u64 = 10;
const SECOND_NS: u64 = 1_000_000_000;

/// An answer of no use.
pub(super) struct Dropped<'a> {
    answer: &'a Answer,
    /// How long ahead it came.
    ago_ns: u64,
    /// Its name in the evidence.
    pub(super) what: &'static str,
    why: String,
}

impl<'a> Story<'a> {
    pub(super) fn dropped(&self) -> Option<Dropped<'a>> {
        let silent = self.silent;
        let answer = silent.answer.as_ref()?;
        let ago_ns = self.subject.event.boot_ns.checked_sub(answer.boot_ns)?;
        let asked_for = u64::from(silent.sent).saturating_add(1).min(SECONDS);
        if ago_ns > asked_for * SECOND_NS {
            return None;
        }
        let (what, why) = if answer.hop_limit != UNFORWARDED {
            let why = format!(
                "its hop limit is {}, not 255: a router may have forwarded it, or it was not made \
                 as RFC 4861 wants it",
                answer.hop_limit
            );
            ("hop-limit", why)
        } else if answer.code != 0 {
            ("code", format!("its ICMPv6 code is {}, not 0", answer.code))
        } else if answer.to_group && answer.is_solicited {
            let why = "it went to a group, and says that it was asked for (flag S)".to_owned();
            ("group", why)
        } else if answer.ifindex != silent.ifindex {
            let why = format!(
                "it came in by {}, and {} is looked for on {}",
                answer.interface, silent.address, silent.interface
            );
            ("interface", why)
        } else if !silent.was_known && answer.is_bare {
            (
                "lladdr",
                "it does not say the address on the link".to_owned(),
            )
        } else if silent.was_known && !answer.is_solicited {
            let why = "it does not say that it was asked for (flag S), and so confirms nothing";
            ("unsolicited", why.to_owned())
        } else {
            return None;
        };
        Some(Dropped {
            answer,
            ago_ns,
            what,
            why,
        })
    }
}

impl Dropped<'_> {
    /// A sentence with a blank ahead.
    pub(super) fn told(&self) -> String {
        format!(
            " A neighbour advertisement for it came {} ms before, and the kernel made nothing of \
             it: {}.",
            self.ago_ns / 1_000_000,
            self.why
        )
    }

    pub(super) fn fix(&self) -> Fix {
        Fix::new(match self.what {
            "interface" => format!(
                "see why the node is on the link of {}, or what joins the two links",
                self.answer.interface
            ),
            _ => "mend whoever answers, or what changes the answer on its way (a proxy, a tunnel, \
                  a firewall): RFC 4861, section 7.2.4"
                .to_owned(),
        })
    }
}
