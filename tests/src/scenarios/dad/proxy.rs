//! Proxies: they answer for addresses that they do not have.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::own::{address, after, mac, other_mac};
use super::{Advertised, Host};
use crate::guest::{AddressState, Segment, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-conflict-proxy", elsewhere),
    scenario("dad-conflict-proxy-same-host", same_host),
    scenario("dad-conflict-proxy-not-for-another", for_another),
    scenario("dad-conflict-proxy-not-its-owner", owner),
];

/// A host on whose interface an NDP proxy answers for an address.
fn proxy_for(host: &Host, proxied: Ipv6Addr) -> Result<()> {
    let interface = &host.interface.name;
    // Its advertisements need a source.
    host.add(after(address(), 1), "nodad")?;
    host.set("forwarding", "1")?;
    host.set("proxy_ndp", "1")?;
    let delay = format!("ipv6/neigh/{interface}/proxy_delay");
    host.netns.set_sysctl(&delay, "0")?;
    host.netns
        .ip(&format!("-6 neigh add proxy {proxied} dev {interface}"))
}

fn elsewhere() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "proxy", other_mac())?,
    );
    proxy_for(&other, address())?;
    let report = host.refused(address())?;
    let diagnosis = report.only("dad-conflict-proxy")?;
    host.expect_failure(diagnosis, "NA", other_mac())
        .field("confidence", "certain")
        .evidence("override", false)
        .evidence("other_interface", "eth0")
        .evidence("other_netns", other.netns.inode())
        .summary_has(["proxy entry"])
        .some_fix_has(&format!(
            "ip netns exec {} ip neigh del proxy {} dev eth0",
            other.netns.name(),
            address()
        ))
        .check()?;
    let (here, there) = (Advertised::to(&host)?, Advertised::to(&other)?);
    for fix in ["neigh del proxy", "ip address del", "ip address add"] {
        diagnosis.follow(fix)?;
    }
    AddressState::Usable.wait(&host.netns, "eth0", address())?;
    here.stays()?;
    there.stays()
}

fn same_host() -> Result<()> {
    let segment = Segment::new()?;
    let mut host = Host::new(&segment, "guest", other_mac())?;
    proxy_for(&host, address())?;
    host.interface = segment.plug(&host.netns, "eth1", "second", mac())?;
    segment.connect(&host.netns, "eth1", "second")?;
    let report = host.refused(address())?;
    let diagnosis = report.only("dad-conflict-proxy")?;
    host.expect_failure(diagnosis, "NA", other_mac())
        .field("confidence", "certain")
        .evidence("other_interface", "eth0")
        .summary_has(["eth0", "proxy entry"])
        .check()?;
    for fix in ["neigh del proxy", "ip address del", "ip address add"] {
        diagnosis.follow(fix)?;
    }
    AddressState::Usable.wait(&host.netns, "eth1", address())
}

/// A proxy that answers for another address lets this one be.
fn for_another() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "proxy", other_mac())?,
    );
    proxy_for(&other, after(address(), 2))?;
    let tracer = Tracing::start()?;
    host.own(address())?;
    tracer.finish()?.silent()
}

/// Who has the address and an entry of a proxy for it answers as its owner.
fn owner() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "proxy", other_mac())?,
    );
    proxy_for(&other, address())?;
    other.add(address(), "nodad")?;
    let report = host.refused(address())?;
    host.expect_failure(report.only("dad-conflict")?, "NA", other_mac())
        .evidence("override", true)
        .no_fix_has("neigh del proxy")
        .check()
}
