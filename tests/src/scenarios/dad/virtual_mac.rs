//! Virtual MACs of VRRP on interfaces of two nodes: both kernels make the same
//! link-local address from one, without any daemon.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::Host;
use super::own::{mac, made_of, other_mac, third_mac};
use crate::guest::{AddressState, Link, Segment, Tracing, place};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-conflict-virtual-mac", shared),
    scenario("dad-conflict-virtual-mac-not-another-mac", another_mac),
    scenario("dad-conflict-virtual-mac-not-cloned", cloned),
];

/// The number of a virtual router: of two that a scenario has, the first.
fn router() -> u8 {
    0x33 + 2 * place()
}

/// The MAC of a virtual router.
fn virtual_mac(router: u8) -> String {
    format!("00:00:5e:00:02:{router:02x}")
}

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
fn two(segment: &Segment, of_both: &str, made: Ipv6Addr) -> Result<(Host, Host)> {
    let mut host = Host::new(segment, "guest", mac())?;
    let mut other = Host::new(segment, "other", other_mac())?;
    macvlan(&mut host, of_both)?;
    macvlan(&mut other, of_both)?;
    up(&other)?;
    AddressState::Usable.wait(&other.netns, "vrrp.51", made)?;
    Ok((host, other))
}

fn shared() -> Result<()> {
    let segment = Segment::new()?;
    let its_mac = virtual_mac(router());
    let made = made_of(&its_mac);
    let (host, other) = two(&segment, &its_mac, made)?;
    let tracer = Tracing::start()?;
    up(&host)?;
    AddressState::Failed.wait(&host.netns, "vrrp.51", made)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("dad-conflict-virtual-mac")?;
    host.expect(diagnosis, made)
        .field("severity", "failure")
        .evidence("source_mac", its_mac.as_str())
        .evidence("own_mac", its_mac.as_str())
        .evidence("other_interface", "vrrp.51")
        .evidence("other_netns", other.netns.inode())
        .summary_has([&router().to_string(), "EUI-64", "No VRRP daemon"])
        .no_fix_has("proto 112")
        .no_fix_has("address add")
        .check()?;
    let advertised = super::Advertised::to(&host)?;
    diagnosis.follow("addrgenmode none")?;
    diagnosis.follow("ip address del")?;
    // Neither now nor when the interface comes up again.
    let tracer = Tracing::start()?;
    AddressState::Absent.wait(&host.netns, "vrrp.51", made)?;
    advertised.stays()?;
    host.netns.ip("link set vrrp.51 down")?;
    up(&host)?;
    host.own("2001:db8:0:9::a".parse()?)?;
    AddressState::Absent.wait(&host.netns, "vrrp.51", made)?;
    AddressState::Usable.wait(&other.netns, "vrrp.51", made)?;
    tracer.finish()?.silent()
}

/// Virtual routers of two numbers.
fn another_mac() -> Result<()> {
    let segment = Segment::new()?;
    let its_mac = virtual_mac(router());
    let made = made_of(&its_mac);
    let (_, other) = two(&segment, &its_mac, made)?;
    let mut third = Host::new(&segment, "third", third_mac())?;
    let another = virtual_mac(router() + 1);
    macvlan(&mut third, &another)?;
    let tracer = Tracing::start()?;
    up(&third)?;
    AddressState::Usable.wait(&third.netns, "vrrp.51", made_of(&another))?;
    AddressState::Usable.wait(&other.netns, "vrrp.51", made)?;
    tracer.finish()?.silent()
}

/// A MAC that is nobody's virtual one is to be changed.
fn cloned() -> Result<()> {
    let cloned = third_mac();
    let made = made_of(cloned);
    let segment = Segment::new()?;
    let (host, _other) = two(&segment, cloned, made)?;
    let tracer = Tracing::start()?;
    up(&host)?;
    AddressState::Failed.wait(&host.netns, "vrrp.51", made)?;
    let report = tracer.finish()?;
    report.complete()?;
    host.expect(report.only("dad-conflict-cloned-mac")?, made)
        .evidence("own_mac", cloned)
        .some_fix_has("another MAC")
        .no_fix_has("addrgenmode")
        .check()
}
