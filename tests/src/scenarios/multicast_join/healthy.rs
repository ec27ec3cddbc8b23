//! A busy machine on which nothing fails.

use anyhow::{Result, ensure};

use crate::guest::{MulticastSocket, Netns, Taps, Tracing, group};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("healthy-host-is-silent", healthy)];

/// Interfaces come, get addresses, are joined on and left, and go.
fn healthy() -> Result<()> {
    let netns = Netns::new("busy")?;
    let tracer = Tracing::start()?;
    for round in 0..4 {
        let interface = netns.dummy(&format!("d{round}"))?;
        let taps = Taps::new(&netns, "tap", 4)?;
        netns.ip(&format!(
            "addr add 2001:db8:{round}::1/64 dev d{round} nodad"
        ))?;
        netns.ip(&format!("link set d{round} down"))?;
        netns.ip(&format!("link set d{round} up"))?;
        let udp = MulticastSocket::udp(&netns)?;
        let icmpv6 = MulticastSocket::icmpv6(&netns)?;
        for n in 0..50 {
            udp.join(interface.ifindex, group(n))?;
            icmpv6.join_group(interface.ifindex, group(n))?;
            for tap in taps.links() {
                udp.join(tap.ifindex, group(n))?;
            }
            udp.leave(interface.ifindex, group(n))?;
        }
        for tap in taps.links() {
            udp.leave(tap.ifindex, group(0))?;
        }
        taps.delete(&netns)?;
        interface.delete(&netns)?;
    }
    let report = tracer.finish()?;
    report.silent()?;
    ensure!(report.summary["lost"] == 0, "{}", report.summary);
    Ok(())
}
