//! Tokens of interfaces (`ip token set`).

mod causes;
mod decode;
mod explain;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, text},
};

pub use causes::Cause;
pub use decode::{SetToken, Sysctls};

impl Occurrence for SetToken {
    fn is_failure(&self) -> bool {
        self.errno.is_some()
    }

    super::of_its_interface!();

    fn fields(&self, take: Take<'_>) {
        let sysctls = self.sysctls;
        take("token", text(self.token.as_ref()));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("errno", text(self.errno.as_ref()));
        take("flags", self.flags.into());
        take(
            "forwarding",
            sysctls.map(|sysctls| sysctls.forwarding).into(),
        );
        take("accept_ra", sysctls.map(|sysctls| sysctls.accept_ra).into());
        take(
            "router_solicitations",
            sysctls.map(|sysctls| sysctls.router_solicitations).into(),
        );
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::explain(self, subject)
    }
}
