//! Addresses that the kernel refuses to add or does not make, and what takes
//! addresses away from an interface: `disable_ipv6`, a small MTU, setting it down.
//!
//! ```text
//! AddressRequest -> explain::refused, explain::exists    by errno, and by the
//!                                                        values that give it
//! AddressesLost  -> explain::lost                        by what took them
//! SettingsRefused, TemporaryStopped -> explain::made     addresses that the
//!                                                        kernel makes itself
//! LinkLocalMissing -> lookup, 5 s later -> explain::came_up   and does not make,
//!                                                        unless somebody else did
//! ```

mod causes;
mod decode;
mod explain;
#[cfg(feature = "live")]
pub(crate) mod lookup;
mod settings;
mod settled;

use std::time::Duration;

use super::Occurrence;
use crate::{
    explain::{Diagnosis, Subject},
    field::{Field, Take, shown, text},
};

pub use causes::Cause;
pub use decode::{
    AddressRequest, AddressesLost, Existing, Host, Lifetimes, LostAddress, LostRoute, Trigger,
    Writer, Wrote,
};
pub(crate) use explain::{REGEN_MAX_RETRY, again, not_made};
pub use settings::{LinkLocalMissing, SettingsRefused, TemporaryStopped, WayUp};
pub use settled::Settled;

/// How long whoever makes link-local addresses itself has to make one: systemd-networkd
/// and NetworkManager need a moment, once the link is there.
const LATER: Duration = Duration::from_secs(5);

impl Occurrence for AddressRequest {
    fn is_failure(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        Some(self.ifindex)
    }

    fn interface(&self) -> Option<&str> {
        self.device.name()
    }

    fn fields(&self, take: Take<'_>) {
        take("address", text(self.address.as_ref()));
        take("prefix_len", self.prefix_len.into());
        take("flags", self.flags.into());
        take("ifindex", self.ifindex.into());
        take("interface", self.interface().into());
        take("errno", shown(&self.errno));
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::refused(self, subject)
    }
}

impl Occurrence for AddressesLost {
    fn is_failure(&self) -> bool {
        false
    }

    fn is_remarkable(&self) -> bool {
        true
    }

    fn ifindex(&self) -> Option<u32> {
        (self.interfaces <= 1).then_some(self.ifindex)
    }

    fn interface(&self) -> Option<&str> {
        (self.interfaces <= 1).then_some(self.interface.as_str())
    }

    fn concerns(&self, interface: &str) -> bool {
        self.concerns(interface)
    }

    fn fields(&self, take: Take<'_>) {
        take("trigger", Field::Text(self.trigger.name()));
        take("interface", self.interface().into());
        take("interfaces", self.interfaces.into());
        take("addresses", self.address_count.into());
        take("routes", self.route_count.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::lost(self, subject)
    }
}

impl Occurrence for SettingsRefused {
    fn is_failure(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn fields(&self, take: Take<'_>) {
        take("token", text(self.token.as_ref()));
        take("mode", self.mode.into());
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("errno", shown(&self.errno));
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::settings_refused(self, subject)
    }
}

impl Occurrence for TemporaryStopped {
    fn is_failure(&self) -> bool {
        true
    }

    super::of_its_interface!();

    fn fields(&self, take: Take<'_>) {
        take("address", shown(&self.address));
        take("ifindex", self.ifindex.into());
        take("interface", self.interface.as_str().into());
        take("regen_max_retry", self.regen_max_retry.into());
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        Some(explain::temporary_stopped(self, subject))
    }
}

impl Occurrence for LinkLocalMissing {
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
        take("addr_gen_mode", self.addr_gen_mode.into());
        take("way", Field::Text(self.way.name()));
    }

    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis> {
        explain::came_up(self, subject)
    }
}
