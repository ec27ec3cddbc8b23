//! What ends an anycast address, each way with what it costs.

use super::Story;
use crate::{families::anycast::{AnycastChange, Trigger, Use}, explain::{Fix, advice, quoted}};

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
            fixes.push(
                Fix::new("use /127 on both ends of a point-to-point link")
                    .remark("has no anycast address (RFC 6164); sessions break once"),
            );
            fixes.push(
                self.subject.command(&format!(
                    "ip addr add ADDRESS peer {address} dev {interface}"
                ))
                .remark("instead of the address with the prefix; other nodes then need routes"),
            );
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
        self.subject.command(&format!("ip -6 route get {vrf}{address}"))
            .remark("where packets for it go now")
    }

    /// Forwarding off on this interface alone.
    fn be_a_host(&self) -> Fix {
        let AnycastChange {
            interface,
            trigger,
            accept_ra,
            all_forwarding,
            force_forwarding,
            ..
        } = self.change;
        let heeds_as_host = *accept_ra == Some(1);
        let was_host = *trigger == Trigger::ForwardingChange;
        let mut command = String::from("sysctl -w ");
        // A router ignores advertisements with accept_ra = 1, and a host does
        // not. What was a host until this very write is to heed them again, and
        // with 2 they are heeded in any case.
        if heeds_as_host && !was_host {
            command += &advice::interface_sysctl(interface, "accept_ra", 0);
            command.push(' ');
        }
        command += &advice::interface_sysctl(interface, "forwarding", 0);
        let remark = match (all_forwarding, force_forwarding) {
            (Some(0), Some(1..)) => {
                "still forwards (force_forwarding = 1), but is no router to its neighbours"
            }
            (Some(0), _) => {
                "conf.all.forwarding is 0: what comes in there was not forwarded anyway"
            }
            _ if heeds_as_host && was_host => {
                "still forwards, but is a host there as before, which heeds advertisements; each \
                 write of 1 to conf.all.forwarding undoes it"
            }
            _ => {
                "still forwards, but is no router to its neighbours; each write of 1 to \
                 conf.all.forwarding undoes it"
            }
        };
        self.subject.command(&command).remark(remark)
    }

    /// Forwarding without being a router, where the kernel can.
    fn force_forwarding(&self) -> Option<Fix> {
        let interface = &self.change.interface;
        let forced_already = self.change.force_forwarding? > 0;
        let forwarding = advice::interface_sysctl(interface, "forwarding", 0);
        let forced = advice::interface_sysctl(interface, "force_forwarding", 1);
        let set = format!("sysctl -w {forwarding} {forced}");
        if self.change.all_forwarding == Some(0) {
            // To be a host is all that is missing.
            if forced_already {
                return None;
            }
            let fix = self.subject.command(&set);
            return Some(fix.remark("forwards what comes in there, without an anycast address"));
        }
        // Each write of 0, over 0 as well, clears what was forced on all
        // interfaces: whoever mends one after another must write it once.
        let once = "sysctl -n net.ipv6.conf.all.forwarding | grep -qx 0 || \
                    sysctl -w net.ipv6.conf.all.forwarding=0";
        let script = format!("{once}; {set}");
        let fix = self.subject.command(&format!("sh -c {}", quoted(&script)));
        Some(fix.remark(
            "no anycast anywhere; needed on each incoming interface, and forwarding stops in \
             between",
        ))
    }
}
