//! Sockets that wait at an address which has gone.

use std::net::TcpListener;

use anyhow::{Context as _, Result};

use crate::guest::{Checked, Netns};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("listener-address-absent-state", absent)];

/// The address goes from under the socket; where it stays, where the namespace allows such
/// sockets, and where a route has it for the host's own, nothing is the matter.
fn absent() -> Result<()> {
    let [gone, there, meant, routed] = ["lsng", "lsnt", "lsnm", "lsnr"].map(Netns::new);
    let (gone, there, meant, routed) = (gone?, there?, meant?, routed?);
    let mut listeners = Vec::new();
    for netns in [&gone, &there, &meant, &routed] {
        netns.ip("link set lo up")?;
        netns.dummy("d0")?;
        netns.ip("address add 2001:db8::7/64 dev d0 nodad")?;
        for address in ["2001:db8::7", "::1", "::"] {
            let port = if address == "::" { 8001 } else { 8000 };
            let bound = netns.enter(|| {
                TcpListener::bind((address, port)).with_context(|| format!("bind to {address}"))
            })?;
            listeners.push(bound);
        }
    }
    meant.set_sysctl("ipv6/ip_nonlocal_bind", "1")?;
    routed.ip("-6 route add local 2001:db8::/64 dev lo")?;
    for netns in [&gone, &meant, &routed] {
        netns.ip("address del 2001:db8::7/64 dev d0")?;
    }
    let checked = Checked::now()?;
    checked.silent(&there)?;
    checked.silent(&meant)?;
    checked.silent(&routed)?;
    let found = checked.only(&gone, "listener-address-absent")?;
    found
        .expect()
        .field("severity", "hazard")
        .field("confidence", "likely")
        .field("address", "2001:db8::7")
        .field("pid", std::process::id())
        .evidence("port", 8000)
        .check()?;
    gone.ip("address add 2001:db8::7/64 dev d0 nodad")?;
    Checked::now()?.silent(&gone)
}
