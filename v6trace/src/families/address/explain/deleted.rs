//! Why the kernel did not delete an address: `inet6_addr_del` tests the prefix length
//! (EINVAL), looks the interface up (ENODEV), whether that has IPv6 (ENXIO), and then for
//! an address of that very prefix length (EADDRNOTAVAIL).

use super::refused::Story;
use crate::{
    errno::Errno,
    explain::{Diagnosis, quoted},
    families::address::Cause,
};

pub(super) const OPERATION: &str = "address-delete";

impl Story<'_> {
    /// The condition that gives this errno, where it holds.
    pub(super) fn keeps(&self) -> Option<Cause> {
        let request = self.request;
        let (cause, holds) = match request.errno {
            Errno::EINVAL => (Cause::PrefixLength, request.prefix_len > 128),
            Errno::ENODEV => (Cause::NoSuchDevice, request.device.is_absent()),
            Errno::ENXIO => (Cause::NotThere, self.has_ipv6() == Some(false)),
            Errno::EADDRNOTAVAIL => (Cause::NotThere, !self.is_as_asked()),
            _ => return None,
        };
        holds.then_some(cause)
    }

    /// Whether the interface has the address with that prefix length after all.
    fn is_as_asked(&self) -> bool {
        let existing = self.request.existing;
        existing.is_some_and(|existing| existing.prefix_len == self.request.prefix_len)
    }

    pub(super) fn not_there(&self) -> Diagnosis {
        let name = self.name();
        if self.has_ipv6() == Some(false) {
            let why = format!("{name} has no IPv6, and so no addresses");
            return self.told(Cause::NotThere, &why).with("ip6_ptr", 0);
        }
        let existing = self.request.existing.zip(self.request.address);
        let Some((existing, address)) = existing else {
            return self.not_so();
        };
        let length = existing.prefix_len;
        let why = format!(
            "{name} has it with the prefix length {length}, not {}, and the kernel wants the same",
            self.request.prefix_len
        );
        let delete = format!("ip -6 address del {address}/{length} dev {}", quoted(name));
        self.told(Cause::NotThere, &why)
            .with("existing_flags", existing.flags)
            .with("existing_prefix_len", length)
            .with("existing_proto", existing.made_by)
            .fix(self.subject.command(&delete))
    }

    /// The errno itself says that the interface does not have it with that prefix length;
    /// with another it may, where not all of its addresses were looked at.
    fn not_so(&self) -> Diagnosis {
        let request = self.request;
        let name = request.device.name();
        let Some(name) = name.filter(|_| request.address.is_some()) else {
            let why = "by the errno the interface does not have it with that prefix length; \
                       what it has could not be read";
            return self.told(Cause::NotThere, why).likely();
        };
        let length = request.prefix_len;
        let why = format!("{name} does not have it with the prefix length {length}");
        self.told(Cause::NotThere, &why)
    }
}
