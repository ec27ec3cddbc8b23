//! An answer that came, and why the kernel made nothing of it: the tests of `ndisc_rcv`,
//! `ndisc_recv_na` and `neigh_update`, in their order.

use super::silent::Story;
use crate::explain::Fix;

/// The hop limit that no router has lowered.
const UNFORWARDED: u8 = 255;

/// An answer of no use.
pub(super) struct Dropped {
    /// How long ahead it came.
    ago_ns: u64,
    /// Its name in the evidence.
    pub(super) what: &'static str,
    why: String,
}

impl Story<'_> {
    pub(super) fn dropped(&self) -> Option<Dropped> {
        let silent = self.silent;
        let answer = silent.answer.as_ref()?;
        let ago_ns = self.subject.event.boot_ns.checked_sub(answer.boot_ns)?;
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
        } else if !silent.was_known && answer.is_bare {
            (
                "lladdr",
                "it does not say the address on the link".to_owned(),
            )
        } else {
            return None;
        };
        Some(Dropped { ago_ns, what, why })
    }
}

impl Dropped {
    /// A sentence with a blank ahead.
    pub(super) fn told(&self) -> String {
        format!(
            " A neighbour advertisement for it came {} ms before, and the kernel made nothing of \
             it: {}.",
            self.ago_ns / 1_000_000,
            self.why
        )
    }

    pub(super) fn fix() -> Fix {
        Fix::new(
            "mend whoever answers, or what changes the answer on its way (a proxy, a tunnel, a \
             firewall): RFC 4861, section 7.2.4",
        )
    }
}
