//! A proposed fix, typed in as it stands, must help.

use anyhow::{Context as _, Result, ensure};

use crate::guest::{MulticastSocket, Netns, OptmemMax, Scope, Tracing, group, join_until_refused};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("optmem-exhausted-fix-helps", larger_limit),
    scenario("ipv6-disabled-on-device-fix-helps", larger_mtu),
];

/// The larger limit lets the very join succeed that failed.
fn larger_limit() -> Result<()> {
    let netns = Netns::new("healed")?;
    let interface = netns.dummy("d0")?;
    let _limit = OptmemMax::set(&netns, 3000)?;
    let host = OptmemMax::host()?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let report = tracer.finish()?;
    report
        .only("optmem-exhausted")?
        .follow("net.core.optmem_max=")?;
    socket
        .join(interface.ifindex, joins.refused.group)
        .context("the join still fails")?;
    if Scope::of(&netns)? == Scope::Netns {
        let now = OptmemMax::host()?;
        ensure!(now == host, "the fix changed the host's limit to {now}");
    }
    Ok(())
}

/// The larger MTU brings IPv6 back to the interface.
fn larger_mtu() -> Result<()> {
    let netns = Netns::new("healed")?;
    let interface = netns.dummy("d0")?;
    netns.ip("link set d0 mtu 1000")?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    let failed = socket.join(interface.ifindex, group(1));
    ensure!(failed.is_err(), "the join succeeds without IPv6");
    let report = tracer.finish()?;
    report.only("ipv6-disabled-on-device")?.follow("mtu")?;
    socket
        .join(interface.ifindex, group(1))
        .context("the join still fails")
}
