//! Sockets that are refused a local address, and that IPv6 is switched off.
//!
//! ```text
//! LocalAddressRefused -> explain::bound, explain::source   by errno, in the order of
//!                                                          the kernel's tests
//!                        explain::standing                 how it stands with the
//!                                                          address: who has it, in
//!                                                          which state, where else
//!                        explain::in_use                   whose socket has the port
//! SocketRefused       -> explain::off
//! ```

mod causes;
mod decode;
mod explain;
#[cfg(feature = "live")]
mod hazard;
#[cfg(feature = "live")]
pub(crate) mod lookup;
mod port;
#[cfg(feature = "live")]
pub(crate) mod port_lookup;
mod whereabouts;

use super::Occurrence;
use crate::{
    event::Name,
    explain::{Diagnosis, Subject},
    field::{Take, shown},
};

pub use causes::Cause;
pub use decode::{Holder, LocalAddressRefused, Loopback, Reuse, SocketRefused, SocketState};
pub(crate) use explain::{off_as_it_is, why_tentative};
#[cfg(feature = "live")]
pub(crate) use hazard::{disabled_at_boot, hazard};
pub use port::{PortSocket, PortUse};
pub use whereabouts::{Place, Whereabouts};

impl Occurrence for LocalAddressRefused {
    fn is_failure(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        (self.ifindex != 0).then_some(self.ifindex)
    }

    fn interface(&self) -> Option<&str> {
        self.device.found().map(Name::as_str)
    }

    fn concerns(&self, interface: &str) -> bool {
        let mut holders = self.holders.iter();
        self.interface() == Some(interface) || holders.any(|holder| holder.interface == interface)
    }

    fn fields(&self, take: Take<'_>) {
        take("address", shown(&self.address));
        take("port", self.port.into());
        take("scope_id", self.scope_id.into());
        take("ifindex", self.ifindex().into());
        take("interface", self.interface().into());
        take("holders", self.holder_count.into());
        take("socket", self.socket_inode.into());
        take("errno", shown(&self.errno));
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::refused(self, subject)
    }
}

impl Occurrence for SocketRefused {
    fn is_failure(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        None
    }

    fn interface(&self) -> Option<&str> {
        None
    }

    fn fields(&self, take: Take<'_>) {
        take("type", self.socket_type.into());
        take("protocol", self.protocol.into());
        take("disable", self.disable.into());
        take("errno", shown(&self.errno));
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::off(self, subject))
    }
}
