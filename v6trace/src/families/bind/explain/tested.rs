//! An address that is under test for duplicates, or failed it: what keeps it there,
//! and how it gets out.

use super::Story;
use crate::{
    explain::{Diagnosis, Fix, quoted, seconds_before},
    families::{address, bind::Holder},
    ifa,
};

impl Story<'_> {
    /// The same reason, with what is not known of it.
    pub(super) fn with_domain(&self, mut why: String, holder: &Holder) -> String {
        if self.is_other_domain(holder).is_none() {
            why += ". Whether the socket would find it at all, in its VRF, could not be looked up";
        }
        why
    }

    /// An address that the socket would not find in any case is refused for that.
    pub(super) fn sure(&self, diagnosis: Diagnosis, holder: &Holder) -> Diagnosis {
        if self.is_other_domain(holder).is_none() {
            diagnosis.likely()
        } else {
            diagnosis
        }
    }

    pub(super) fn tentative(&self, diagnosis: Diagnosis, holder: &Holder) -> Diagnosis {
        let name = quoted(&holder.interface);
        let waits = holder.is_ready == Some(false);
        let first = if waits && holder.is_up == Some(false) {
            self.subject
                .command(&format!("ip link set dev {name} up"))
                .remark("the test begins with it")
        } else if waits {
            Fix::new(format!(
                "give {name} a carrier: a bridge has one with the first port that is up"
            ))
        } else {
            Fix::new("start it again once the address can be used")
                .remark("systemd: After= and Wants= of network-online.target")
        };
        let diagnosis = diagnosis
            .with("flags", holder.address_flags)
            .with("ready", holder.is_ready)
            .with("up", holder.is_up)
            .with("carrier", holder.has_carrier)
            .fix(first);
        self.anew(
            diagnosis,
            holder,
            ifa::NODAD,
            "untested: only where nobody else can have it",
        )
        .fix(self.nonlocal())
    }

    pub(super) fn why_failed(&self, holder: &Holder) -> String {
        let name = &holder.interface;
        let earlier = self.subject.session.duplicates();
        let event = self.subject.event;
        let seen = earlier.last(event.netns, holder.ifindex, self.refused.address);
        let story = seen.map_or_else(
            || "when that was, and who has it, was not seen".to_owned(),
            |seen| {
                let whose = seen
                    .source_mac
                    .map_or_else(String::new, |mac| format!(", by a frame from {mac}"));
                format!(
                    "it was found in use {} before{whose}",
                    seconds_before(event.boot_ns, seen.boot_ns)
                )
            },
        );
        format!(
            "{name} has it, but its test for duplicates failed (dadfailed), and it is never tested \
             again by itself: {story}"
        )
    }

    pub(super) fn failed(&self, diagnosis: Diagnosis, holder: &Holder) -> Diagnosis {
        let earlier = self.subject.session.duplicates();
        let netns = self.subject.event.netns;
        let seen = earlier.last(netns, holder.ifindex, self.refused.address);
        let mac = seen.and_then(|seen| seen.source_mac);
        let diagnosis = diagnosis
            .with("flags", holder.address_flags)
            .with("found_in_use_by", mac.map(|mac| mac.to_string()));
        self.anew(
            diagnosis,
            holder,
            0,
            "tests it again: first see to it that nobody else has it",
        )
    }

    /// The address deleted and added, with one flag more.
    fn anew(
        &self,
        diagnosis: Diagnosis,
        holder: &Holder,
        more: u32,
        remark: &'static str,
    ) -> Diagnosis {
        let again = address::again(
            self.subject.site(),
            self.refused.address,
            holder.prefix_len,
            holder.address_flags | more,
            &holder.interface,
        );
        match again {
            Some(again) => diagnosis.fix(Fix::new(again).remark(remark)),
            None => diagnosis,
        }
    }
}

/// Why nothing can use an address that is under test.
pub(crate) fn why_tentative(holder: &Holder) -> String {
    let name = &holder.interface;
    let mut why = format!(
        "{name} has it, but tests it for duplicates (tentative), and until it has passed \
         nothing can use it"
    );
    if holder.is_ready == Some(true) {
        why += ". That takes a second or two (dad_transmits)";
    } else if holder.is_ready == Some(false) {
        let (what, until) = if holder.is_up == Some(false) {
            ("is down", "it is set up")
        } else if holder.has_carrier == Some(false) {
            ("has no carrier", "it has one")
        } else {
            ("is not ready", "it is")
        };
        why += &format!(". The test has not begun: {name} {what}, and it stays so until {until}");
    }
    why
}
