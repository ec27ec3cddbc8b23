//! That IPv6 is switched off on this host: none of its functions is then ever
//! called, and nothing is to be seen but that.

use std::{fs, path::Path};

use super::explain::{COMMAND_LINE, switched_off};
use crate::observe::Hazard;

/// The parameter of the kernel's IPv6.
const DISABLE: &str = "/sys/module/ipv6/parameters/disable";
/// There as soon as IPv6 is.
const ADDRESSES: &str = "/proc/self/net/if_inet6";

/// Whether IPv6 is there at all.
pub(crate) fn hazards() -> Vec<Hazard> {
    if Path::new(ADDRESSES).exists() {
        return Vec::new();
    }
    let disable = fs::read_to_string(DISABLE).ok();
    let disable = disable.and_then(|value| value.trim().parse().ok());
    let (what, fix) = switched_off(disable);
    vec![Hazard {
        what: format!("{what}: no IPv6 socket is to be had, and there is nothing else to trace"),
        fix: fix.unwrap_or(COMMAND_LINE).to_owned(),
    }]
}
