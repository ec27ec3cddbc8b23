//! Lifetimes and flags that no interface takes.

use super::{add, refused::Story};
use crate::{
    explain::{Diagnosis, Fix, Value},
    families::address::Cause,
    ifa,
};

impl Story<'_> {
    pub(super) fn lifetimes_refuse(&self) -> bool {
        let lifetimes = self.request.lifetimes;
        lifetimes.is_some_and(|its| its.valid == 0 || its.preferred > its.valid)
    }

    /// Of an address that is there already its own prefix length counts.
    pub(super) fn mngtmpaddr_refuses(&self) -> bool {
        let existing = self.request.existing;
        let prefix_len = existing.map_or(self.request.prefix_len, |existing| existing.prefix_len);
        self.request.flags & ifa::MANAGETEMPADDR != 0 && prefix_len != 64
    }

    pub(super) fn lifetime_diagnosis(&self) -> Diagnosis {
        let (preferred, valid) = self
            .request
            .lifetimes
            .map_or((0, 0), |its| (its.preferred, its.valid));
        let why = if valid == 0 {
            "it is to be valid for 0 seconds, which is to delete it".to_owned()
        } else {
            format!(
                "it is to be preferred for {} but valid for {} only",
                seconds(preferred),
                seconds(valid)
            )
        };
        let diagnosis = self
            .told(Cause::Lifetime, &why)
            .with("preferred_lft", lifetime(preferred))
            .with("valid_lft", lifetime(valid));
        if valid == 0 {
            diagnosis.fix(Fix::new(self.add()).remark("for ever; valid_lft limits it"))
        } else {
            diagnosis.fix(
                Fix::new(format!(
                    "{} valid_lft {valid} preferred_lft {valid}",
                    self.add()
                ))
                .remark("preferred as long as it is valid"),
            )
        }
    }

    pub(super) fn mngtmpaddr_diagnosis(&self) -> Diagnosis {
        let plain = self.request.flags & !ifa::MANAGETEMPADDR;
        let existing = self.request.existing;
        let prefix_len = existing.map_or(self.request.prefix_len, |existing| existing.prefix_len);
        let diagnosis = self.told(
            Cause::Mngtmpaddr,
            &format!(
                "with mngtmpaddr the kernel makes temporary addresses of its prefix, which needs 64 \
                 bits; it has {prefix_len}"
            ),
        );
        let Some(address) = self.request.address else {
            return diagnosis;
        };
        let add = |flags, length| add(self.subject.site(), address, length, flags, self.name());
        diagnosis
            .fix(
                Fix::new(add(self.request.flags, 64))
                    .remark("if the prefix of the link has 64 bits"),
            )
            .fix(Fix::new(add(plain, prefix_len)).remark("without temporary addresses"))
    }
}

/// `INFINITY_LIFE_TIME`
const FOREVER: u32 = u32::MAX;

fn seconds(lifetime: u32) -> String {
    if lifetime == FOREVER {
        "ever".to_owned()
    } else {
        format!("{lifetime} s")
    }
}

fn lifetime(lifetime: u32) -> Value {
    if lifetime == FOREVER {
        "forever".into()
    } else {
        lifetime.into()
    }
}
