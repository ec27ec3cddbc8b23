//! Virtual MACs of VRRP on interfaces of two nodes: both kernels make the same
//! link-local address from one, without any daemon.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::{Host, MAC, OTHER_MAC};
use crate::guest::{AddressState, Link, Segment, Tracing};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("dad-conflict-virtual-mac", shared),
    alone("dad-conflict-virtual-mac-not-another-mac", another_mac),
    alone("dad-conflict-virtual-mac-not-cloned", cloned),
];

const VIRTUAL: &str = "00:00:5e:00:02:33";
/// What every kernel makes of it.
const MADE: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x0200, 0x5eff, 0xfe00, 0x0233);

/// A macvlan as VRRP daemons make it, still down. Private: one in bridge mode
/// takes a frame with its own MAC for one that it has sent.
fn macvlan(host: &mut Host, mac: &str) -> Result<()> {
    host.netns.ip(&format!(
        "link add vrrp.51 link eth0 address {mac} type macvlan mode private"
    ))?;
    let delay = "ipv6/conf/vrrp.51/router_solicitation_delay";
    host.netns.set_sysctl(delay, "0")?;
    host.interface = Link::find(&host.netns, "vrrp.51")?;
    Ok(())
}

fn up(host: &Host) -> Result<()> {
    host.netns.ip("link set vrrp.51 up")
}

/// Two nodes with a macvlan each; that of the other is up and has its address.
fn two(segment: &Segment, mac: &str, made: Ipv6Addr) -> Result<(Host, Host)> {
    let mut host = Host::new(segment, "guest", MAC)?;
    let mut other = Host::new(segment, "other", OTHER_MAC)?;
    macvlan(&mut host, mac)?;
    macvlan(&mut other, mac)?;
    up(&other)?;
    AddressState::Usable.wait(&other.netns, "vrrp.51", made)?;
    Ok((host, other))
}

fn shared() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = two(&segment, VIRTUAL, MADE)?;
    let tracer = Tracing::start()?;
    up(&host)?;
    AddressState::Failed.wait(&host.netns, "vrrp.51", MADE)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("dad-conflict-virtual-mac")?;
    host.expect(diagnosis, MADE)
        .field("severity", "failure")
        .evidence("source_mac", VIRTUAL)
        .evidence("own_mac", VIRTUAL)
        .evidence("other_interface", "vrrp.51")
        .evidence("other_netns", other.netns.inode())
        .summary_has(["51", "EUI-64", "No VRRP daemon"])
        .no_fix_has("proto 112")
        .no_fix_has("address add")
        .check()?;
    let advertised = super::Advertised::to(&host)?;
    diagnosis.follow("addrgenmode none")?;
    diagnosis.follow("ip address del")?;
    // Neither now nor when the interface comes up again.
    let tracer = Tracing::start()?;
    AddressState::Absent.wait(&host.netns, "vrrp.51", MADE)?;
    advertised.stays()?;
    host.netns.ip("link set vrrp.51 down")?;
    up(&host)?;
    host.own("2001:db8:0:9::a".parse()?)?;
    AddressState::Absent.wait(&host.netns, "vrrp.51", MADE)?;
    AddressState::Usable.wait(&other.netns, "vrrp.51", MADE)?;
    tracer.finish()?.silent()
}

/// Virtual routers of two numbers.
fn another_mac() -> Result<()> {
    let segment = Segment::new()?;
    let (_, other) = two(&segment, VIRTUAL, MADE)?;
    let mut third = Host::new(&segment, "third", "02:00:00:00:00:0c")?;
    macvlan(&mut third, "00:00:5e:00:02:34")?;
    let tracer = Tracing::start()?;
    up(&third)?;
    let made = Ipv6Addr::from(u128::from(MADE) + 1);
    AddressState::Usable.wait(&third.netns, "vrrp.51", made)?;
    AddressState::Usable.wait(&other.netns, "vrrp.51", MADE)?;
    tracer.finish()?.silent()
}

/// A MAC that is nobody's virtual one is to be changed.
fn cloned() -> Result<()> {
    const CLONED: &str = "02:00:00:00:00:0d";
    let made = "fe80::ff:fe00:d".parse()?;
    let segment = Segment::new()?;
    let (host, _other) = two(&segment, CLONED, made)?;
    let tracer = Tracing::start()?;
    up(&host)?;
    AddressState::Failed.wait(&host.netns, "vrrp.51", made)?;
    let report = tracer.finish()?;
    report.complete()?;
    host.expect(report.only("dad-conflict-cloned-mac")?, made)
        .evidence("own_mac", CLONED)
        .some_fix_has("another MAC")
        .no_fix_has("addrgenmode")
        .check()
}
