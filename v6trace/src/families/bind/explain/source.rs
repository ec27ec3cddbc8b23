//! Why a source was refused that a socket asked for with what it sends
//! (`IPV6_PKTINFO`).
//!
//! `ip6_datagram_send_ctl` tests in this order: that the interface is the one
//! that the socket and the destination leave (EINVAL), that it is there
//! (ENODEV), that a link-local source has one (EINVAL), and that the source is
//! an address that can be used, or is anycast (EINVAL). What else the control
//! data has may be refused with the same errno: where none of these held, that
//! is it, and nothing is said.

use super::{Story, standing::Standing};
use crate::{
    catalogue::Severity,
    errno::Errno,
    explain::{Diagnosis, Fix},
    families::bind::Cause,
};

pub(super) const OPERATION: &str = "send-source";

impl Story<'_> {
    pub(super) fn source(&self) -> Option<Diagnosis> {
        let refused = self.refused;
        let told = |why: &str| self.told(Cause::SourceRefused, OPERATION, why);
        if refused.errno == Errno::ENODEV {
            return (refused.device.is_absent()).then(|| {
                let mut diagnosis = told(&self.no_such_device())
                    .with("address_state", "no-such-device")
                    .fix(self.list_links());
                // Daemons send on every interface until they hear that one has gone.
                if refused.address.is_unspecified() {
                    diagnosis.severity = Severity::Notice;
                }
                diagnosis
            });
        }
        if refused.scope_id != 0 && refused.scope_id != refused.ifindex {
            let why = format!(
                "it is to leave by way of interface {} (ipi6_ifindex), but the socket or the \
                 destination has it leave by way of {}",
                refused.scope_id,
                self.device()
            );
            return Some(
                told(&why)
                    .with("address_state", "other-interface-asked")
                    .fix(Fix::new(
                        "ask for no other interface than the destination's",
                    )),
            );
        }
        if refused.address.is_unspecified() {
            return None;
        }
        if refused.address.is_unicast_link_local() && refused.ifindex == 0 {
            let diagnosis = self.no_scope(Cause::SourceRefused, OPERATION);
            return Some(diagnosis.with("address_state", "no-scope"));
        }
        let standing = self.standing();
        let is_told = match standing {
            Standing::Anycast(_) | Standing::Unknown => false,
            Standing::OtherDomain(holder) => self.is_other_domain(holder) == Some(true),
            // Daemons begin before the test is over (radvd, on each interface), and
            // send again soon after.
            Standing::Tentative(holder) => holder.is_ready != Some(true),
            Standing::Dadfailed(_) | Standing::OtherInterface(_) | Standing::Nowhere => true,
        };
        is_told.then(|| {
            self.of_standing(Cause::SourceRefused, OPERATION, standing)
                .with("address_state", standing.name())
        })
    }
}
