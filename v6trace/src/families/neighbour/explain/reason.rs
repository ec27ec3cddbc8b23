//! Why a neighbour may be silent, as far as this host knows: its own interface, what it
//! could ask with, and who has the address at the other end of the link. Why a node
//! beyond is silent cannot be seen from here, and is not said.

use super::{answer::Dropped, number, silent::Story};
use crate::{
    explain::{Fix, Value, advice, quoted},
    families::neighbour::Holder,
    ifa::{DADFAILED, OPTIMISTIC, TENTATIVE},
};

/// `IN6_ADDR_GEN_MODE_NONE`
const WITHOUT_LINK_LOCAL: u32 = 1;

impl Story<'_> {
    /// What is known of the reason.
    pub(super) fn why(&self) -> String {
        let interface = &self.silent.interface;
        if self.has_carrier() == Some(false) {
            return format!(" {interface} has no carrier: nothing that it sends gets anywhere.");
        }
        if self.could_ask() == Some(false) {
            return format!(
                " {interface} has no link-local address that is usable, and solicitations leave from \
                 that, or from the packet's source where it is an address of {interface}."
            );
        }
        let mut text = self
            .dropped()
            .map_or_else(String::new, |dropped| dropped.told());
        for holder in self.holders() {
            let place = if holder.netns == self.subject.event.netns {
                "this namespace".to_owned()
            } else {
                self.subject.session.place(holder.netns)
            };
            let state = state(holder).map_or_else(String::new, |state| format!(", {state}"));
            text.push_str(&format!(
                " {} in {place} has that address{state}.",
                holder.interface
            ));
        }
        text.extend(self.kept_away());
        let Some(others) = self.others() else {
            return text;
        };
        if let [address, ..] = &others.same_mac[..] {
            let mac = self
                .silent
                .mac
                .map_or_else(String::new, |mac| mac.to_string());
            text.push_str(&format!(
                " {address}, which has the same MAC {mac}, has answered lately: most likely the node \
                 is there, and has lost this address."
            ));
        } else if others.reachable > 0 {
            let have = if others.reachable == 1 { "has" } else { "have" };
            text.push_str(&format!(
                " {} on {interface} {have} answered lately.",
                number(others.reachable, "other neighbour")
            ));
        } else {
            text.push_str(&format!(
                " No other neighbour on {interface} is REACHABLE just now."
            ));
        }
        text
    }

    /// What to do, or where to look.
    pub(super) fn fixes(&self) -> Vec<Fix> {
        let interface = quoted(&self.silent.interface);
        if self.has_carrier() == Some(false) {
            let show = format!("ip -d link show dev {interface}");
            return vec![
                self.subject
                    .command(&show)
                    .remark("what it is; see to its other end, or the cable"),
            ];
        }
        if self.could_ask() == Some(false) {
            let mode = self
                .beside
                .and_then(|beside| beside.link.as_ref()?.addr_gen_mode);
            let show = format!("ip -6 address show dev {interface} scope link");
            let show = self.subject.command(&show);
            return if mode == Some(WITHOUT_LINK_LOCAL) {
                let set = self.subject.set(&self.silent.interface, "addr_gen_mode", 0);
                vec![set.remark("the kernel then makes one at once")]
            } else {
                vec![show.remark("whether it has one, and is done with its test")]
            };
        }
        if let Some(holder) = self.troubled() {
            let name = quoted(&holder.interface);
            let command = if holder.link.is_up {
                format!("ip -6 address show dev {name}")
            } else {
                format!("ip link set dev {name} up")
            };
            let session = self.subject.session;
            let command = advice::in_netns(session, holder.netns, &command);
            return vec![Fix::new(command).remark("where the address is")];
        }
        let ping = self
            .subject
            .command(&format!("ping -6 -c 2 ff02::1%{interface}"))
            .remark("which nodes on the link answer at all");
        let dropped = self.dropped().map(|_| Dropped::fix());
        dropped
            .into_iter()
            .chain(self.flood())
            .chain([ping])
            .collect()
    }

    /// Who has the address, and would not answer.
    pub(super) fn troubled(&self) -> Option<&Holder> {
        let mut holders = self.holders().iter();
        holders.find(|holder| state(holder).is_some())
    }

    pub(super) fn holder_list(&self) -> Value {
        let group = |holder: &Holder| {
            Value::Group(vec![
                ("netns", holder.netns.into()),
                ("interface", holder.interface.as_str().into()),
                ("up", holder.link.is_up.into()),
                ("carrier", holder.link.has_carrier.into()),
                ("address_flags", holder.flags.into()),
            ])
        };
        Value::List(self.holders().iter().map(group).collect())
    }
}

/// Why the one that has the address would not answer.
fn state(holder: &Holder) -> Option<&'static str> {
    if !holder.link.is_up {
        Some("and is down")
    } else if !holder.link.has_carrier {
        Some("and has no carrier")
    } else if holder.flags & DADFAILED != 0 {
        Some("and found it to be a duplicate (dadfailed): it does not answer for it")
    } else if holder.flags & TENTATIVE != 0 && holder.flags & OPTIMISTIC == 0 {
        Some("and tests it for duplicates (tentative): it does not answer for it yet")
    } else {
        None
    }
}
