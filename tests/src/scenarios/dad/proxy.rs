//! Proxies: they answer for addresses that they do not have.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::{ADDRESS, Advertised, Host, MAC, OTHER_MAC};
use crate::guest::{AddressState, Segment, Tracing};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("dad-conflict-proxy", elsewhere),
    alone("dad-conflict-proxy-same-host", same_host),
    alone("dad-conflict-proxy-not-for-another", for_another),
    alone("dad-conflict-proxy-not-its-owner", owner),
];

/// A host on whose interface an NDP proxy answers for an address.
fn proxy_for(host: &Host, address: Ipv6Addr) -> Result<()> {
    let interface = &host.interface.name;
    // Its advertisements need a source.
    host.add(Ipv6Addr::from(u128::from(ADDRESS) + 1), "nodad")?;
    host.set("forwarding", "1")?;
    host.set("proxy_ndp", "1")?;
    let delay = format!("ipv6/neigh/{interface}/proxy_delay");
    host.netns.set_sysctl(&delay, "0")?;
    host.netns
        .ip(&format!("-6 neigh add proxy {address} dev {interface}"))
}

fn elsewhere() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "proxy", OTHER_MAC)?,
    );
    proxy_for(&other, ADDRESS)?;
    let report = host.refused(ADDRESS)?;
    let diagnosis = report.only("dad-conflict-proxy")?;
    host.expect_failure(diagnosis, "NA", OTHER_MAC)
        .field("confidence", "certain")
        .evidence("override", false)
        .evidence("other_interface", "eth0")
        .evidence("other_netns", other.netns.inode())
        .summary_has(["proxy entry"])
        .some_fix_has(&format!(
            "ip netns exec proxy ip neigh del proxy {ADDRESS} dev eth0"
        ))
        .check()?;
    let (here, there) = (Advertised::to(&host)?, Advertised::to(&other)?);
    for fix in ["neigh del proxy", "ip address del", "ip address add"] {
        diagnosis.follow(fix)?;
    }
    AddressState::Usable.wait(&host.netns, "eth0", ADDRESS)?;
    here.stays()?;
    there.stays()
}

fn same_host() -> Result<()> {
    let segment = Segment::new()?;
    let mut host = Host::new(&segment, "guest", OTHER_MAC)?;
    proxy_for(&host, ADDRESS)?;
    host.interface = segment.plug(&host.netns, "eth1", "second", MAC)?;
    host.netns.ip("link set eth1 up")?;
    let report = host.refused(ADDRESS)?;
    let diagnosis = report.only("dad-conflict-proxy")?;
    host.expect_failure(diagnosis, "NA", OTHER_MAC)
        .field("confidence", "certain")
        .evidence("other_interface", "eth0")
        .summary_has(["eth0", "proxy entry"])
        .check()?;
    for fix in ["neigh del proxy", "ip address del", "ip address add"] {
        diagnosis.follow(fix)?;
    }
    AddressState::Usable.wait(&host.netns, "eth1", ADDRESS)
}

/// A proxy that answers for another address lets this one be.
fn for_another() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "proxy", OTHER_MAC)?,
    );
    proxy_for(&other, Ipv6Addr::from(u128::from(ADDRESS) + 2))?;
    let tracer = Tracing::start()?;
    host.own(ADDRESS)?;
    tracer.finish()?.silent()
}

/// Who has the address and an entry of a proxy for it answers as its owner.
fn owner() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "proxy", OTHER_MAC)?,
    );
    proxy_for(&other, ADDRESS)?;
    other.add(ADDRESS, "nodad")?;
    let report = host.refused(ADDRESS)?;
    host.expect_failure(report.only("dad-conflict")?, "NA", OTHER_MAC)
        .evidence("override", true)
        .no_fix_has("neigh del proxy")
        .check()
}
