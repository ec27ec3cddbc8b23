//! Values that sysctls of IPv6 refuse.

mod causes;
mod decode;
mod explain;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, text},
};

pub use causes::Cause;
pub use decode::{Bounds, Interface, SysctlRefused};

impl Occurrence for SysctlRefused {
    fn is_failure(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        self.interface.map(|interface| interface.ifindex)
    }

    fn interface(&self) -> Option<&str> {
        self.interface_name()
    }

    fn fields(&self, take: Take<'_>) {
        take("sysctl", self.sysctl().as_str().into());
        take("value", self.value.as_deref().into());
        take("errno", text(Some(&self.errno)));
        take("current", self.current.into());
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::explain(self, subject))
    }
}
