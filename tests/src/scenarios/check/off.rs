//! A kernel that was booted without IPv6.

use anyhow::Result;

use crate::guest::{Checked, Netns};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("ipv6-off-state", off)];

/// It is told once, whatever namespaces there are, and IPv4 is no concern.
fn off() -> Result<()> {
    let netns = Netns::new("noip6")?;
    netns.ip("link set lo up")?;
    netns.ip("link add d0 up type dummy")?;
    netns.ip("address add 192.0.2.1/24 dev d0")?;
    netns.ip("route add 198.51.100.0/24 via 192.0.2.2")?;
    let checked = Checked::now()?;
    checked.silent(&netns)?;
    checked
        .only(&Netns::host()?, "ipv6-off")?
        .expect()
        .field("severity", "notice")
        .field("confidence", "certain")
        .evidence("disable", 1)
        .summary_has(["ipv6.disable=1"])
        .some_fix_has("reboot")
        .check()
}
