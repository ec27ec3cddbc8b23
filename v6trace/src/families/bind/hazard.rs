//! That IPv6 is switched off on this host: none of its functions is then ever
//! called, and nothing is to be seen but that.

use std::{fs, path::Path};

use super::explain::switched_off;
use crate::observe::Hazard;

/// The parameter of the kernel's IPv6.
const DISABLE: &str = "/sys/module/ipv6/parameters/disable";
/// There in any case.
const NETWORK: &str = "/proc/self/net/dev";
/// There as soon as IPv6 is.
const ADDRESSES: &str = "/proc/self/net/if_inet6";

/// The parameter `disable`; `None` where the kernel has none.
pub(crate) fn disabled_at_boot() -> Option<i32> {
    let disable = fs::read_to_string(DISABLE).ok()?;
    disable.trim().parse().ok()
}

/// What is said where there is no IPv6 at all.
pub(crate) fn hazard() -> Option<Hazard> {
    // Without /proc nothing is known.
    if Path::new(ADDRESSES).exists() || !Path::new(NETWORK).exists() {
        return None;
    }
    let (what, fix) = switched_off(disabled_at_boot());
    Some(Hazard {
        what: format!("{what}: no IPv6 socket is to be had, and there is nothing else to trace"),
        fix: fix.unwrap_or("modprobe ipv6").to_owned(),
    })
}
