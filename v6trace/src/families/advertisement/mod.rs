//! Router advertisements that are ignored, wholly or in part.

mod causes;
mod decode;
mod earlier;
mod explain;
#[cfg(feature = "live")]
pub(crate) mod lookup;
pub mod message;
mod standing;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Take, shown, text},
    frame::Frame,
};

pub use causes::Cause;
pub use decode::{
    AdvertisedAddressRefused, Identifier, RouteSysctls, RouterAdvertisement, RouterMessageIgnored,
    SolicitationsUnanswered, Sysctls,
};
pub use earlier::Earlier;
pub(crate) use explain::ignores;
pub use standing::{DefaultRoute, Standing, Taker};

impl Occurrence for RouterAdvertisement {
    fn is_failure(&self) -> bool {
        !explain::matters(self).is_empty()
    }

    super::of_its_interface!();

    fn frame(&self) -> Option<&Frame> {
        Some(&self.frame)
    }

    fn fields(&self, take: Take<'_>) {
        let sysctls = self.sysctls;
        take("router", text(self.frame.source().as_ref()));
        take("source_mac", text(self.frame.source_mac().as_ref()));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("lifetime", u32::from(self.message.lifetime).into());
        take("forwarding", sysctls.map(|set| set.forwarding).into());
        take("accept_ra", sysctls.map(|set| set.accept_ra).into());
        take("takers", self.takers.into());
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        self.explain_each(subject).into_iter().next()
    }

    fn explain_each(&self, subject: Subject<'_>) -> Vec<Diagnosis> {
        explain::advertisement(self, subject)
    }
}

impl Occurrence for RouterMessageIgnored {
    fn is_failure(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn frame(&self) -> Option<&Frame> {
        Some(&self.frame)
    }

    fn fields(&self, take: Take<'_>) {
        take("router", text(self.frame.source().as_ref()));
        take("source_mac", text(self.frame.source_mac().as_ref()));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("forwarding", self.sysctls.map(|set| set.0).into());
        take("accept_redirects", self.sysctls.map(|set| set.1).into());
        take("fragmented", self.fragmented.into());
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::ignored(self, subject)
    }
}

impl Occurrence for AdvertisedAddressRefused {
    fn is_failure(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn fields(&self, take: Take<'_>) {
        take("address", shown(&self.address));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("addresses", self.addresses.into());
        take("max_addresses", self.sysctls.map(|set| set.0).into());
        take("suppressed", self.suppressed.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::refused(self, subject))
    }
}

impl Occurrence for SolicitationsUnanswered {
    fn is_failure(&self) -> bool {
        false
    }

    fn is_remarkable(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn fields(&self, take: Take<'_>) {
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("sent", self.sent.into());
        take("router_solicitations", self.router_solicitations.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::unanswered(self, subject)
    }
}
