//! Bonds: a port may hear what another port of the same bond sends.

use anyhow::Result;

use super::own::{address, mac, other_mac};
use super::{Advertised, Host};
use crate::guest::{AddressState, Link, Netns, Segment, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-loopback-ignored-bond", apart),
    scenario("dad-loopback-bond", idle_ports),
    scenario("dad-loopback-not-bond-active-backup", active_backup),
    scenario("dad-conflict-on-a-bond", conflict),
];

/// A host with two ports on a segment that does not know that they are a bond.
fn bonded(segment: &Segment, settings: &str) -> Result<Host> {
    let netns = Netns::new("guest")?;
    for port in ["p0", "p1"] {
        segment.plug(&netns, port, &format!("to-{port}"), mac())?;
    }
    netns.ip(&format!(
        "link add bond0 address {} type bond miimon 100 {settings}",
        mac()
    ))?;
    netns.ip("link set bond0 addrgenmode none")?;
    for port in ["p0", "p1"] {
        netns.ip(&format!("link set {port} master bond0"))?;
    }
    netns.set_sysctl("ipv6/conf/bond0/router_solicitation_delay", "0")?;
    netns.ip("link set bond0 up")?;
    let interface = Link::find(&netns, "bond0")?;
    let host = Host { netns, interface };
    // Until the ports are in use.
    host.own("2001:db8:0:9::a".parse()?)?;
    Ok(host)
}

/// All ports are listened to, and the switch does not take them for one.
fn apart() -> Result<()> {
    let segment = Segment::new()?;
    let host = bonded(&segment, "mode balance-rr")?;
    let tracer = Tracing::start()?;
    host.own(address())?;
    let report = tracer.finish()?;
    report.complete()?;
    host.expect(report.only("dad-loopback-ignored")?, address())
        .field("severity", "notice")
        .evidence("bond", "bond0")
        .evidence("bond_mode", "balance-rr")
        .evidence("bond_ports", vec!["p0", "p1"])
        .summary_has(["bond0", "balance-rr", "p0", "p1"])
        .some_fix_has("join the ports of bond0 on the switch")
        .some_fix_has(&format!(
            "ip netns exec {} tcpdump -Q in -eni p1",
            host.netns.name()
        ))
        .check()
}

/// One that uses a port alone, but listens to both.
fn idle_ports() -> Result<()> {
    let segment = Segment::new()?;
    let host = bonded(&segment, "mode active-backup all_slaves_active 1")?;
    host.netns.set_sysctl("ipv6/conf/all/enhanced_dad", "0")?;
    host.set("enhanced_dad", "0")?;
    let report = host.refused(address())?;
    let diagnosis = report.only("dad-loopback")?;
    host.expect(diagnosis, address())
        .field("confidence", "likely")
        .evidence("bond", "bond0")
        .evidence("bond_mode", "active-backup")
        .summary_has(["bond0", "all_slaves_active"])
        .check()?;
    let advertised = Advertised::to(&host)?;
    for fix in ["all_slaves_active 0", "ip address del", "ip address add"] {
        diagnosis.follow(fix)?;
    }
    AddressState::Usable.wait(&host.netns, "bond0", address())?;
    advertised.stays()
}

fn active_backup() -> Result<()> {
    let segment = Segment::new()?;
    let host = bonded(&segment, "mode active-backup")?;
    let tracer = Tracing::start()?;
    host.own(address())?;
    tracer.finish()?.silent()
}

/// What another node has, no port reflected.
fn conflict() -> Result<()> {
    let segment = Segment::new()?;
    let host = bonded(&segment, "mode active-backup")?;
    let other = Host::new(&segment, "other", other_mac())?;
    other.own(address())?;
    let report = host.refused(address())?;
    let diagnosis = report.only("dad-conflict")?;
    host.expect_failure(diagnosis, "NA", other_mac())
        .that(
            diagnosis.evidence("bond").is_none(),
            "the bond has nothing to do with it",
        )
        .check()
}
