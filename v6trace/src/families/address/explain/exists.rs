//! An address that the interface has already.

use super::{refused::Story, replaced};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix},
    families::address::{Cause, Existing},
    ifa,
};

impl Story<'_> {
    /// Programs that add an address without looking take EEXIST for success: as
    /// it is, where the address can be used and has the prefix.
    pub(super) fn exists(&self) -> Diagnosis {
        let Some(existing) = self.request.existing else {
            let why = "it is there already, by the errno; it was not among the addresses that were \
                       looked at";
            return self.told(Cause::Exists, why).likely();
        };
        let Existing {
            flags,
            prefix_len,
            made_by,
        } = existing;
        let failed = flags & ifa::DADFAILED != 0;
        let wanted = self.request.prefix_len;
        let state = if failed {
            "but cannot use it: its duplicate address detection failed (dadfailed), and the kernel \
             tries no second time"
        } else if flags & ifa::TENTATIVE != 0 && flags & ifa::OPTIMISTIC == 0 {
            "and is still testing it for duplicates (tentative)"
        } else {
            "and can use it"
        };
        let maker = made_by.and_then(ifa::maker);
        let maker = maker.map_or_else(String::new, |maker| format!(" ({maker} made it)"));
        let mut why = format!("{} has it already{maker}, {state}", self.name());
        if prefix_len != wanted {
            why += &format!(
                ". It has the prefix length {prefix_len}, not {wanted}: the kernel compares the \
                 address alone, and neither changes the prefix nor adds its route"
            );
        }
        let mut diagnosis = self
            .told(Cause::Exists, &why)
            .with("existing_flags", flags)
            .with("existing_prefix_len", prefix_len)
            .with("existing_proto", made_by);
        if failed || prefix_len != wanted {
            diagnosis.severity = Severity::Failure;
            self.again(diagnosis, prefix_len, failed)
        } else {
            diagnosis
        }
    }

    /// To be added anew, it must be deleted first.
    fn again(&self, diagnosis: Diagnosis, prefix_len: u32, failed: bool) -> Diagnosis {
        let Some(address) = self.request.address else {
            return diagnosis;
        };
        let again = replaced(
            self.subject.site(),
            address,
            prefix_len,
            &self.add(),
            self.name(),
        );
        let remark = if failed {
            "tests it again: first see to it that nobody else has it"
        } else {
            "whatever uses the address loses it for a moment"
        };
        diagnosis.fix(Fix::new(again).remark(remark))
    }
}
