//! An MTU with which an interface has no IPv6.

use anyhow::{Result, ensure};

use super::{ADDRESS, Host};
use crate::guest::{AddressState, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("address-ipv6-off-mtu", refused),
    scenario("mtu-took-ipv6", took),
    scenario("mtu-took-ipv6-kernels-own", kernels_own),
];

fn refused() -> Result<()> {
    let host = Host::new("small", "v0")?;
    host.netns.ip("link set v0 mtu 1279")?;
    let report = host.refused(&format!("{ADDRESS}/64"))?;
    let diagnosis = report.only("address-ipv6-off-mtu")?;
    host.expect(diagnosis, "EINVAL")
        .field("address", ADDRESS.to_string())
        .field("comm", "ip")
        .evidence("mtu", 1279)
        .evidence("ip6_ptr", 0)
        .summary_has(["1279", "1280"])
        .check()?;
    diagnosis.follow("ip link set dev v0 mtu 1280")?;
    diagnosis.follow("address add")?;
    host.gets(ADDRESS)
}

/// All that the interface had is gone at once.
fn took() -> Result<()> {
    let host = Host::new("shrunk", "v0")?;
    host.furnish()?;
    host.set("v0", "hop_limit", "33")?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 mtu 1275")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("mtu-took-ipv6")?;
    host.expect_all_lost(diagnosis)
        .field("severity", "failure")
        .field("operation", "mtu-change")
        .field("comm", "ip")
        .evidence("mtu", 1275)
        .summary_has(["ip", "1275", "1280", "net.ipv6.conf.v0"])
        .check()?;
    ensure!(host.addresses()?.1 == 0, "something is left");
    let sysctl = "ipv6/conf/v0/hop_limit";
    ensure!(!host.netns.has_sysctl(sysctl)?, "the sysctls are left");
    diagnosis.follow("mtu 1280")?;
    host.refurnish(diagnosis)?;
    ensure!(
        host.get("v0", "hop_limit")? == host.get("default", "hop_limit")?,
        "the sysctls begin with others"
    );
    Ok(())
}

/// It comes back by itself, so that nothing fails but what needs it meanwhile.
fn kernels_own() -> Result<()> {
    let host = Host::new("shrunk-bare", "v0")?;
    AddressState::wait_for_link_local(&host.netns, "v0")?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 mtu 1000")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("mtu-took-ipv6")?;
    diagnosis
        .expect()
        .field("severity", "hazard")
        .evidence("addresses", 1)
        .evidence("addresses_set", 0)
        .evidence("routes", 0)
        .check()?;
    diagnosis.follow("mtu 1280")?;
    AddressState::wait_for_link_local(&host.netns, "v0")
}
